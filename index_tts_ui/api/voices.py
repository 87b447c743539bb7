"""The voice library: list, add, change, delete, restore, hear, take along; and clips that belong to no voice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, StreamingResponse

from ..audio.reference import NOTICES
from ..errors import Forbidden, Invalid
from ..service import SpeechService
from ..speech import Owner, VoiceInfo
from .deps import FORM, JSON, Caller, Service, wants
from .fields import Text
from .schemas import REFUSALS
from .voice_schemas import (
    Bin,
    ClipEntry,
    DeletedVoice,
    Imported,
    LeftOut,
    NewVoice,
    Notice,
    VoiceChanges,
    VoiceDeleted,
    VoiceEntry,
    Voices,
)

router = APIRouter(tags=["Voices"], responses=REFUSALS)
Upload = Annotated[
    UploadFile | None,
    File(description="3 to 15 seconds of one person's speech: wav, mp3, flac, ogg, m4a or webm."),
]
Moment = Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)]  # a form knows only strings
Start = Annotated[Moment | None, Form(description="Take only what is behind this second of the recording.")]
End = Annotated[Moment | None, Form(description="Take only what is before this second of the recording.")]
Stored = Annotated[Text, Form(description="Instead of a file: `clip:<sha256>` of POST /v1/audio/clips.")]


def _entry(service: SpeechService, caller: Owner, info: VoiceInfo) -> dict[str, Any]:
    names = (
        "id",
        "name",
        "name_zh",
        "language",
        "gender",
        "kind",
        "seconds",
        "shared",
        "blend",
        "transcript",
    )
    return {name: getattr(info, name) for name in names} | {
        "tags": list(info.tags),
        "default": info.id == service.default_voice(),
        "owned": bool(info.owner),
        "editable": service.may_change(caller, info) and caller.may("voices"),
    }


def _lang(request: Request) -> str:
    return request.headers.get("accept-language", "").lower()[:2]


def _notices(request: Request, keys: Sequence[str]) -> list[Notice]:
    return [Notice(code=key, message=NOTICES[key][_lang(request) == "zh"]) for key in keys]


async def _data(file: UploadFile | None, param: str = "file") -> bytes:
    data = b"" if file is None else await file.read()
    if not data:
        raise Invalid("missing_value", param=param)
    return data


def _check_default(caller: Owner, default: bool) -> None:
    if default and not caller.may("admin"):
        raise Forbidden("role_missing", role="admin")


@router.get("/v1/audio/voices")
async def list_voices(service: Service, caller: Caller) -> Voices:
    """The voices that you may use. OpenAI's stock names (alloy, ...) work too; they stand for some of these."""
    seen = [info for info in service.voices() if service.sees(caller, info)]
    return Voices(
        voices=[VoiceEntry(**_entry(service, caller, info)) for info in seen],
        private=service.keeps_private(caller),
    )


@router.post("/v1/audio/clips", dependencies=[Depends(wants(FORM))], status_code=201)
async def add_clip(
    request: Request,
    service: Service,
    caller: Caller,
    file: Upload = None,
    clip: Stored = "",
    start: Start = None,
    end: End = None,
) -> ClipEntry:
    """Check and store a recording, or a part of it, for one-off use as a voice or as an emotion.

    It is deleted a day after its last use. Have the right to use the voice.
    """
    if clip:
        found = await service.cut_clip(caller, clip, start, end)
    else:
        found = await service.add_clip(await _data(file), start, end)
    return ClipEntry(
        id=f"clip:{found.key}",
        seconds=round(found.seconds, 3),
        start=round(found.start, 3),
        total=round(found.total, 3),
        notices=_notices(request, found.notices),
    )


@router.post("/v1/audio/voices", dependencies=[Depends(wants(FORM))], status_code=201)
async def add_voice(
    request: Request,
    service: Service,
    caller: Caller,
    name: Annotated[Text, Form(description="1 to 64 characters; no other voice has it.")],
    file: Upload = None,
    audio_sample: Upload = None,
    clip: Stored = "",
    start: Start = None,
    end: End = None,
    blend: Annotated[
        Text,
        Form(
            description="Instead of a recording: built-in voices to blend, such as `af_heart:0.6+af_bella:0.4`."
        ),
    ] = "",
    statement: Annotated[
        Text, Form(description="Why you may use this voice, such as `It is my own`. Kept with it.")
    ] = "",
    consent: Annotated[Text, Form(description="The same, as OpenAI's clients name it.")] = "",
    language: Annotated[Text, Form(description="What it speaks best, such as zh-CN or en.")] = "",
    gender: Annotated[Text, Form(description="female, male, or nothing.")] = "",
    tags: Annotated[Text, Form(description="By comma.")] = "",
    transcript: Annotated[
        Text, Form(description="What is said in the recording; some engines clone better with it.")
    ] = "",
    shared: Annotated[
        bool, Form(description="Whether others may use it, where everybody has a key of their own.")
    ] = False,
    default: Annotated[bool, Form(description="Whether it becomes the default voice (admins only).")] = False,
) -> NewVoice:
    """Add a voice from a recording, or a blend of built-in voices, which needs no statement.

    `file` and `audio_sample` (OpenAI's name for it) mean the same.
    """
    _check_default(caller, default)
    keys: tuple[str, ...] = ()
    said: dict[str, Any] = {"language": language, "gender": gender, "tags": tags.split(",")}
    said["shared"] = shared or default
    said |= {"transcript": transcript} if transcript and not blend else {}
    if blend:
        info = await service.add_blend(blend, name, owner=caller, **said)
    else:
        if not clip or start is not None or end is not None:
            sent = None if clip else await _data(file or audio_sample)
            stored = await (
                service.cut_clip(caller, clip, start, end)
                if sent is None
                else service.add_clip(sent, start, end)
            )
            clip, keys = stored.key, stored.notices
        info = await service.add_voice(clip, name, statement=statement or consent, owner=caller, **said)
    if default:
        await service.set_default_voice(info.id)
    entry = _entry(service, caller, info)
    return NewVoice(**entry, created_at=int(time.time()), notices=_notices(request, keys))


