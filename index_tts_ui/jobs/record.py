"""The nouns of jobs. Times are seconds since 1970: they outlive the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import TTSError
from ..speech import Emotion, Reading, SpeechRequest

State = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
ACTIVE = ("queued", "running", "paused")
ENDED = ("done", "failed", "cancelled")
LINE_GAP = 0.4  # seconds of silence between two lines, at least, unless the job says otherwise


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be spoken. ``take``: where it differs from its speaker, or the job (``voice``, ``speed``, ...).

    ``start`` and ``end``: seconds into the whole, its slot (a subtitle's), if it has one.
    """

    text: str
    name: str = ""
    take: Mapping[str, Any] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a caller asks for. ``take``: the fields of SpeechRequest but for its text, JSON-able.

    ``cast``: by a speaker's name, where their lines differ from that. ``fit``: how many times faster a line
    may become that is longer than its slot; None leaves it.
    """

    lines: tuple[NewLine, ...]
    take: Mapping[str, Any]
    title: str = ""
    cast: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fit: float | None = None
    gap: float | None = None  # seconds between lines
    callback_url: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. ``revision`` grows with every change of it or its segments.

    ``characters`` are of all lines, ``spoken_characters`` of what is settled, whichever way.
    """

    id: str
    owner: str
    title: str
    state: State
    take: Mapping[str, Any]
    cast: Mapping[str, Mapping[str, Any]]
    fit: float | None
    gap: float | None
    created: float
    updated: float
    finished: float | None
    revision: int
    lines: int
    characters: int
    callback_url: str
    callback_state: str  # "", pending, sent, failed
    callback_tries: int
    error: Mapping[str, str] | None
    segments: int = 0  # known so far: a line is cut into segments when its turn comes
    done: int = 0
    failed: int = 0
    spoken_characters: int = 0
    audio_seconds: float = 0.0
    engine_seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is kept."""

    index: int
    text: str
    name: str
    take: Mapping[str, Any]
    start: float | None
    split: bool  # whether its segments are known
    end: float | None = None
    speaker: str = ""
    fit: float = 1.0  # how many times faster it is spoken, for its slot's sake

    @property
    def slot(self) -> float | None:
        """Seconds that it should take at most; None: as many as it likes."""
        return None if self.start is None or self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment to be: ``pause`` in seconds behind it, ``voice`` as a mark in the line names it."""

    text: str
    pause: float = 0.0
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """The unit that is spoken, kept and made again. ``tries`` counts how often it was asked for anew."""

    job: str
    line: int
    index: int
    text: str
    pause: float
    state: Literal["pending", "done", "empty", "failed"]
    tries: int = 0
    seed: int | None = None  # instead of the job's
    samples: int = 0
    rate: int = 0
    engine: str = ""
    error: Mapping[str, str] | None = None
    voice: str = ""  # instead of the line's

    @property
    def key(self) -> tuple[str, int, int, int]:
        """One attempt at it: what comes of another does not count."""
        return (self.job, self.line, self.index, self.tries)

    @property
    def file_name(self) -> str:
        """Of its sound, in the job's folder."""
        return f"{self.line}-{self.index}-{self.tries}.pcm"


def to_request(take: Mapping[str, Any], text: str, **more: Any) -> SpeechRequest:
    """The request for ``text``. ``take`` came through JSON."""
    asked = dict(take)
    emotion = asked.pop("emotion", None)
    if emotion is not None:
        vector = emotion.get("vector")
        asked["emotion"] = Emotion(**{**emotion, "vector": tuple(vector) if vector else None})
    asked["glossary"] = tuple(Reading(**item) for item in asked.get("glossary", ()))
    return SpeechRequest(text=text, background=True, **{**asked, **more})


def said(error: TTSError) -> dict[str, str]:
    """An error as it is kept: what people may read later, in either language."""
    return {"code": error.code, "message": error.message("en"), "message_zh": error.message("zh")}
