"""The bodies about jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .emotion import EmotionField
from .fields import Body, Language, Number, ParameterBody, Seed, Speed, Text, Voice, with_parameters
from .glossary import Glossary, UseDictionary

State = Literal["queued", "running", "paused", "done", "failed", "cancelled"]


def _line(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


class TakeFields(Body):
    """How something is spoken, where it differs from the rest."""

    voice: Voice | None = None
    language: Language | None = None
    speed: Speed | None = None
    emotion: EmotionField | None = None
    seed: Seed | None = None


class LineFields(TakeFields):
    """One line; what it does not say is as its speaker has it, or the job."""

    text: Text = Field(description="What to say.")
    speaker: Text = Field("", max_length=100, description="Of the cast; absent: the narrator.")
    name: Text = Field("", max_length=100, description="For its file in the zip.")
    start: Number | None = Field(
        None, ge=0, le=360_000, description="Seconds into the whole at which it begins, or later."
    )
    end: Number | None = Field(
        None, ge=0, le=360_000, description="Seconds into the whole at which it should have ended; see fit."
    )


JobLine = Annotated[LineFields, BeforeValidator(_line)]


def _job_schema(schema: dict[str, Any]) -> None:
    with_parameters(schema)
    schema["examples"] = [
        {"input": "Chapter one.\n\nIt was a bright cold day in April.", "title": "A book"},
        {"lines": ["First line.", {"text": "第二行。", "name": "two", "speed": 1.2}]},
        {"input": "Anna: Hello, Bob.\nBob: Hello.", "cast": {"Bob": {"speed": 0.9}}},
    ]


class JobBody(ParameterBody):
    """`input` or `lines`, and how to speak them."""

    model_config = ConfigDict(json_schema_extra=_job_schema)
    input: Text = Field("", description="A text; each line of it that is not empty is a line of the job.")
    kind: Literal["txt", "csv", "srt", "vtt", "json", "auto"] = Field(
        "txt", description="How `input` is to be read; auto: as what it looks like."
    )
    lines: list[JobLine] = Field(
        default_factory=list, max_length=20_000, description="Instead: strings, or objects."
    )
    title: Text = Field("", max_length=200)
    model: Text = Field("", max_length=256, description="One of GET /v1/models.")
    voice: Voice | None = Field(None, description="Absent: the default voice.")
    language: Language = ""
    speed: Speed = 1.0
    emotion: EmotionField | None = None
    seed: Seed = 0
    fallback: Literal["", "any"] = Field(
        "", description="any: a backup engine may speak it in another voice, where the engine fails."
    )
    glossary: Glossary = ()
    dictionary: UseDictionary = True
    cast: dict[Annotated[Text, Field(max_length=100)], TakeFields] | None = Field(
        None,
        max_length=500,
        description="By a speaker's name, how they speak. Given, even empty: the names in a text "
        "(`Anna: Hello.`) are its speakers, and are not spoken.",
    )
    fit: Number | None = Field(
        None,
        ge=1,
        le=2,
        description="Lines that are longer than from their `start` to their `end` are spoken again, up to so "
        "many times faster. Absent: they are left as they are.",
    )
    gap_ms: Number | None = Field(
        None, ge=0, le=60_000, description="Silence between lines; absent: as after a paragraph."
    )
    callback_url: Text = Field(
        "", max_length=2000, description="Told when it has ended; its host must be in callback_hosts."
    )


class RetryBody(TakeFields):
    """Which to speak again: a segment of a line, a line, or all that failed; a line also in another way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"line": 3, "segment": 0}]})
    line: Annotated[int, Field(strict=True, ge=1, le=2**31)] | None = Field(None, description="From 1.")
    segment: Annotated[int, Field(strict=True, ge=0, le=2**31)] | None = Field(
        None, description="From 0, within the line."
    )
    text: Text = Field("", description="To say instead.")
    seed: Seed | None = Field(None, description="Absent: a new one for what was spoken.")


class Notice(BaseModel):
    """An error as it was kept, in both languages."""

    code: str
    message: str
    message_zh: str


class JobEntry(BaseModel):
    """A job. Times are seconds since 1970. ``failed``: ended, but some segments could not be spoken."""

    id: str
    object: Literal["audio.job"] = "audio.job"
    title: str
    state: State
    progress: float = Field(description="0 to 1, by characters.")
    eta: float | None = Field(description="Seconds until it is done at its pace so far.")
    lines: int
    segments: int = Field(description="Known so far: a line is cut into segments when its turn comes.")
    segments_done: int
    segments_failed: int
    characters: int
    audio_seconds: float
    engine_seconds: float
    created: float
    updated: float
    finished: float | None
    revision: int = Field(description="Grows with every change.")
    callback: Literal["", "pending", "sent", "failed"]
    error: Notice | None = Field(description="Why it was paused, where nobody did it.")


class JobPage(BaseModel):
    """GET /v1/audio/jobs: the newest first."""

    object: Literal["list"] = "list"
    data: list[JobEntry]
    has_more: bool


class SegmentEntry(BaseModel):
    """One segment: the unit that is spoken, and made again."""

    line: int
    segment: int
    text: str
    state: Literal["pending", "done", "empty", "failed"] = Field(
        description="empty: nothing in it can be spoken."
    )
    seconds: float
    engine: str
    error: Notice | None


class TakeEntry(BaseModel):
    """How something is spoken; null: as the speaker has it, or the job."""

    voice: str | None = None
    language: str | None = None
    speed: float | None = None
    emotion: str | dict[str, Any] | None = Field(None, description="A preset's name, or an object.")
    seed: int | None = None


class LineEntry(TakeEntry):
    """One line, from 1."""

    line: int
    name: str
    speaker: str
    text: str
    start: float | None
    end: float | None
    fit: float = Field(description="How many times faster it is spoken, so that it fits its slot.")
    over: float = Field(description="Seconds by which it is longer than its slot all the same.")
    segments: list[SegmentEntry]


class LinePage(BaseModel):
    """GET /v1/audio/jobs/{id}/lines."""

    object: Literal["list"] = "list"
    data: list[LineEntry]
    has_more: bool
    fit: float | None = Field(description="Of the job.")
    settings: TakeEntry = Field(description="Of the job.")
    cast: dict[str, TakeEntry]


class Problem(Notice):
    """Why a line cannot be spoken as it is."""

    param: str | None


class ReadLine(BaseModel):
    """A line as it was read; what it does not say is absent. Values that are wrong stay as they were."""

    text: str
    speaker: str = ""
    voice: Any = None
    language: Any = None
    speed: Any = None
    emotion: Any = None
    seed: Any = None
    name: Any = None
    start: Any = None
    end: Any = None
    problems: list[Problem] = []


class ReadPage(BaseModel):
    """POST /v1/audio/jobs/lines."""

    object: Literal["list"] = "list"
    data: list[ReadLine]
    problems: int = Field(description="Lines that have some.")


class JobDeleted(BaseModel):
    """DELETE /v1/audio/jobs/{id}."""

    id: str
    deleted: Literal[True] = True
