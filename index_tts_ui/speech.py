"""The nouns of the service: frozen and JSON-able. Times on a wire are seconds remaining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np

from .errors import Notice, TTSError


@dataclass(frozen=True, slots=True)
class VoiceRef:
    """One voice by content: a built-in's name, or the sha256 of a stored reference clip.

    ``text``: what is said in the clip, where somebody wrote it down.
    """

    kind: Literal["builtin", "clip"]
    key: str
    weight: float = 1.0
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain dict for the wire."""
        told = {"text": self.text} if self.text else {}
        return {"kind": self.kind, "key": self.key, "weight": self.weight, **told}


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """What people see of a voice. ``id`` is what requests name."""

    id: str
    name: str
    name_zh: str
    language: str  # what it speaks best, with its accent: "zh-CN", "en-US", "en-GB"; "" where nobody said
    gender: Literal["female", "male", ""]
    kind: Literal["builtin", "clip", "blend"] = "builtin"
    tags: tuple[str, ...] = ()
    seconds: float = 0.0  # of a clip
    owner: str = ""  # of an uploaded one, where it was somebody with a key
    shared: bool = True  # False: only its owner, and admins, see it
    blend: str = ""  # of a saved blend: the built-in voices that it is, "a:0.6+b:0.4"
    transcript: str = ""  # what is said in its clip


# Who speaks a text: by the name in a mark, "" for the request's own voice.
Cast = Mapping[str, tuple[VoiceRef, ...]]

EMOTIONS = ("happy", "angry", "sad", "afraid", "disgusted", "melancholic", "surprised", "calm")


@dataclass(frozen=True, slots=True)
class Emotion:
    """How to say it: a vector of eight weights 0-1 (``EMOTIONS``), a clip's sha256, or words; one of them.

    ``weight`` 0-1: how much of it; the rest stays as in the voice's own clip. ``random``: for a vector,
    any of the model's samples of each emotion (by the seed) instead of the one closest to the voice.
    """

    vector: tuple[float, ...] | None = None
    clip: str | None = None
    text: str | None = None
    weight: float = 1.0
    random: bool = False


