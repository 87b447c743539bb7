"""What routes ask for: the service, the caller, the request's id, the right content type."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, NamedTuple, get_type_hints

from fastapi import Depends, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from ..auth import owner_of
from ..errors import Invalid
from ..service import SpeechService
from ..speech import Owner
from .heads import heads

JSON = "application/json"
FORM = "multipart/form-data or application/x-www-form-urlencoded"


async def _service(request: Request) -> SpeechService:
    service: SpeechService = request.app.state.service
    return service


async def _owner(request: Request) -> Owner:
    return owner_of(request)


def _id_of(request: Request) -> str:
    """The client's own X-Request-Id, good or bad (the service refuses bad ones), or the new one."""
    state = request.scope["state"]
    return str(state["given_request_id"] or state["request_id"])


async def _request_id(request: Request) -> str:
    return _id_of(request)


Service = Annotated[SpeechService, Depends(_service)]
Caller = Annotated[Owner, Depends(_owner)]
RequestId = Annotated[str, Depends(_request_id)]


def wants(content_type: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses a body of another type before its fields are looked at."""
    allowed = content_type.split(" or ")

    async def check(request: Request) -> None:
        given = heads(request.scope).get("content-type", "").partition(";")[0].strip().lower()
        if request.method != "GET" and given not in allowed and await request.body():
            raise Invalid("wrong_content_type", wanted=content_type)

    return check


class Ask(NamedTuple):
    """What a speech request comes with, besides its body."""

    service: SpeechService
    caller: Owner
    request_id: str
    idempotency_key: str = ""


_wants_json = wants(JSON)
Endpoint = Callable[[Any, Ask], Awaitable[Response]]


class DirectRoute(APIRoute):
    """For ``endpoint(body: Model, ask: Asked) -> Response`` alone: documented by FastAPI, served without it.

    FastAPI's general machinery (dependencies, two exit stacks, a second look at the content
    type) costs such a request more than all that we do with it. What it refuses, and how, stays.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI's "Custom Request and APIRoute class"."""
        endpoint: Endpoint = self.endpoint
        model: type[BaseModel] = next(
            kind for kind in get_type_hints(endpoint).values() if issubclass(kind, BaseModel)
        )

        async def handle(request: Request) -> Response:
            await _wants_json(request)
            body = _parsed(model, await request.body())
            key = heads(request.scope).get("idempotency-key", "")
            ask = Ask(request.app.state.service, owner_of(request), _id_of(request), key)
            return await endpoint(body, ask)

        return handle


def _parsed(model: type[BaseModel], raw: bytes) -> BaseModel:
    """Raises RequestValidationError, HTTPException: what FastAPI would."""
    if not raw:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required"}])
    try:
        data = json.loads(raw)
    except json.JSONDecodeError as error:
        problem: dict[str, Any] = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": error.msg,
            "input": {},
        }
        raise RequestValidationError([problem]) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in problems]) from error


async def _nothing() -> Ask:
    raise AssertionError("DirectRoute fills this in")


Asked = Annotated[Ask, Depends(_nothing)]
