"""For operators: everybody's requests, the last errors, the logs, the model. The gate lets only admins come here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from ..logs.tail import FILES, Tail
from ..service import SpeechService, UnderWay
from .admin_schemas import AdminRequest, AdminRequests, LastError, LastErrors, LogLines, ModelState
from .deps import Service
from .schemas import REFUSALS, CancelledRequest
from .sound import PING, SSE_HEADERS, sse, with_pings

router = APIRouter(prefix="/v1/admin", tags=["Administration"], responses=REFUSALS)
LOOK_SECONDS = 0.5  # between looks at a log that is followed

File = Annotated[Literal["access", "error", "debug"], Query(description="Which log.")]
Lines = Annotated[int, Query(ge=1, le=2000, description="At most so many, the last ones.")]
Words = Annotated[str, Query(max_length=200, description="Only lines with this in them, whatever its case.")]


def _told(one: UnderWay) -> AdminRequest:
    job = one.job
    position, eta = job.place or (None, None)
    return AdminRequest(
        id=job.id,
        request=job.request_id,
        caller=job.owner.name or job.owner.key.removeprefix("addr:"),
        engine=one.engine,
        state="queued" if job.started is None else "running",
        position=position,
        eta=eta,
        age=one.age,
        characters=job.characters,
        segments=len(job.segments),
        spoken=job.delivered,
        background=job.background,
    )


@router.get("/requests")
async def all_requests(service: Service, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> AdminRequests:
    """Everybody's requests that are under way."""
    found = service.steward.requests()
    return AdminRequests(requests=[_told(one) for one in found[:limit]], total=len(found))


@router.delete("/requests/{job_id}")
async def cancel_any_request(job_id: str, service: Service) -> CancelledRequest:
    """Stop somebody's request, by the `id` that the list gives. Its own answer is then 409 `cancelled`."""
    service.steward.cancel(job_id)
    return CancelledRequest(id=job_id)


@router.get("/errors")
async def last_errors(service: Service) -> LastErrors:
    """What went wrong since the server started, and was not the caller's own doing: one entry for each kind."""
    found = service.records.troubles.latest()
    return LastErrors(errors=[LastError(**asdict(one)) for one in found])


@router.get("/logs")
async def log_lines(service: Service, file: File = "error", lines: Lines = 200, q: Words = "") -> LogLines:
    """The end of a log, with what was put aside of it."""
    tail = _tail(service, file, q)
    try:
        return LogLines(file=file, lines=await service.in_pool(tail.last, lines))
    finally:
        tail.close()


@router.get(
    "/logs/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "tail, then lines, without end."}},
)
async def follow_log(service: Service, file: File = "error", lines: Lines = 200, q: Words = "") -> Response:
    """The same as server-sent events, going on with each new line."""
    stream = _pinged(_news(service, _tail(service, file, q), lines))
    return StreamingResponse(stream, media_type="text/event-stream", headers=SSE_HEADERS)


def _tail(service: SpeechService, file: str, words: str) -> Tail:
    return Tail(service.config.logs / FILES[file], words)


async def _pinged(news: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async for data in with_pings(news):
        yield PING if data is None else data


async def _news(service: SpeechService, tail: Tail, lines: int) -> AsyncGenerator[bytes, None]:
    try:
        yield sse({"lines": await service.in_pool(tail.last, lines)}, "tail")
        while service.status().state != "draining":  # an answer without end would hold a stop up
            await asyncio.sleep(LOOK_SECONDS)
            if found := await service.in_pool(tail.news):
                yield sse({"lines": found}, "lines")
    finally:
        tail.close()


@router.post("/model/unload")
async def unload_model(service: Service) -> ModelState:
    """Let the model leave memory and device, until the next request. 409 `model_busy` while it is at work."""
    service.steward.unload()
    return _state(service)


@router.post("/model/reload")
async def reload_model(service: Service) -> ModelState:
    """Load it anew: each worker is replaced once it has spoken what it has. Nothing that waits is lost."""
    service.steward.reload()
    return _state(service)


def _state(service: SpeechService) -> ModelState:
    status = service.status()
    return ModelState(state=status.state, engine=status.engine)