@router.get("/v1/audio/voices/bin")
async def list_bin(service: Service, caller: Caller) -> Bin:
    """The deleted voices that you can restore, the last one first."""
    return Bin(
        voices=[
            DeletedVoice(
                **_entry(service, caller, item.info()),
                deleted_at=int(item.deleted),
                kept_until=int(item.deleted + service.bin_seconds),
            )
            for item in service.binned_voices(caller)
        ]
    )


@router.get(
    "/v1/audio/voices/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "An archive of voices."}},
)
async def export_voices(
    service: Service,
    caller: Caller,
    voice: Annotated[
        list[Text], Query(max_length=100, description="Which; absent: all that you may change.")
    ] = [],  # noqa: B006
) -> StreamingResponse:
    """Voices as a zip file: their clips, and `voices.json` with names, tags and rights. For another server."""
    if not caller.may("voices"):
        raise Forbidden("role_missing", role="voices")
    file = await service.export_voices(caller, voice)
    return StreamingResponse(
        iter(lambda: file.read(1 << 16), b""),
        media_type="application/zip",
        headers={"content-disposition": 'attachment; filename="voices.zip"'},
        background=BackgroundTask(file.close),
    )


@router.post("/v1/audio/voices/import", dependencies=[Depends(wants(FORM))], status_code=201)
async def import_voices(
    request: Request,
    service: Service,
    caller: Caller,
    file: Annotated[UploadFile | None, File(description="A zip of GET /v1/audio/voices/export.")] = None,
    shared: Annotated[bool, Form(description="Whether others may use them.")] = False,
) -> Imported:
    """Add the voices of an archive, each checked like an upload; what is there already is left out.

    A name that is in use gets a number. The statements of rights in it become yours.
    """
    found = await service.import_voices(caller, await _data(file), shared)
    return Imported(
        voices=[VoiceEntry(**_entry(service, caller, info)) for info in found.added],
        left_out=[
            LeftOut(name=name, code=error.code, message=error.message(_lang(request)))
            for name, error in found.left_out
        ],
    )


@router.get("/v1/audio/voices/{voice}")
async def get_voice(voice: str, service: Service, caller: Caller) -> VoiceEntry:
    """One voice, by id or exact name."""
    return VoiceEntry(**_entry(service, caller, service.seen_voice(caller, voice)))


@router.patch("/v1/audio/voices/{voice}", dependencies=[Depends(wants(JSON))])
async def update_voice(voice: str, body: VoiceChanges, service: Service, caller: Caller) -> VoiceEntry:
    """Change a voice of yours, or make any voice the default (admins only). Its id stays.

    What `start` and `end` cut off its clip is lost.
    """
    _check_default(caller, bool(body.default))
    changes = body.model_dump(exclude={"default"}, exclude_none=True)
    if changes:
        info = service.own_voice(caller, voice)
        info = await service.update_voice(info.id, **changes)
    else:
        info = service.seen_voice(caller, voice)
    if body.default:
        info = await service.set_default_voice(info.id)
    return VoiceEntry(**_entry(service, caller, info))


@router.delete("/v1/audio/voices/{voice}")
async def delete_voice(voice: str, service: Service, caller: Caller) -> VoiceDeleted:
    """Delete a voice of yours. Requests under way still speak with it; it can be restored for a week."""
    info = service.own_voice(caller, voice)
    await service.delete_voice(info.id)
    return VoiceDeleted(id=info.id)


@router.post("/v1/audio/voices/{voice}/restore")
async def restore_voice(voice: str, service: Service, caller: Caller) -> VoiceEntry:
    """Take the last deleted voice of that id, else name, out of the bin.

    Where its name or id is in use by now, it gets another.
    """
    return VoiceEntry(**_entry(service, caller, await service.restore_voice(caller, voice)))


@router.get(
    "/v1/audio/voices/{voice}/clip",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}}, "description": "The clip that the voice comes from."}},
)
async def get_clip(voice: str, service: Service, caller: Caller) -> FileResponse:
    """Hear an uploaded voice's clip."""
    return FileResponse(service.voice_clip(voice, caller), media_type="audio/wav")
