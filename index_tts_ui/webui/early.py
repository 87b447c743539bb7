"""Puts the page's style and first script at the top of its HTML.

Gradio's own ``head=`` runs after the language is chosen, its ``css=`` rewrites selectors.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STYLES = (
    "page.css",
    "controls.css",
    "script.css",
    "repair.css",
    "help.css",
    "history.css",
    "speak.css",
    "status.css",
    "dictionary.css",
    "voices.css",
)


@cache
def asset(*names: str) -> str:
    """The text of this package's data files, one after another."""
    return "\n".join((files(__package__) / name).read_text("utf-8") for name in names)


def early_head(data: Mapping[str, Any]) -> bytes:
    """The style sheets and first scripts as elements; ``data`` is what every script of the page may read."""
    literal = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    script = asset("early.js", "feelings.js", "library.js").replace("TTS_DATA", literal, 1)
    return f"<style>{asset(*STYLES)}</style><script>{script}</script>".encode()


class EarlyHead:
    """ASGI wrapper: adds what ``head`` gives to the HTML of the page's own address, passes all else on."""

    def __init__(self, app: ASGIApp, head: Callable[[], bytes]) -> None:
        self._app = app
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing of another path, or of a stream, is held back."""
        if scope["type"] != "http" or scope["method"] != "GET" or _path(scope) not in ("", "/"):
            await self._app(scope, receive, send)
            return
        await self._app(_uncompressed(scope), receive, _Insert(send, self._head(), _takes_gzip(scope)))


def _path(scope: Scope) -> str:
    """The path below the prefix, whether or not the server left the prefix in it."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "").rstrip("/")
    return path.removeprefix(prefix) if path == prefix or path.startswith(prefix + "/") else path


def _uncompressed(scope: Scope) -> Scope:
    return {**scope, "headers": [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]}


def _takes_gzip(scope: Scope) -> bool:
    return any(k == b"accept-encoding" and b"gzip" in v for k, v in scope["headers"])


class _Insert:
    """A ``send`` that collects one HTML response and sends it with ours behind ``<head>``."""

    def __init__(self, send: Send, head: bytes, compress: bool) -> None:
        self._send = send
        self._head = head
        self._compress = compress
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = bytes(self._body).replace(b"<head>", b"<head>" + self._head, 1)
        headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        if self._compress:
            body = gzip.compress(body, compresslevel=5)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        await self._send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


def _is_html(start: Message) -> bool:
    kind = dict(start["headers"]).get(b"content-type", b"")
    return kind.startswith(b"text/html")
