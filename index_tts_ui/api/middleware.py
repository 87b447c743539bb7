"""What surrounds every route, as pure ASGI (a BaseHTTPMiddleware would break streaming)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import TooLarge
from .errors import error_response

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
EXPOSED = ("x-request-id", "retry-after", "x-tts-engine", "x-tts-ignored", "content-disposition")


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
    """413 for bodies over ``limit`` bytes: by Content-Length before reading, else while reading."""

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
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                # of this class, because FastAPI turns others into "could not parse the body"
                raise HTTPException(413, headers={"connection": "close"})
            return message

        await self.app(scope, limited, send)


def install(app: FastAPI, max_body: int, origins: Sequence[str]) -> None:
    """Outermost is what is added last. Without origins no page of another site may read anything."""
    app.state.max_body = max_body
    app.add_middleware(BodyLimitMiddleware, limit=max_body)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=list(EXPOSED),
        )
    app.add_middleware(RequestIdMiddleware)
