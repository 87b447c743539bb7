"""The bodies about the history and presets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .emotion import EmotionField
from .fields import Body, Language, ParameterBody, Seed, Speed, Text, with_parameters
from .job_schemas import Notice

SETTINGS = (
    "Fields of /v1/audio/speech: voice, speed, language, seed, emotion, and the parameters that were set."
)


def _on_one_line(value: str) -> str:
    return " ".join(value.split())


Line = Annotated[Text, AfterValidator(_on_one_line)]
PresetName = Annotated[Line, Field(min_length=1, max_length=64)]


class HistoryEntry(BaseModel):
    """One result. Times are seconds since 1970, lengths and costs seconds."""

    id: str
    object: Literal["audio.history"] = "audio.history"
    created: float
    title: str = Field(description="Its first words, unless it was given another.")
    note: str
    text: str
    settings: dict[str, Any] = Field(description=SETTINGS)
    voice_name: str = Field(description="The library's name of that voice then, which may be gone by now.")
    engine: str
    characters: int
    segments: int
    audio_seconds: float
    wait_seconds: float
    engine_seconds: float
    total_seconds: float
    error: Notice | None = Field(description="Why it was not finished, where it was not.")
    favourite: bool
    deleted: bool = Field(description="It can be taken back for an hour.")
    output: str = Field(description="For GET /v1/audio/outputs/{id}.")
    audio: str | None = Field(description="Where its sound is; null: it is gone (or there never was any).")


class HistoryPage(BaseModel):
    """GET /v1/audio/history: the newest first."""

    object: Literal["list"] = "list"
    data: list[HistoryEntry]
    has_more: bool
    days: float = Field(description="How long results stay, favourites apart; 0: none is written down.")
    hours: float = Field(description="How long a sound stays; a favourite's longer.")


class EntryChanges(Body):
    """PATCH /v1/audio/history/{id}: what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"favourite": True}]})
    title: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    note: Annotated[Text, Field(max_length=2000)] | None = None
    favourite: bool | None = Field(None, strict=True, description="true: it stays, and its sound, too.")
    deleted: bool | None = Field(
        None, strict=True, description="true: it leaves the list, and in an hour for good; false: it is back."
    )


class HistoryDeleted(BaseModel):
    """What was deleted, for good."""

    id: str
    deleted: Literal[True] = True


class HistoryCleared(BaseModel):
    """DELETE /v1/audio/history."""

    deleted: int


class PresetSettings(ParameterBody):
    """How to speak, without a text."""

    model_config = ConfigDict(json_schema_extra=with_parameters)
    voice: Annotated[Text, Field(max_length=256)] = Field("", description='"": the default voice.')
    speed: Speed = 1.0
    language: Language = ""
    emotion: EmotionField | None = None
    seed: Seed | None = Field(None, description="Absent: by chance, anew each time.")


class NewPreset(Body):
    """POST /v1/audio/presets."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "News", "settings": {"voice": "zm_yunjian", "speed": 1.1}}]}
    )
    name: PresetName = Field(description="No other preset of yours has it.")
    settings: PresetSettings
    shared: bool = Field(False, strict=True, description="Whether others may use it, too.")


class PresetChanges(Body):
    """PATCH /v1/audio/presets/{id}: what is absent stays."""

    name: PresetName | None = None
    settings: PresetSettings | None = None
    shared: bool | None = Field(None, strict=True)


class PresetEntry(BaseModel):
    """One preset."""

    id: str
    object: Literal["audio.preset"] = "audio.preset"
    name: str
    settings: dict[str, Any] = Field(description=SETTINGS)
    shared: bool
    own: bool = Field(description="Whether it is yours; others' can be used, not changed.")
    created: float


class Presets(BaseModel):
    """GET /v1/audio/presets: yours, then what others share."""

    object: Literal["list"] = "list"
    data: list[PresetEntry]
