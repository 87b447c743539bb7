"""The short way to a direct route answers as the long way does, and a bug anywhere speaks the envelope."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel

from index_tts_ui.api import errors
from index_tts_ui.api.deps import Asked, DirectRoute
from index_tts_ui.api.heads import heads
from index_tts_ui.api.middleware import RequestIdMiddleware
from index_tts_ui.api.shortcut import Shortcut
from index_tts_ui.errors import NotFound


class Word(BaseModel):
    """What is asked."""

    say: str


class Broken(Response):
    """It fails after its head was sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise NotFound("request_not_found", id="x")


router = APIRouter(route_class=DirectRoute)


@router.post("/say", response_class=Response)
async def say(body: Word, ask: Asked) -> Response:
    """Does what it is told."""
    if body.say == "refuse":
        raise NotFound("request_not_found", id="x")
    if body.say == "bug":
        raise ZeroDivisionError
    return Broken() if body.say == "break" else Response(f"{body.say} {ask.request_id}")


def served(short: bool) -> Any:
    """An application with that route, with or without the short way to it."""
    app = FastAPI()
    app.state.service, app.state.max_body = None, 1000
    errors.install(app)
    app.include_router(router)
    return RequestIdMiddleware(Shortcut(app, [router]) if short else app, app)


def asked(short: bool, method: str, **content: Any) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of one request."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(served(short), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, "/say", headers={"x-request-id": "mine"}, **content)

    answer = asyncio.run(go())
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize(("method", "content", "status"), [
    ("POST", {"json": {"say": "hello"}}, 200),
    ("POST", {"json": {"say": "refuse"}}, 404),
    ("POST", {"json": {"say": "bug"}}, 500),
    ("POST", {"json": {}}, 400),
    ("POST", {"content": b"{", "headers": None}, 400),
    ("POST", {}, 400),
    ("GET", {}, 405),
])  # fmt: skip
def test_both_ways_answer_the_same(method: str, content: dict[str, Any], status: int) -> None:
    content.pop("headers", None)
    short, long = (asked(short, method, **content) for short in (True, False))
    assert short == long
    assert short[0] == status and short[2]["x-request-id"] == "mine"


def test_what_fails_after_the_first_byte_is_not_answered_twice() -> None:
    async def go() -> list[str]:
        sent: list[str] = []
        body = b'{"say": "break"}'

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        scope = {"type": "http", "method": "POST", "path": "/say", "query_string": b"", "headers": [
            (b"content-type", b"application/json")]}  # fmt: skip
        with pytest.raises(NotFound):
            await served(short=True)(scope, receive, send)
        return sent

    assert asyncio.run(go()) == ["http.response.start"]


def test_of_two_headers_of_one_name_the_first_counts() -> None:
    scope: Any = {"headers": [(b"host", b"one"), (b"accept", b"\xe9"), (b"host", b"two")]}
    assert heads(scope) == {"host": "one", "accept": "\xe9"}
    assert heads(scope) is heads(scope)
