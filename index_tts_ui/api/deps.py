"""What routes ask for: the service, the caller, the request's id, the right content type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from ..auth import owner_of
from ..errors import Invalid
from ..service import SpeechService
from ..speech import Owner

JSON = "application/json"
FORM = "multipart/form-data or application/x-www-form-urlencoded"


async def _service(request: Request) -> SpeechService:
    service: SpeechService = request.app.state.service
    return service


async def _owner(request: Request) -> Owner:
    return owner_of(request)


async def _request_id(request: Request) -> str:
    """The client's own X-Request-Id, good or bad (the service refuses bad ones), or the new one."""
    state = request.state
    return str(state.given_request_id or state.request_id)


Service = Annotated[SpeechService, Depends(_service)]
Caller = Annotated[Owner, Depends(_owner)]
RequestId = Annotated[str, Depends(_request_id)]


def wants(content_type: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses a body of another type before its fields are looked at."""
    allowed = content_type.split(" or ")

    async def check(request: Request) -> None:
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method != "GET" and given not in allowed and await request.body():
            raise Invalid("wrong_content_type", wanted=content_type)

    return check


class Ask(NamedTuple):
    """What the speech route asks for, in one dependency: each one costs its request a tenth of a millisecond."""

    service: SpeechService
    caller: Owner
    request_id: str


async def _ask(request: Request) -> Ask:
    await _wants_json(request)
    return Ask(await _service(request), await _owner(request), await _request_id(request))


_wants_json = wants(JSON)
Asked = Annotated[Ask, Depends(_ask)]
