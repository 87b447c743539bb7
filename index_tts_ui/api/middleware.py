"""What surrounds every route, as pure ASGI (a BaseHTTPMiddleware would break streaming)."""

from __future__ import annotations

import asyncio
import re
import secrets
import time

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..auth.guard import Guard
from ..auth.keys import KeyStore
from ..config import Config
from ..errors import TooLarge
from ..service import SpeechService
from .errors import error_response
from .gate import Gate, Rules

BODY_SECONDS = 30.0
BODY_PACE = 8192  # bytes a second
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
EXPOSED = (
    "x-request-id",
    "retry-after",
    "x-tts-engine",
    "x-tts-ignored",
    "x-tts-note",
    "x-tts-source",
    "content-disposition",
)


class RequestIdMiddleware:
    """Puts ``x-request-id`` on every response: the client's own, or a new one.

    A client's id that is none is answered under a new one; routes that would use it refuse it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id")
        request_id = given if given and REQUEST_ID.fullmatch(given) else f"req-{secrets.token_hex(12)}"
        scope.setdefault("state", {}).update(request_id=request_id, given_request_id=given)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        await self.app(scope, receive, send_with_id)


class BodyLimitMiddleware:
    """413 for bodies over ``limit`` bytes: by Content-Length before reading, else while reading.

    408 for one that comes in drops: BODY_SECONDS, and more for what came at BODY_PACE.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if int(Headers(scope=scope).get("content-length", "0")) > self.limit:
            error = TooLarge("body_too_large", limit=self.limit)
            await error_response(Request(scope), error, {"connection": "close"})(scope, receive, send)
            return
        taken, whole, began = 0, False, time.monotonic()

        async def limited() -> Message:
            nonlocal taken, whole
            if whole:  # what comes now is a disconnect, whenever
                return await receive()
            patience = began + BODY_SECONDS + taken / BODY_PACE - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, patience)):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, headers={"connection": "close"}) from error
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > self.limit:
                # of this class, because FastAPI turns others into "could not parse the body"
                raise HTTPException(413, headers={"connection": "close"})
            return message

        await self.app(scope, limited, send)


def install(app: FastAPI, service: SpeechService, config: Config) -> None:
    """Outermost is what is added last. Without origins no page of another site may read anything."""
    app.state.max_body = config.max_body
    origins = config.listed("cors_origins")
    guard = Guard(config, KeyStore(config.keys))  # here and not in Gate: a wrong setting must end the start
    app.add_middleware(Gate, rules=Rules(config, guard), quota=service.quota, prefix=config.root_path)
    guard.warn()
    app.add_middleware(BodyLimitMiddleware, limit=config.max_body)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=list(EXPOSED),
        )
    app.add_middleware(RequestIdMiddleware)
