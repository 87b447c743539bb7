"""What the page adds to the server, and what it does not."""

from __future__ import annotations

import httpx

from ..api.server import Server


def test_the_pages_handlers_are_no_public_api(tone: Server) -> None:
    info = httpx.get(f"{tone.url}/gradio_api/info", timeout=30).json()
    assert info["named_endpoints"] == info["unnamed_endpoints"] == {}


def test_the_api_keeps_its_paths_beside_the_page(tone: Server) -> None:
    assert httpx.get(f"{tone.url}/healthz", timeout=30).status_code == 200
    assert httpx.get(f"{tone.url}/v1/models", timeout=30).headers["content-type"] == "application/json"


def test_files_of_the_server_cannot_be_read_through_the_page(tone: Server) -> None:
    for path in ("/etc/passwd", __file__, str(tone.home / "server.out")):
        assert httpx.get(f"{tone.url}/gradio_api/file={path}", timeout=30).status_code in (403, 404)


def test_the_icon_is_our_own(tone: Server) -> None:
    icon = httpx.get(f"{tone.url}/favicon.ico", timeout=30)
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.text.startswith("<svg")
