"""The page behind a reverse proxy that gives it a path of its own."""

from __future__ import annotations

from ..api.server import Server
from .conftest import Open


def test_the_page_works_below_a_path_prefix(proxied: tuple[Server, str], open_page: Open) -> None:
    _, address = proxied
    visitor = open_page(address, "zh")
    visitor.badge("就绪")
    visitor.speak("经过代理。")
    visitor.heard()
    visitor.finished()
    href = visitor.page.locator(".download").get_attribute("href") or ""
    assert href.startswith(address + "v1/audio/outputs/")
