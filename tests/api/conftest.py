"""Servers that the tests of the API share. Each starts when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .server import Server, serving

PREFIX = "/voice"  # as a reverse proxy would strip it
ORIGIN = "https://page.example"


@pytest.fixture(scope="package")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The test engine at no cost, with the page beside the API: 60 ms of sound a character."""
    with serving(tmp_path_factory.mktemp("tone"), "--engine", "tone", "--max-body", "2000000") as server:
        yield server


@pytest.fixture(scope="package")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One row, 10 ms of work and 20 ms of sound a character, a queue of ten, behind a proxy's prefix."""
    flags = ["--engine", "tone", "--engine-options", "rows=1,step_ms=10,char_ms=20", "--max-waiting", "10"]
    flags += ["--no-page", "--root-path", PREFIX, "--cors-origins", ORIGIN]
    with serving(tmp_path_factory.mktemp("slow"), *flags) as server:
        yield server


@pytest.fixture(scope="package")
def loading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model takes ten minutes to load."""
    flags = ["--engine", "tone", "--no-page", "--engine-options", "load_ms=600000"]
    with serving(tmp_path_factory.mktemp("loading"), *flags, path="/healthz") as server:
        yield server


@pytest.fixture(scope="package")
def kokoro(kokoro_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded voice, from the checkout's own model folder."""
    home = tmp_path_factory.mktemp("kokoro")
    (home / "cache_hub").symlink_to(kokoro_dir.parent)
    # the machine may be busy with other tests: a segment may take its time
    with serving(home, "--engine", "kokoro", "--no-page", "--timeout", "120") as server:
        yield server


@pytest.fixture(scope="package")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The test engine that clones; what it received is in ``received.jsonl``."""
    home = tmp_path_factory.mktemp("clone")
    with serving(
        home, "--engine", "tone-clone", "--no-page", "--engine-options", f"record={home}/received.jsonl"
    ) as server:
        yield server
