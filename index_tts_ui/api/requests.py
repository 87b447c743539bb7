"""One request under way: cancel it, or follow its sound (the page's player does)."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from ..audio import to_pcm16
from ..errors import TTSError
from ..outputs import Recording
from ..speech import Ended, Event, Queued, SegmentReady, Started
from .deps import Caller, Service
from .schemas import REFUSALS, CancelledRequest
from .sound import PING, SSE_HEADERS, blocks, sse, with_pings

router = APIRouter(tags=["Requests"], responses=REFUSALS)
AUDIO_SECONDS = 0.5  # at most, in one audio event


@router.delete("/v1/requests/{request_id}")
async def cancel_request(request_id: str, service: Service, caller: Caller) -> CancelledRequest:
    """Stop a request of yours by its id, also before its first byte. Its own answer is then 409 `cancelled`."""
    service.cancel(caller, request_id, "by DELETE /v1/requests")
    return CancelledRequest(id=request_id)


@router.get(
    "/v1/requests/{recording_id}/stream",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "queued, started, audio, segment, ended."}
    },
)
async def follow_request(recording_id: str, request: Request, service: Service) -> Response:
    """A kept request from its beginning, also while it is being made; pcm is base64 of 16 bit mono."""
    recording = service.outputs.get(recording_id)
    prefix = request.scope.get("root_path", "").rstrip("/")
    stream = _follow(recording, f"{prefix}/v1/audio/outputs/{recording.id}")
    return StreamingResponse(stream, media_type="text/event-stream", headers=SSE_HEADERS)


async def _follow(recording: Recording, output: str) -> AsyncGenerator[bytes, None]:
    async for data in with_pings(_events(recording, output)):
        yield PING if data is None else data


async def _events(recording: Recording, output: str) -> AsyncGenerator[bytes, None]:
    start = 0.0
    async for event in recording.events():
        if isinstance(event, SegmentReady):
            for data in _audio(event):
                yield data
            yield _segment(event, start)
            start += event.audio.seconds
        else:
            yield _news(event, output)


def _audio(event: SegmentReady) -> Iterator[bytes]:
    rate = event.audio.rate
    for block in blocks(event.audio.samples, int(rate * AUDIO_SECONDS)):
        pcm = base64.b64encode(to_pcm16(block)).decode()
        yield sse({"index": event.index, "rate": rate, "pcm": pcm}, "audio")


def _segment(event: SegmentReady, start: float) -> bytes:
    data = {"index": event.index, "start": round(start, 4), "seconds": round(event.audio.seconds, 4)}
    return sse(data, "segment")


def _news(event: Event, output: str) -> bytes:
    if isinstance(event, Queued):
        return sse({"position": event.position, "eta": event.eta}, "queued")
    if isinstance(event, Started):
        return sse(_beginning(event), "started")
    assert isinstance(event, Ended)
    error = event.error and _error(event.error)
    return sse({"usage": asdict(event.usage), "error": error, "output": output}, "ended")


def _beginning(event: Started) -> dict[str, Any]:
    names = ("engine", "segments", "voices", "pauses", "lead")
    return {**{name: getattr(event, name) for name in names}, **_notice(event)}


def _notice(event: Started) -> dict[str, str]:
    if event.notice is None:
        return {}
    return {"note": event.notice.message("en"), "note_zh": event.notice.message("zh")}


def _error(error: TTSError) -> dict[str, str]:
    return {"message": error.message("en"), "message_zh": error.message("zh"), "code": error.code}
