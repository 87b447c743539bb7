"""The wrapper that puts the page's first script into its HTML."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from index_tts_ui.webui.early import EarlyHead, early_head

from ..api.server import Server

PAGE = "<!doctype html><html><head><title>语音</title></head><body></body></html>"
HEAD = b"<script>first()</script>"


async def _page(request: Request) -> Response:
    if "login" in request.query_params:
        return RedirectResponse("/login")
    return HTMLResponse(PAGE, headers={"x-asked": request.headers.get("accept-encoding", "none")})


async def _stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"<head>"
        yield b"untouched"

    return StreamingResponse(parts(), media_type="text/html")


def _client(root_path: str = "") -> TestClient:
    inner = Starlette(routes=[Route("/", _page), Route("/other", _stream)])
    return TestClient(EarlyHead(inner, lambda: HEAD), root_path=root_path)


@pytest.mark.parametrize(("root_path", "path"), [("", "/"), ("/tts", "/"), ("/tts", "/tts/")])
def test_the_head_comes_first_with_and_without_a_prefix(root_path: str, path: str) -> None:
    answer = _client(root_path).get(path)
    assert answer.text == PAGE.replace("<head>", "<head><script>first()</script>")


def test_the_length_is_right_with_and_without_compression() -> None:
    client = _client()
    for encoding in ("identity", "gzip, br"):
        with client.stream("GET", "/", headers={"accept-encoding": encoding}) as answer:
            raw = b"".join(answer.iter_raw())
        assert int(answer.headers["content-length"]) == len(raw)
        assert HEAD in (gzip.decompress(raw) if encoding != "identity" else raw)


def test_other_paths_and_redirects_pass_untouched() -> None:
    client = _client()
    assert client.get("/other").content == b"<head>untouched"
    assert client.get("/?login", follow_redirects=False).headers["location"] == "/login"


def test_data_cannot_end_the_script() -> None:
    assert b"</script><b>" not in early_head({"strings": {}, "name": "</script><b>"})


def test_the_real_page_has_it_before_any_other_script(tone: Server) -> None:
    html = httpx.get(tone.url, timeout=30).text
    assert html.index("window.tts = tts") < html.index("src=")
    assert html.count("window.tts = tts") == 1
