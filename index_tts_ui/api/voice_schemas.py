"""The bodies about voices and clips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from .fields import Body, Number, Text

Seconds = Annotated[Number, Field(ge=0, le=300)]
Tags = Annotated[list[Text], Field(max_length=64)]


class VoiceEntry(BaseModel):
    """One voice. ``language`` is what it speaks best, "" where nobody said."""

    id: str
    name: str
    name_zh: str
    language: str
    gender: Literal["female", "male", ""]
    kind: Literal["builtin", "clip", "blend"]
    tags: list[str]
    seconds: float = Field(description="Of its clip; 0 for a voice without one.")
    blend: str = Field(description="Of a saved blend: what it is, such as `af_heart:0.6+zf_xiaobei:0.4`.")
    transcript: str = Field(description="What is said in its clip, where somebody wrote it down.")
    default: bool = Field(description="Whether it speaks where a request names no voice.")
    shared: bool = Field(description="Whether all may use it; else only who added it, and admins.")
    owned: bool = Field(description="Whether it is somebody's own, so that it can be private or shared.")
    editable: bool = Field(description="Whether you may change, delete and export it.")


class Voices(BaseModel):
    """GET /v1/audio/voices."""

    voices: list[VoiceEntry]
    private: bool = Field(description="Whether what you add is yours alone until you share it.")


class DeletedVoice(VoiceEntry):
    """A voice in the bin."""

    deleted_at: int = Field(description="Seconds since 1970.")
    kept_until: int = Field(description="The same; until then it can be restored, unless space is short.")


class Bin(BaseModel):
    """GET /v1/audio/voices/bin."""

    voices: list[DeletedVoice]


class LeftOut(BaseModel):
    """A voice of an archive that was not added, and why."""

    name: str
    code: str = Field(examples=["voice_already_there"])
    message: str


class Imported(BaseModel):
    """POST /v1/audio/voices/import."""

    voices: list[VoiceEntry]
    left_out: list[LeftOut]


class Notice(BaseModel):
    """What its owner should know of a clip, although it is usable."""

    code: str = Field(examples=["clip_noisy"])
    message: str


class ClipEntry(BaseModel):
    """A stored clip. ``id`` goes where a voice or an emotion's clip is asked for."""

    id: str = Field(examples=["clip:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    seconds: float
    start: float = Field(description="Where it begins in what was sent, in seconds.")
    total: float = Field(description="How long what was sent is, in seconds.")
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
    blend: Text | None = Field(None, max_length=256, description="Of a saved blend: other voices or weights.")
    transcript: Text | None = Field(None, max_length=1000, description="What is said in its clip.")
    start: Seconds | None = Field(None, description="Trims its clip: the seconds of it to keep.")
    end: Seconds | None = None
    default: Literal[True] | None = Field(None, description="true: it becomes the default voice.")


class VoiceDeleted(BaseModel):
    """DELETE /v1/audio/voices/{voice}."""

    id: str
    deleted: Literal[True] = True
    object: Literal["audio.voice.deleted"] = "audio.voice.deleted"
