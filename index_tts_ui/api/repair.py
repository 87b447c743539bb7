"""Repair: the segments of a kept output, each made again, compared and chosen, without redoing the rest."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import PlainTextResponse, StreamingResponse

from ..audio import FORMATS, SUBTITLES, Cue, resample, subtitles
from ..errors import Forbidden, NotFound
from ..outputs import Part, Recording
from ..service import Handle, SpeechService
from ..speech import Owner, SpeechRequest, Started
from .aliases import stand_in, voice_for
from .articles import submit
from .deps import JSON, Caller, RequestId, Service, wants
from .emotion import emotion_asked
from .fields import AudioFormat
from .outputs import Partial, finished, recording_of
from .repair_schemas import ChoiceBody, OutputSegment, OutputSegments, TakeBody, described, described_one
from .schemas import REFUSALS
from .sound import Coder, collected

router = APIRouter(prefix="/v1/audio/outputs/{output_id}", tags=["Outputs"], responses=REFUSALS)
SEEDS = 2**32
Index = Annotated[int, Path(ge=0, le=10**6, description="From 0.")]
Number = Annotated[int, Path(ge=1, le=2**31)]


async def _mine(output_id: str, service: SpeechService, caller: Owner) -> Recording:
    """Raises Forbidden, too, where somebody else made it."""
    recording = await recording_of(output_id, service)
    if not recording.owned_by(caller):
        raise Forbidden("output_not_yours", id=recording.id)
    return recording


@router.get("/segments")
async def list_segments(output_id: str, service: Service, caller: Caller) -> OutputSegments:
    """The segments of a finished output, or of one that failed half way, with their takes."""
    recording = await recording_of(output_id, service)
    return await service.in_pool(described, recording, recording.owned_by(caller))


@router.post("/segments/{index}/takes", status_code=201, dependencies=[Depends(wants(JSON))])
async def make_take(
    output_id: str,
    index: Index,
    body: TakeBody,
    request: Request,
    request_id: RequestId,
    service: Service,
    caller: Caller,
) -> OutputSegment:
    """Speak one segment again, with another seed, text, voice, ...; the answer comes once it is spoken.

    It waits in the queue as any request: `GET /v1/requests/{id}` with your `X-Request-Id` tells its place, closing
    the connection cancels it. The new take is the one with the highest number. It is levelled as the first was,
    and the silence around the segment stays; nothing else of the sound changes by a bit.
    """
    recording = await _mine(output_id, service, caller)
    await service.in_pool(recording.check_room, index)
    basis = await service.in_pool(recording.basis, index)
    asked = replace(_changed(service, basis, body), id=request_id, timeout=body.timeout, cache=False)
    handle = await submit(service, asked, caller)
    handle.level = recording.level(index)
    started, samples = await _spoken(service, handle, request, recording.rate)
    await service.in_pool(_keep, recording, index, asked, samples, started, body.choose)
    return await service.in_pool(described_one, recording, index)


def _changed(service: SpeechService, basis: SpeechRequest, body: TakeBody) -> SpeechRequest:
    """``basis`` with what the body says. Raises Invalid."""
    given = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in ("text", "language", "speed") if name in given
    }
    if "emotion" in given:
        changes["emotion"] = emotion_asked(service, body.emotion)
    if "voice" in given:
        text, language = (changes.get(name, getattr(basis, name)) for name in ("text", "language"))
        changes["voice"] = voice_for(service, body.voice, text, language)
        changes["stand_in"] = stand_in(service, body.voice, text, language)
    if body.params:
        changes["params"] = {**basis.params, **body.params}
    if "seed" in given:
        changes["seed"] = body.seed
    elif service.can("seed"):
        changes["seed"] = secrets.randbelow(SEEDS)
    return replace(basis, **changes)


async def _spoken(service: SpeechService, handle: Handle, request: Request, rate: int) -> tuple[Started, Any]:
    started, audio = await collected(handle, request.receive)
    if audio.rate != rate:  # another engine than the first time
        audio = await service.in_pool(resample, audio, rate)
    return started, audio.samples


def _keep(
    recording: Recording, index: int, asked: SpeechRequest, samples: Any, started: Started, choose: bool
) -> None:
    """Raises Conflict, EngineFailed."""
    take = recording.add_take(index, samples, asked, started.engine)
    if choose:
        recording.choose(index, take.number)


@router.put("/segments/{index}", dependencies=[Depends(wants(JSON))])
async def choose_take(
    output_id: str, index: Index, body: ChoiceBody, service: Service, caller: Caller
) -> OutputSegment:
    """Let another take of a segment count: the sound, its downloads and its subtitles follow."""
    recording = await _mine(output_id, service, caller)
    await service.in_pool(recording.choose, index, body.take)
    return await service.in_pool(described_one, recording, index)


@router.delete("/segments/{index}/takes/{take}")
async def delete_take(
    output_id: str, index: Index, take: Number, service: Service, caller: Caller
) -> OutputSegment:
    """Delete a take; the first one stays. Where it was the chosen one, the first counts again."""
    recording = await _mine(output_id, service, caller)
    await service.in_pool(recording.remove, index, take)
    return await service.in_pool(described_one, recording, index)


@router.get(
    "/segments/{index}/audio",
    response_class=Response,
    responses={
        200: {"content": {info.media_type: {} for info in FORMATS.values()}, "description": "The sound."}
    },
)
async def get_segment_audio(
    output_id: str,
    index: Index,
    service: Service,
    take: Annotated[int | None, Query(ge=1, le=2**31, description="Absent: the chosen one.")] = None,
    fmt: Annotated[AudioFormat, Query(alias="format")] = "wav",
) -> Response:
    """One segment's sound, with the pause behind it."""
    recording = await recording_of(output_id, service)
    part = await service.in_pool(_part, recording, index, take)
    coder = Coder(service, fmt, recording.rate, part.samples)
    return StreamingResponse(_encoded(service, part, coder), media_type=FORMATS[fmt].media_type)


def _part(recording: Recording, index: int, number: int | None) -> Part:
    segment = recording.segment(index)
    number = segment.chosen if number is None else number
    if number is None:
        raise NotFound("take_not_found", take=1, number=index)
    return recording.part(segment, recording.take(index, number))


async def _encoded(service: SpeechService, part: Part, coder: Coder) -> AsyncIterator[bytes]:
    async for data in coder.encode(await service.in_pool(part.read)):
        yield data
    yield await coder.finish()


@router.get(
    "/subtitles",
    response_class=Response,
    responses={
        200: {"content": {media: {} for media in SUBTITLES.values()}, "description": "One cue a segment."}
    },
)
async def get_subtitles(
    output_id: str,
    service: Service,
    fmt: Annotated[Literal["srt", "vtt"], Query(alias="format")] = "srt",
    partial: Partial = False,
) -> Response:
    """Subtitles that fit the sound."""
    recording = await finished(output_id, service, partial)
    text = await service.in_pool(_subtitles, recording, fmt)
    headers = {"content-disposition": f'attachment; filename="speech-{recording.id[:8]}.{fmt}"'}
    return PlainTextResponse(text, media_type=SUBTITLES[fmt], headers=headers)


def _subtitles(recording: Recording, fmt: str) -> str:
    rate = recording.rate
    return subtitles(
        fmt,
        (
            Cue(part.start / rate, (part.start + part.samples) / rate - part.pause, part.text)
            for part in recording.parts()
        ),
    )
