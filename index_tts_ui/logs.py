"""Three files: tts_access.log (a line per request), tts_error.log (warnings and up), tts_debug.log (all)."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import sys
import time
from pathlib import Path
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
MAX_BYTES = 10 << 20
BACKUPS = 5
WRITE_AFTER = 0.002  # seconds
QUIET = ("httpx", "httpcore", "asyncio", "multipart", "PIL", "markdown_it", "jieba")


def setup(folder: Path, level: str) -> None:
    """Send logging to ``folder`` and to stderr. A log that cannot be written never stops the service."""
    logging.raiseExceptions = False  # a full disk must not become a storm of tracebacks
    root = logging.getLogger()
    root.setLevel(level.upper())
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(max(logging.INFO, logging.getLevelName(level.upper())))
    root.handlers = [
        console,
        _file(folder / "tts_debug.log"),
        _file(folder / "tts_error.log", logging.WARNING),
    ]
    for handler in root.handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
    access = logging.getLogger("tts.access")
    access.handlers = [_file(folder / "tts_access.log")]
    access.propagate = False
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Rotating(logging.handlers.RotatingFileHandler):
    """Asks the file how long it is, instead of formatting each record twice and looking at the folder."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file has reached its size; it may pass it by one record."""
        return self.stream is not None and self.stream.tell() >= self.maxBytes


def _file(path: Path, level: int = logging.DEBUG) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _Rotating(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.setLevel(level)
    return handler


class AccessLog:
    """Pure ASGI: one JSON line per HTTP request when its last byte left."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._log = logging.getLogger("tts.access")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        line: dict[str, Any] = {"status": 0, "bytes": 0}

        async def observe(message: Any) -> None:
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                names = {key.lower(): value for key, value in message["headers"]}
                line["id"] = names.get(b"x-request-id", b"").decode("latin-1")
            elif message["type"] == "http.response.body":
                line["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            line["seconds"] = round(time.monotonic() - began, 4)
            # a moment later: who asks again at once need not wait for the last line to be written
            asyncio.get_running_loop().call_later(WRITE_AFTER, self._write, scope, line)

    def _write(self, scope: Any, line: dict[str, Any]) -> None:
        client = scope.get("client")
        about = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "address": client[0] if client else "",
            "method": scope["method"],
            "path": scope["path"],
        }
        self._log.info("%s", json.dumps({**about, **line}, ensure_ascii=False))
