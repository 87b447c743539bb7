"""The voice library: list, upload, change, delete, hear; and clips that belong to no voice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import FileResponse

from ..audio.reference import NOTICES
from ..errors import Forbidden, Invalid, NotFound
from ..service import SpeechService
from ..speech import Owner, VoiceInfo
from .deps import FORM, JSON, Caller, Service, wants
from .fields import Text
from .schemas import REFUSALS
from .voice_schemas import ClipEntry, NewVoice, Notice, VoiceChanges, VoiceDeleted, VoiceEntry, Voices

router = APIRouter(tags=["Voices"], responses=REFUSALS)
Upload = Annotated[
    UploadFile | None,
    File(description="3 to 15 seconds of one person's speech: wav, mp3, flac, ogg, m4a or webm."),
]


def _entry(service: SpeechService, info: VoiceInfo) -> dict[str, Any]:
    default = info.id == service.default_voice()
    names = ("id", "name", "name_zh", "language", "gender", "kind", "seconds", "shared")
    return {name: getattr(info, name) for name in names} | {"tags": list(info.tags), "default": default}


def _notices(request: Request, keys: Sequence[str]) -> list[Notice]:
    chinese = request.headers.get("accept-language", "").lower().startswith("zh")
    return [Notice(code=key, message=NOTICES[key][chinese]) for key in keys]


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
    return Voices(voices=[VoiceEntry(**_entry(service, info)) for info in seen])


@router.post("/v1/audio/clips", dependencies=[Depends(wants(FORM))], status_code=201)
async def add_clip(request: Request, service: Service, file: Upload = None) -> ClipEntry:
    """Check and store a recording, for one-off use as a voice or as an emotion.

    It is deleted a day after its last use. Have the right to use the voice.
    """
    clip = await service.add_clip(await _data(file))
    return ClipEntry(
        id=f"clip:{clip.key}", seconds=round(clip.seconds, 3), notices=_notices(request, clip.notices)
    )


@router.post("/v1/audio/voices", dependencies=[Depends(wants(FORM))], status_code=201)
async def add_voice(
    request: Request,
    service: Service,
    caller: Caller,
    name: Annotated[Text, Form(description="1 to 64 characters; no other voice has it.")],
    file: Upload = None,
    audio_sample: Upload = None,
    clip: Annotated[
        Text, Form(description="Instead of a file: `clip:<sha256>` of POST /v1/audio/clips.")
    ] = "",
    statement: Annotated[
        Text, Form(description="Why you may use this voice, such as `It is my own`. Kept with it.")
    ] = "",
    consent: Annotated[Text, Form(description="The same, as OpenAI's clients name it.")] = "",
    language: Annotated[Text, Form(description="What it speaks best, such as zh-CN or en.")] = "",
    gender: Annotated[Text, Form(description="female, male, or nothing.")] = "",
    tags: Annotated[Text, Form(description="By comma.")] = "",
    shared: Annotated[
        bool, Form(description="Whether others may use it, where everybody has a key of their own.")
    ] = False,
    default: Annotated[bool, Form(description="Whether it becomes the default voice (admins only).")] = False,
) -> NewVoice:
    """Add a voice from a recording. `file` and `audio_sample` (OpenAI's name for it) mean the same."""
    _check_default(caller, default)
    keys: tuple[str, ...] = ()
    if not clip:
        stored = await service.add_clip(await _data(file or audio_sample))
        clip, keys = stored.key, stored.notices
    info = await service.add_voice(
        clip,
        name,
        statement=statement or consent,
        language=language,
        gender=gender,
        tags=tags.split(","),
        owner=caller,
        shared=shared or default,
    )
    if default:
        await service.set_default_voice(info.id)
    return NewVoice(**_entry(service, info), created_at=int(time.time()), notices=_notices(request, keys))


@router.get("/v1/audio/voices/{voice}")
async def get_voice(voice: str, service: Service, caller: Caller) -> VoiceEntry:
    """One voice, by id or exact name."""
    service.check_sees(caller, voice)
    info = service.find_voice(voice)
    if info is None:
        raise NotFound("voice_not_found", param="voice", voice=voice[:64])
    return VoiceEntry(**_entry(service, info))


@router.patch("/v1/audio/voices/{voice}", dependencies=[Depends(wants(JSON))])
async def update_voice(voice: str, body: VoiceChanges, service: Service, caller: Caller) -> VoiceEntry:
    """Change an uploaded voice of yours, or make any voice the default (admins only). Its id stays."""
    _check_default(caller, bool(body.default))
    if body.model_dump(exclude={"default"}, exclude_none=True):
        service.check_changes(caller, voice)
    service.check_sees(caller, voice)
    changes = body.model_dump(exclude={"default"}, exclude_none=True)
    info = service.find_voice(voice)
    if changes or info is None:
        info = await service.update_voice(voice, **changes)
    if body.default:
        info = await service.set_default_voice(info.id)
    return VoiceEntry(**_entry(service, info))


@router.delete("/v1/audio/voices/{voice}")
async def delete_voice(voice: str, service: Service, caller: Caller) -> VoiceDeleted:
    """Delete a voice of yours; its clip is deleted within about an hour. Requests under way still speak with it."""
    service.check_changes(caller, voice)
    info = service.find_voice(voice)
    await service.delete_voice(voice)
    return VoiceDeleted(id=voice if info is None else info.id)


@router.get(
    "/v1/audio/voices/{voice}/clip",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}}, "description": "The clip that the voice comes from."}},
)
async def get_clip(voice: str, service: Service, caller: Caller) -> FileResponse:
    """Hear an uploaded voice's clip."""
    service.check_sees(caller, voice)
    return FileResponse(service.voice_clip(voice), media_type="audio/wav")
