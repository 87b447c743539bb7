"""The bodies of repair: an output's segments and their takes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..outputs import Recording, Segment, Take
from .emotion import EmotionField
from .fields import Body, Language, ParameterBody, Seed, Speed, Text, Timeout, Voice, with_parameters


def _take_schema(schema: dict[str, Any]) -> None:
    with_parameters(schema)
    schema["examples"] = [{}, {"text": "Another wording."}, {"seed": 7, "voice": "zf_xiaobei"}]


class TakeBody(ParameterBody):
    """What is absent stays as in the take that is chosen now, but for the seed."""

    model_config = ConfigDict(json_schema_extra=_take_schema)
    text: Text = Field("", description="What the segment shall say instead.")
    voice: Voice = ""
    language: Language = ""
    speed: Speed = 1.0
    emotion: EmotionField | None = Field(None, description='"neutral" takes an emotion away.')
    seed: Seed = Field(0, description="Absent: another one, by chance.")
    timeout: Timeout | None = None
    choose: bool = Field(True, strict=True, description="false: the segment goes on with the take it has.")


class ChoiceBody(Body):
    """Which of a segment's takes counts."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"take": 2}]})
    take: int = Field(strict=True, ge=1, le=2**31)


class OutputTake(BaseModel):
    """One sound of a segment, and what it was made of."""

    take: int
    original: bool = Field(description="Spoken with the whole: it cannot be deleted.")
    text: str
    seconds: float = Field(description="With the pause behind it.")
    created: float = Field(description="Seconds since 1970.")
    engine: str
    voice: str
    language: str
    speed: float
    seed: int
    emotion: dict[str, Any] | None
    params: dict[str, Any]


class OutputSegment(BaseModel):
    """``text`` and ``seconds`` are those of the chosen take; ``chosen`` is null where there is none yet."""

    index: int
    text: str
    start: float = Field(description="Where it begins in the whole, in seconds.")
    seconds: float
    chosen: int | None
    takes: list[OutputTake]


class OutputSegments(BaseModel):
    """GET /v1/audio/outputs/{id}/segments."""

    id: str
    rate: int = Field(description="Hz.")
    seconds: float
    whole: bool = Field(description="Whether every segment has sound.")
    yours: bool = Field(description="Whether you may change it: you made it.")
    segments: list[OutputSegment]


def described(recording: Recording, yours: bool) -> OutputSegments:
    """All of an output. Reads the disk."""
    segments = recording.segments()
    found, start = [], 0
    for segment in segments:
        found.append(_segment(segment, start, recording.rate))
        start += segment.take.samples if segment.take else 0
    return OutputSegments(
        id=recording.id,
        rate=recording.rate,
        seconds=round(start / recording.rate, 4),
        whole=all(segment.take for segment in segments),
        yours=yours,
        segments=found,
    )


def described_one(recording: Recording, index: int) -> OutputSegment:
    """One of its segments. Reads the disk."""
    segments = recording.segments()
    start = sum(segment.take.samples for segment in segments[:index] if segment.take)
    return _segment(segments[index], start, recording.rate)


def _segment(segment: Segment, start: int, rate: int) -> OutputSegment:
    return OutputSegment(
        index=segment.index,
        text=segment.text,
        start=round(start / rate, 4),
        seconds=round(segment.take.samples / rate, 4) if segment.take else 0.0,
        chosen=segment.chosen,
        takes=[_take(take, take is segment.original, rate) for take in segment.takes],
    )


def _take(take: Take, original: bool, rate: int) -> OutputTake:
    said = take.request
    emotion = said.get("emotion")
    return OutputTake(
        take=take.number,
        original=original,
        text=take.text,
        seconds=round(take.samples / rate, 4),
        created=round(take.created, 3),
        engine=take.engine,
        voice=said.get("voice", ""),
        language=said.get("language", ""),
        speed=said.get("speed", 1.0),
        seed=said.get("seed", 0),
        emotion=emotion and {name: value for name, value in emotion.items() if value is not None},
        params=dict(said.get("params", {})),
    )