ReadingKind = Literal["respelling", "pinyin", "phonemes"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How to say a word, in the sentences of ``language`` ("" is every one), whatever its case.

    ``said`` is other text, read as if it stood there; pinyin with tone numbers; or phonemes that the engine knows.
    """

    word: str
    said: str
    kind: ReadingKind = "respelling"
    language: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a frontend makes of a stretch of text, before it belongs to any request.

    ``text`` is the user's own words (for the page); ``spoken`` is what the engine
    speaks (Kokoro: phonemes); ``tokens`` counts ``spoken`` in the engine's tokens;
    ``pause_after`` is the silence, in seconds, natural after it, or what a mark in the text wants
    (``marked``), ``pause_before`` that at a text's very beginning; ``voice`` is the name in the mark that gives
    the piece to another voice than the request's.
    """

    text: str
    spoken: str
    tokens: int
    language: str
    pause_after: float = 0.0
    voice: str = ""
    marked: bool = False
    pause_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Segment:
    """The unit of scheduling: a sentence or a few, with all an engine needs to speak it."""

    id: str  # f"{request_id}/{index}"
    text: str
    spoken: str
    tokens: int
    language: str
    voices: tuple[VoiceRef, ...]
    params: Mapping[str, Any] = field(default_factory=dict)  # speed, sampling, ...
    emotion: Emotion | None = None
    seed: int = 0
    max_seconds: float = 60.0  # of audio; an engine stops a runaway there
    pause_after: float = 0.0
    pause_before: float = 0.0
    voice: str = ""  # as a mark in the text names it; "" is the request's own
    marked: bool = False  # whether ``pause_after`` is what a mark in the text wants
    readings: tuple[Reading, ...] = ()  # of words in ``text``; ``spoken`` has them in it already

    def to_json(self) -> dict[str, Any]:
        """A plain dict for the wire (by hand: ``asdict`` copies deeply, on every segment's way)."""
        return {
            **{name: getattr(self, name) for name in _SEGMENT_FIELDS},
            "params": dict(self.params),
            "voices": [ref.to_json() for ref in self.voices],
            "emotion": None if self.emotion is None else asdict(self.emotion),
            "readings": [asdict(reading) for reading in self.readings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Segment:
        """The inverse of :meth:`to_json`."""
        emotion = data.get("emotion")
        if emotion is not None:
            vector = emotion.get("vector")
            emotion = Emotion(**{**emotion, "vector": tuple(vector) if vector else None})
        voices = tuple(VoiceRef(**voice) for voice in data["voices"])
        readings = tuple(Reading(**reading) for reading in data.get("readings", ()))
        return cls(**{**data, "voices": voices, "emotion": emotion, "readings": readings})


_SEGMENT_FIELDS = tuple(item.name for item in fields(Segment))


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono sound: float32 in [-1, 1], shape [samples], at ``rate`` Hz."""

    rate: int
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What a caller asks for, whoever the caller is (page, API, article route).

    ``voice`` is an id, "" for the default, a blend "a+b" / "a:0.7+b:0.3", or "clip:" and
    the sha256 of a clip that was stored before.
    ``timeout`` bounds the whole request in seconds; None leaves the other bounds.
    ``wait_ready`` queues the request while the first load is under way (the page)
    instead of refusing it with ``loading`` (the API).
    """

    text: str
    voice: str = ""
    model: str = ""
    language: str = ""  # "" = by the text
    speed: float = 1.0
    emotion: Emotion | None = None
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)  # of ``parameters.PARAMETERS``
    background: bool = False  # nobody listens yet: interactive requests go first
    fallback: Literal["", "any"] = ""  # "any": a backup engine may speak it in another voice
    stand_in: str | None = None  # a voice for a backup engine, where nobody asked for one person's voice
    cache: bool | None = None  # answer from the store, and keep there; None: as configured
    timeout: float | None = None
    id: str | None = None
    wait_ready: bool = False
    glossary: tuple[Reading, ...] = ()  # goes before the dictionary
    dictionary: bool = True  # whether the owner's dictionary is followed


ROLES = ("speak", "voices", "admin")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who asks: fairness and cancelling go by ``key`` (an API key, session or address).

    ``weight`` is their share among others who wait, ``rate`` their own limit on requests (as the
    setting ``rate``; "" is the setting), ``quota`` characters a day (0: no limit).
    """

    key: str
    name: str = ""  # how records call them
    roles: frozenset[str] = frozenset(ROLES)
    weight: float = 1.0
    rate: str = ""
    quota: int = 0

    def may(self, role: str) -> bool:
        """Whether they have a role; an admin has all."""
        return role in self.roles or "admin" in self.roles


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request cost. Seconds; ``engine_seconds`` sums its segments' runs."""

    characters: int
    tokens: int
    segments: int
    audio_seconds: float
    wait_seconds: float
    engine_seconds: float
    total_seconds: float


# ---- the one stream of events a request sends to whoever listens


@dataclass(frozen=True, slots=True)
class Queued:
    """``position`` requests start before this one; ``eta`` seconds until it starts, if known."""

    position: int
    eta: float | None


@dataclass(frozen=True, slots=True)
class Started:
    """The first segment went to ``engine``; ``segments`` are the texts, in order, ``voices`` the names in their marks.

    ``voices`` has "" for the request's own voice; ``pauses`` are the seconds behind each that a mark wants (None: what
    is natural), ``lead`` those before the first. Where nobody knows, all three are empty.
    Comes again, before the first sound, where a backup engine takes over: ``notice`` says so.
    """

    engine: str
    segments: tuple[str, ...]
    notice: Notice | None = None
    voices: tuple[str, ...] = ()
    pauses: tuple[float | None, ...] = ()
    lead: float = 0.0

    @classmethod
    def of(cls, engine: str, pieces: Sequence[Piece | Segment], notice: Notice | None = None) -> Self:
        """What there is to tell of a text's pieces; behind the last one there is no pause."""
        pauses = tuple(piece.pause_after if piece.marked else None for piece in pieces[:-1])
        return cls(
            engine,
            tuple(piece.text for piece in pieces),
            notice,
            tuple(piece.voice for piece in pieces),
            (*pauses, None) if pieces else (),
            pieces[0].pause_before if pieces else 0.0,
        )


@dataclass(frozen=True, slots=True)
class SegmentReady:
    """Segment ``index`` is spoken: in order, each exactly once. ``audio`` ends with its pause."""

    index: int
    audio: Audio


@dataclass(frozen=True, slots=True)
class Ended:
    """Always the last event, always sent. ``error`` is None where all was spoken."""

    usage: Usage
    error: TTSError | None


Event = Queued | Started | SegmentReady | Ended
