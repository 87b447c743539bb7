"""Where a request of yours stands: asked once, or followed. Its sound goes to whoever made it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from ..service import Job
from ..speech import Ended, Event
from .deps import Caller, Service
from .schemas import REFUSALS
from .sound import PING, SSE_HEADERS, sse, with_pings

router = APIRouter(tags=["Requests"], responses=REFUSALS)
LOOK_SECONDS = 0.5  # within which a new request's place is known


class Progress(BaseModel):
    """GET /v1/requests/{id}."""

    id: str
    state: Literal["queued", "running"]
    position: int | None = Field(description="Requests that start before it; null once it started.")
    eta: float | None = Field(
        description="Seconds until it starts, as the queue is now; null where that is unknown, and once it started."
    )
    segments: int
    spoken: int = Field(description="Segments that are spoken.")
    characters: int
    audio_seconds: float = Field(description="Of sound, so far.")
    age: float = Field(description="Seconds since it came.")
    background: bool


def _progress(job: Job) -> Progress:
    position, eta = job.place or (None, None)
    return Progress(
        id=job.request_id,
        state="queued" if job.started is None else "running",
        position=position,
        eta=eta,
        segments=len(job.segments),
        spoken=job.delivered,
        characters=job.characters,
        audio_seconds=round(job.audio_seconds, 3),
        age=round(time.monotonic() - job.created, 3),
        background=job.background,
    )


async def _placed(job: Job) -> None:
    """Wait until its place in the queue was told, for the first time; shortly."""
    if job.place is not None or job.started is not None or job.ended:
        return
    told = asyncio.Event()
    with _heard(job, lambda event: told.set()), contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), LOOK_SECONDS)


@contextlib.contextmanager
def _heard(job: Job, hear: Callable[[Event], None]) -> Iterator[None]:
    job.observers.append(hear)
    try:
        yield
    finally:
        job.observers.remove(hear)


class OwnRequests(BaseModel):
    """GET /v1/requests, the oldest first."""

    requests: list[Progress]


@router.get("/v1/requests")
async def own_requests(
    service: Service, caller: Caller, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> OwnRequests:
    """Your requests that are under way."""
    found = service.steward.requests(caller.key)[:limit]
    return OwnRequests(requests=[_progress(one.job) for one in found])


@router.get("/v1/requests/{request_id}")
async def request_progress(request_id: str, service: Service, caller: Caller) -> Progress:
    """A request of yours that is under way, by its X-Request-Id: its place in the queue, or how far it is."""
    job = service.find(caller, request_id)
    await _placed(job)
    return _progress(job)


@router.get(
    "/v1/requests/{request_id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "progress at each change, ended."}},
)
async def follow_progress(request_id: str, service: Service, caller: Caller) -> Response:
    """The same at each change, as server-sent events, to its end. To follow it changes nothing for the request."""
    job = service.find(caller, request_id)
    return StreamingResponse(_stream(job), media_type="text/event-stream", headers=SSE_HEADERS)


async def _stream(job: Job) -> AsyncGenerator[bytes, None]:
    async for data in with_pings(_changes(job)):
        yield PING if data is None else data


async def _changes(job: Job) -> AsyncGenerator[bytes, None]:
    bell = asyncio.Event()
    ends: list[Ended] = []

    def hear(event: Event) -> None:
        if isinstance(event, Ended):
            ends.append(event)
        bell.set()

    with _heard(job, hear):
        await _placed(job)
        while not ends and not job.ended:
            bell.clear()
            yield sse(_progress(job).model_dump(), "progress")
            await bell.wait()
        yield sse(_end(job, ends[0] if ends else None), "ended")


def _end(job: Job, ended: Ended | None) -> dict[str, Any]:
    error = ended.error if ended else None
    told = error and {"message": error.message("en"), "message_zh": error.message("zh"), "code": error.code}
    return {"id": job.request_id, "spoken": job.delivered, "segments": len(job.segments), "error": told}
