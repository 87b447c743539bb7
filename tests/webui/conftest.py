"""A browser, and servers for it to visit. Each starts when it is first asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from ..api.server import Server, serving
from .clips import recording
from .pages import Browsers, Visit, leave, visit
from .proxy import stripping

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # a microphone that hears a file, and permission to use it
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
SLOW = "rows=1,step_ms=80,char_ms=20,ahead=0"  # one segment at a time, 80 ms of work a character
Open = Callable[..., Visit]


@dataclass(frozen=True)
class Cloning:
    """A server whose engine clones voices."""

    server: Server
    record: Path

    @property
    def url(self) -> str:
        """Of the page."""
        return self.server.url

    def received(self) -> list[dict[str, Any]]:
        """The segments that the engine was given, in order."""
        lines = self.record.read_text("utf-8").splitlines() if self.record.exists() else []
        return [json.loads(line) for line in lines]

    def shelf(self) -> list[dict[str, Any]]:
        """The voices that the library keeps on disk."""
        path = self.server.home / "voices" / "library.json"
        voices: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["voices"] if path.exists() else []
        return voices


# Not for the session: a running Playwright keeps an event loop, and other packages' tests start their own.
@pytest.fixture(scope="package")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    """The system's Chromium, without a window, for all visitors."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("the page's tests need Chromium: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        heard = tmp_path_factory.mktemp("microphone") / "heard.wav"
        heard.write_bytes(recording(110))
        args = [*QUIET, f"--use-file-for-fake-audio-capture={heard}"]
        chromium = playwright.chromium.launch(executable_path=path, args=args)
        yield Browsers(chromium)
        chromium.close()


@pytest.fixture
def open_page(browsers: Browsers) -> Iterator[Open]:
    """``open_page(url, lang, width=...)``: a new visitor. No visitor may meet a script error or leave the host."""
    visitors: list[Visit] = []

    def open_it(url: str, lang: str = "en", width: int = 1440) -> Visit:
        visitors.append(visit(browsers.of(lang), url, width))
        return visitors[-1]

    yield open_it
    for visitor in visitors:
        leave(visitor)
    assert [error for visitor in visitors for error in visitor.errors] == []
    assert [url for visitor in visitors for url in visitor.outside] == []


@pytest.fixture(scope="package")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The test engine, one segment at a time: 8 ms of work and 30 ms of sound a character."""
    home = tmp_path_factory.mktemp("page")
    with serving(home, "--engine", "tone", "--engine-options", "rows=1,step_ms=8,char_ms=30") as server:
        yield server


@pytest.fixture(scope="package")
def cloning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloning]:
    """The test engine that speaks in any voice, and notes what it receives."""
    home = tmp_path_factory.mktemp("page-cloning")
    record = home / "received.jsonl"
    with serving(home, "--engine", "tone-clone", "--engine-options", f"char_ms=20,record={record}") as server:
        yield Cloning(server, record)


@pytest.fixture(scope="package")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A slow server with a queue of three, and its address below the path that a reverse proxy gives it."""
    flags = ("--engine", "tone", "--engine-options", SLOW, "--max-waiting", "3", "--root-path", "/tts")
    with (
        serving(tmp_path_factory.mktemp("page-proxied"), *flags) as server,
        stripping("/tts", server.port) as address,
    ):
        yield server, address


@pytest.fixture(scope="package")
def kokoro(kokoro_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded voice."""
    home = tmp_path_factory.mktemp("page-kokoro")
    (home / "cache_hub").symlink_to(kokoro_dir.parent)
    with serving(home, "--engine", "kokoro") as server:
        yield server
