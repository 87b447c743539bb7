"""The bodies about voices and clips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .fields import Body, Text

Tags = Annotated[list[Text], Field(max_length=64)]


class VoiceEntry(BaseModel):
    """One voice. ``language`` is what it speaks best, "" where nobody said."""

    id: str
    name: str
    name_zh: str
    language: str
    gender: Literal["female", "male", ""]
    kind: Literal["builtin", "clip"]
    tags: list[str]
    seconds: float = Field(description="Of its clip; 0 for a built-in voice.")
    default: bool = Field(description="Whether it speaks where a request names no voice.")
    shared: bool = Field(description="Whether all may use it; else only who uploaded it, and admins.")


class Voices(BaseModel):
    """GET /v1/audio/voices."""

    voices: list[VoiceEntry]


class Notice(BaseModel):
    """What its owner should know of a clip, although it is usable."""

    code: str = Field(examples=["clip_noisy"])
    message: str


class ClipEntry(BaseModel):
    """A stored clip. ``id`` goes where a voice or an emotion's clip is asked for."""

    id: str = Field(examples=["clip:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    seconds: float
    notices: list[Notice]


class NewVoice(VoiceEntry):
    """POST /v1/audio/voices. ``object``, ``type`` and ``created_at`` are OpenAI's."""

    object: Literal["audio.voice"] = "audio.voice"
    type: Literal["audio_sample"] = "audio_sample"
    created_at: int
    notices: list[Notice]


class VoiceChanges(Body):
    """PATCH /v1/audio/voices/{voice}: what is absent stays."""

    name: Text | None = None
    language: Text | None = None
    gender: Text | None = None
    tags: Tags | None = None
    shared: bool | None = Field(None, description="Whether all may use it.")
    default: Literal[True] | None = Field(None, description="true: it becomes the default voice.")


class VoiceDeleted(BaseModel):
    """DELETE /v1/audio/voices/{voice}."""

    id: str
    deleted: Literal[True] = True
    object: Literal["audio.voice.deleted"] = "audio.voice.deleted"
