"""The page behind a reverse proxy that gives it a path of its own."""

from __future__ import annotations

from pathlib import Path

from ..api.server import serving
from .conftest import Open
from .proxy import stripping


def test_the_page_works_below_a_path_prefix(tmp_path: Path, open_page: Open) -> None:
    with (
        serving(tmp_path, "--engine", "tone", "--root-path", "/tts") as server,
        stripping("/tts", server.port) as address,
    ):
        visitor = open_page(address, "zh")
        visitor.badge("就绪")
        visitor.speak("经过代理。")
        visitor.finished()
        visitor.heard()
        href = visitor.page.locator(".download").get_attribute("href") or ""
        assert href.startswith(address + "v1/audio/outputs/")
