"""Servers that these tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..api.server import Server, serving


@pytest.fixture(scope="package")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The test engine that clones voices, at no cost."""
    with serving(tmp_path_factory.mktemp("clone"), "--engine", "tone-clone", "--no-page") as server:
        yield server
