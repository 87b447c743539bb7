"""Jobs: long texts and many lines, made in the background, kept until they are fetched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.responses import PlainTextResponse, StreamingResponse

from .. import emotions
from ..audio import FORMATS
from ..errors import Invalid
from ..jobs import SUBTITLES, Job, JobDesk, Segment, over, subtitles
from ..jobs.record import Line
from .deps import JSON, Caller, Service, wants
from .fields import AudioFormat
from .job_files import audio_file, zip_file
from .job_input import BODY, job_asked, take_asked
from .job_lines import lines_asked
from .job_schemas import (
    JobDeleted,
    JobEntry,
    JobPage,
    LineEntry,
    LinePage,
    Notice,
    ReadPage,
    RetryBody,
    SegmentEntry,
    TakeEntry,
)
from .schemas import REFUSALS
from .sound import PING, SSE_HEADERS, sse, with_pings

router = APIRouter(prefix="/v1/audio/jobs", tags=["Jobs"], responses=REFUSALS)
EVENT_SEGMENTS = 200  # at most, in one event
_KEY = (
    "The same key, from the same caller, leads to the job that it made: a lost answer can be asked for again."
)


async def _desk(request: Request) -> JobDesk:
    desk: JobDesk = request.app.state.jobs
    return desk


Desk = Annotated[JobDesk, Depends(_desk)]
Partial = Annotated[bool, Query(description="What there is, of a job that has not ended.")]
_SOUND: dict[str, Any] = {info.media_type: {} for info in FORMATS.values()}


def _notice(error: Any) -> Notice | None:
    return None if error is None else Notice(**error)


def _entry(desk: JobDesk, job: Job) -> JobEntry:
    return JobEntry(
        id=job.id,
        title=job.title,
        state=job.state,
        progress=1.0 if job.state in ("done", "failed") else _progress(job),
        eta=desk.eta(job),
        lines=job.lines,
        segments=job.segments,
        segments_done=job.done,
        segments_failed=job.failed,
        characters=job.characters,
        audio_seconds=job.audio_seconds,
        engine_seconds=job.engine_seconds,
        created=job.created,
        updated=job.updated,
        finished=job.finished,
        revision=job.revision,
        callback=job.callback_state,  # type: ignore[arg-type]
        error=_notice(job.error),
    )


def _progress(job: Job) -> float:
    return round(min(0.999, job.spoken_characters / max(1, job.characters)), 4)


def _segment(segment: Segment) -> SegmentEntry:
    return SegmentEntry(
        line=segment.line,
        segment=segment.index,
        text=segment.text,
        state=segment.state,
        seconds=round(segment.samples / segment.rate, 3) if segment.rate else 0.0,
        engine=segment.engine,
        error=_notice(segment.error),
    )


def _line(line: Line, segments: list[Segment]) -> LineEntry:
    return LineEntry(
        line=line.index,
        name=line.name,
        speaker=line.speaker,
        text=line.text,
        start=line.start,
        end=line.end,
        fit=line.fit,
        over=over(line, segments),
        segments=[_segment(segment) for segment in segments],
        **_take(line.take),
    )


def _take(take: Mapping[str, Any]) -> dict[str, Any]:
    """What a TakeEntry has of it."""
    found = {name: take.get(name) for name in TakeEntry.model_fields}
    if found["emotion"] is not None:
        plain = {name: value for name, value in found["emotion"].items() if value is not None}
        preset = emotions.name_of(plain.get("vector", ())) if plain.get("weight") == 1 else ""
        found["emotion"] = preset or plain
    return found


# ---- making and finding


@router.post(
    "",
    status_code=201,
    openapi_extra=BODY,
    responses={200: {"model": JobEntry, "description": "The job that this Idempotency-Key made before."}},
)
async def create_job(
    request: Request,
    response: Response,
    service: Service,
    desk: Desk,
    caller: Caller,
    idempotency_key: Annotated[str, Header(description=_KEY, max_length=255)] = "",
) -> JobEntry:
    """Speak a long text, or many lines, in the background. Interactive requests go first.

    Send JSON, or a form with a `file`. An `Idempotency-Key` that was used before answers 200 with the job
    that it made. A job outlives restarts and crashes: finished segments are never made again.
    """
    asked = await job_asked(request, service)
    job, new = await desk.create(replace(asked, idempotency_key=idempotency_key.strip()), caller)
    response.status_code = 201 if new else 200
    response.headers["location"] = f"{request.scope.get('root_path', '').rstrip('/')}/v1/audio/jobs/{job.id}"
    return _entry(desk, job)


@router.post(
    "/lines",
    response_class=Response,
    openapi_extra=BODY,
    responses={200: {"model": ReadPage, "description": "The lines; each with what is wrong with it."}},
)
async def read_lines(request: Request, service: Service, desk: Desk, caller: Caller) -> Response:
    """The lines that a job of this body would have, without making it: who says what, and how.

    A line that could not be spoken is there too, with its `problems`.
    """
    page = await lines_asked(request, service, lambda new: desk.wrong(new, caller))
    return Response(page, media_type=JSON)


@router.get("")
async def list_jobs(
    desk: Desk,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str, Query(max_length=64, description="Those older than this job.")] = "",
) -> JobPage:
    """Your jobs, the newest first."""
    jobs = await desk.page(caller, limit + 1, after)
    return JobPage(data=[_entry(desk, job) for job in jobs[:limit]], has_more=len(jobs) > limit)


@router.get("/{job_id}")
async def get_job(job_id: str, desk: Desk, caller: Caller) -> JobEntry:
    """One job of yours."""
    return _entry(desk, await desk.get(caller, job_id))


@router.get("/{job_id}/lines")
async def list_lines(
    job_id: str,
    desk: Desk,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    first: Annotated[int, Query(ge=1, le=2**31, description="The number of the first line.")] = 1,
) -> LinePage:
    """Its lines, and the segments that they were cut into so far."""
    job = await desk.get(caller, job_id)
    lines, segments = await desk.lines(job, first, limit + 1)
    own: dict[int, list[Segment]] = {line.index: [] for line in lines}
    for segment in segments:
        own[segment.line].append(segment)
    return LinePage(
        data=[_line(line, own[line.index]) for line in lines[:limit]],
        has_more=len(lines) > limit,
        fit=job.fit,
        settings=TakeEntry(**_take(job.take)),
        cast={name: TakeEntry(**_take(take)) for name, take in job.cast.items()},
    )


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "job, segments, ended."}},
)
async def follow_job(
    job_id: str,
    desk: Desk,
    caller: Caller,
    last_event_id: Annotated[str, Header(description="Of an earlier stream: go on behind it.")] = "",
) -> Response:
    """Its progress as server-sent events: `job` whenever it changed, `segments` with those that did, and
    `ended` once nothing more will come."""
    job = await desk.get(caller, job_id)
    since = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else 0
    return StreamingResponse(
        _followed(desk, job, min(since, job.revision - 1)),
        media_type="text/event-stream",
        headers=SSE_HEADERS,
    )


async def _followed(desk: JobDesk, job: Job, since: int) -> AsyncGenerator[bytes, None]:
    async for data in with_pings(_events(desk, job, since)):
        yield PING if data is None else data


async def _events(desk: JobDesk, job: Job, since: int) -> AsyncGenerator[bytes, None]:
    async for found, segments in desk.follow(job, since):
        for start in range(0, len(segments), EVENT_SEGMENTS):
            batch = [_segment(segment).model_dump() for segment in segments[start : start + EVENT_SEGMENTS]]
            yield sse({"segments": batch}, "segments")
        data = sse(_entry(desk, found).model_dump(), "ended" if found.ended else "job")
        yield f"id: {found.revision}\n".encode() + data


# ---- changing


@router.post("/{job_id}/pause")
async def pause_job(job_id: str, desk: Desk, caller: Caller) -> JobEntry:
    """Begin nothing more of it until it is resumed; what is being spoken is finished."""
    return _entry(desk, await desk.pause(caller, job_id))


@router.post("/{job_id}/resume")
async def resume_job(job_id: str, desk: Desk, caller: Caller) -> JobEntry:
    """Go on."""
    return _entry(desk, await desk.resume(caller, job_id))


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: str, desk: Desk, caller: Caller) -> JobEntry:
    """Give it up, at once. What was spoken stays (`partial=true`) until it is deleted."""
    return _entry(desk, await desk.cancel(caller, job_id))


@router.post("/{job_id}/retry", dependencies=[Depends(wants(JSON))])
async def retry_job(
    job_id: str, service: Service, desk: Desk, caller: Caller, body: RetryBody | None = None
) -> JobEntry:
    """Speak a segment, a line, or (with neither) all that failed, again; a line also with another text, voice,
    emotion, speed or language."""
    asked = body or RetryBody.model_validate({})
    text = asked.text.strip()
    take = take_asked(service, asked, text)
    if asked.line is None and (asked.segment is not None or text or take):
        raise Invalid("missing_value", param="line")
    if take and asked.segment is not None:
        raise Invalid("bad_value", param="segment", reason="speaks as its line: leave it out")
    job = await desk.retry(caller, job_id, asked.line, asked.segment, text, asked.seed, take)
    return _entry(desk, job)


@router.delete("/{job_id}")
async def delete_job(job_id: str, desk: Desk, caller: Caller) -> JobDeleted:
    """Stop it if it runs, and delete it with its sound."""
    await desk.delete(caller, job_id)
    return JobDeleted(id=job_id)


# ---- fetching


@router.get(
    "/{job_id}/audio",
    response_class=Response,
    responses={200: {"content": _SOUND, "description": "All of it, in order, as one file."}},
)
async def get_job_audio(
    job_id: str,
    service: Service,
    desk: Desk,
    caller: Caller,
    fmt: Annotated[AudioFormat, Query(alias="format")] = "mp3",
    line: Annotated[int | None, Query(ge=1, le=2**31, description="That line alone.")] = None,
    partial: Partial = False,
) -> Response:
    """The sound. Lines of an srt begin at their times, or when the one before has ended."""
    job = await desk.get(caller, job_id)
    return audio_file(service, desk, job, await desk.sound(job, partial, line), fmt)


@router.get(
    "/{job_id}/zip",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A file for each line."}},
)
async def get_job_zip(
    job_id: str,
    service: Service,
    desk: Desk,
    caller: Caller,
    fmt: Annotated[AudioFormat, Query(alias="format")] = "mp3",
    partial: Partial = False,
) -> Response:
    """A file for each line, and the subtitles of the whole."""
    job = await desk.get(caller, job_id)
    return await zip_file(service, desk, job, await desk.sound(job, partial), fmt)


@router.get(
    "/{job_id}/subtitles",
    response_class=Response,
    responses={
        200: {"content": {media: {} for media in SUBTITLES.values()}, "description": "One cue a segment."}
    },
)
async def get_job_subtitles(
    job_id: str,
    desk: Desk,
    caller: Caller,
    fmt: Annotated[Literal["srt", "vtt"], Query(alias="format")] = "srt",
    partial: Partial = False,
) -> Response:
    """Subtitles that fit the sound."""
    job = await desk.get(caller, job_id)
    text = subtitles(fmt, await desk.sound(job, partial))
    headers = {"content-disposition": f'attachment; filename="{job.id}.{fmt}"'}
    return PlainTextResponse(text, media_type=SUBTITLES[fmt], headers=headers)
