"""What surrounds every route, as pure ASGI (a BaseHTTPMiddleware would break streaming)."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..auth.guard import Guard
from ..auth.keys import KeyStore
from ..config import Config
from ..errors import TooLarge
from ..service import SpeechService
from .errors import error_response, unhandled
from .gate import Gate, Rules
from .heads import heads
from .shortcut import Shortcut

BODY_SECONDS = 30.0
BODY_PACE = 8192  # bytes a second
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
EXPOSED = (
    "x-request-id",
    "retry-after",
    "x-tts-engine",
    "x-tts-ignored",
    "x-tts-note",
    "x-tts-output",
    "x-tts-source",
    "content-disposition",
)


class RequestIdMiddleware:
    """Puts ``x-request-id`` on every response: the client's own, or a new one.

    A client's id that is none is answered under a new one; routes that would use it refuse it. A bug that nobody
    has answered for is answered for here. ``api`` is what ``request.app`` is within.
    """

    def __init__(self, app: ASGIApp, api: FastAPI) -> None:
        self.app = app
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = heads(scope).get("x-request-id")
        request_id = given if given and REQUEST_ID.fullmatch(given) else f"req-{secrets.token_hex(12)}"
        scope["app"] = self.api
        scope["state"].update(request_id=request_id, given_request_id=given)
        header = (b"x-request-id", request_id.encode("ascii"))

        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                others = (pair for pair in message.get("headers", ()) if pair[0] != b"x-request-id")
                message = {**message, "headers": [*others, header]}
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            if not started:
                answer = await unhandled(Request(scope), error)
                await answer(scope, receive, send_with_id)
            raise  # the server logs it


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
        if int(heads(scope).get("content-length", "0")) > self.limit:
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


def around(
    whole: ASGIApp, app: FastAPI, service: SpeechService, config: Config, routers: Sequence[APIRouter]
) -> ASGIApp:
    """``whole``, which is ``app`` and the page, behind all this; the short way leads past FastAPI's own layers.

    Without origins no page of another site may read anything.
    """
    app.state.max_body = config.max_body
    prefix, origins = config.root_path, config.listed("cors_origins")
    guard = Guard(config, KeyStore(config.keys))  # here and not in Gate: a wrong setting must end the start
    stack: ASGIApp = whole if prefix else Shortcut(whole, routers)
    stack = Gate(stack, Rules(config, guard), service.quota, prefix)
    guard.warn()
    stack = BodyLimitMiddleware(stack, config.max_body)
    if origins:
        stack = CORSMiddleware(
            stack,
            allow_origins=list(origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=list(EXPOSED),
        )
    return RequestIdMiddleware(stack, app)
