"""Three files: tts_access.log (a line per request), tts_error.log (warnings and up), tts_debug.log (all).

Who logs only puts a line into a queue; threads write it, so that neither a slow disk nor a reader of
standard error that has stopped holds the event loop up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any

from ..config import Config
from . import context
from .console import Console
from .context import attach
from .files import Limits, LogFile
from .lines import FORMATS, Render, of_record
from .writer import Handler, Target, Writer

__all__ = ["AccessLog", "access", "attach", "setup", "setup_worker"]

LOG_AFTER = 0.002  # seconds
PAGE_EVENTS = "/gradio_api/"  # streams that outlive many requests to speak, which have lines of their own
QUIET = ("httpx", "httpcore", "asyncio", "multipart", "PIL", "markdown_it", "jieba")


def setup(config: Config) -> None:
    """Send logging to ``config.logs`` and to standard error."""
    logging.raiseExceptions = False
    level = logging.getLevelName(config.log_level.upper())
    render = FORMATS[config.log_format]
    screen, disk = Writer(render, "log-screen"), Writer(render, "log-files")
    console = Handler(screen, Target(Console()), level=max(logging.INFO, level))
    limits = Limits(config.log_max_mb << 20, config.log_keep, config.log_days)

    def file(name: str) -> LogFile:
        return LogFile(config.logs / name, limits, render, partial(_complain, console))

    files = Handler(disk, Target(file("tts_debug.log")), Target(file("tts_error.log"), logging.WARNING))
    _install(logging.getLogger(), console, files)
    logging.getLogger().setLevel(level)
    access = logging.getLogger("tts.access")
    _install(access, Handler(disk, Target(file("tts_access.log"))))
    access.setLevel(logging.INFO)
    access.propagate = False
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    screen.start()
    disk.start()


def _install(logger: logging.Logger, *handlers: logging.Handler) -> None:
    logger.handlers = list(handlers)


def _complain(console: Handler, text: str) -> None:
    """On standard error alone: the files are what is complained of."""
    console.handle(logging.LogRecord("tts.logs", logging.WARNING, __file__, 0, text, (), None))


def setup_worker(level: str, log_format: str) -> None:
    """A worker's lines go to standard error, which is the server's; in its format, with the request's id."""
    logging.raiseExceptions = False
    _install(logging.getLogger(), AtOnce(FORMATS[log_format]))
    logging.getLogger().setLevel(logging.getLevelName(level.upper()))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def access(request_id: str, cost: dict[str, Any], seconds: float) -> None:
    """A line for speech that no HTTP request of its own asked for: the page's, a job's."""
    line = {"address": "", "method": "SPEAK", "path": "", "status": 0, "bytes": 0, "id": request_id}
    logging.getLogger("tts.access").info({**line, "seconds": round(seconds, 4), **cost})


class AtOnce(logging.Handler):
    """To standard error before the call returns: a worker may end in the very next moment."""

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render
        self._console = Console()

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging``."""
        text = self._render(of_record(record))
        self._console.write([text.encode("utf-8", "backslashreplace")])


class AccessLog:
    """Pure ASGI: one line per HTTP request when its last byte left."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._log = logging.getLogger("tts.access")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        state = scope.setdefault("state", {})
        if PAGE_EVENTS not in scope["path"]:
            context.enter(state)
        client = scope.get("client")
        line: dict[str, Any] = {
            "address": client[0] if client else "",
            "method": scope["method"],
            "path": scope["path"],
            "status": 0,
            "bytes": 0,
            "id": "",
        }

        async def observe(message: Any) -> None:
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                for key, value in message["headers"]:
                    if key.lower() == b"x-request-id":
                        line["id"] = value.decode("latin-1")
            elif message["type"] == "http.response.body":
                line["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            line["seconds"] = round(time.monotonic() - began, 4)
            state[context.OVER] = True
            line |= _caller(state) if context.ACCOUNT not in state else state[context.ACCOUNT]()
            # a moment later: who asks again at once need not wait for it
            asyncio.get_running_loop().call_later(LOG_AFTER, self._log.info, line)


def _caller(state: dict[str, Any]) -> dict[str, Any]:
    """Who asked, where the door found out."""
    owner = state.get("owner")
    return {} if owner is None else {"caller": owner.name or owner.key}
