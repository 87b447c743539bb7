"""The nouns of the history. Times are seconds since 1970: they outlive the process.

``settings`` are fields of ``/v1/audio/speech``, so that they can be sent there again as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..outputs import Recording
from ..speech import Owner, SpeechRequest

TITLE = 80  # characters of a title that is made of the text
CLIP = "clip:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One result. ``error``: {code, message, message_zh} of one that failed. ``deleted``: when, 0 if not.

    ``voice_name`` is what the library called its voice then: the voice may be gone by now.
    """

    id: str
    owner: str
    created: float
    output: str
    text: str
    title: str
    settings: Mapping[str, Any]
    engine: str
    characters: int
    segments: int
    audio_seconds: float
    wait_seconds: float
    engine_seconds: float
    total_seconds: float
    note: str = ""
    error: Mapping[str, str] | None = None
    favourite: bool = False
    deleted: float = 0.0
    voice_name: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings under a name. ``shared``: whether others may use them."""

    id: str
    owner: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shared: bool = False
    created: float = 0.0


def entry_of(
    entry_id: str,
    recording: Recording,
    request: SpeechRequest,
    owner: Owner,
    said: Mapping[str, Any],
    voice_name: str = "",
) -> Entry:
    """What there is to keep of a recording that has ended; ``said``: settings as they were told to the page."""
    usage, error = recording.usage, recording.error
    return Entry(
        id=entry_id,
        owner=owner.key,
        created=recording.created,
        output=recording.id,
        text=request.text,
        title=title_of(request.text),
        settings={**settings_of(request), **said},
        engine=recording.engine,
        characters=len(request.text),
        segments=len(recording.texts),
        audio_seconds=round(recording.seconds, 3),
        wait_seconds=usage.wait_seconds if usage else 0.0,
        engine_seconds=usage.engine_seconds if usage else 0.0,
        total_seconds=usage.total_seconds if usage else 0.0,
        error=None
        if error is None
        else {"code": error.code, "message": error.message("en"), "message_zh": error.message("zh")},
        voice_name=voice_name,
    )


def title_of(text: str) -> str:
    """The first words, on one line."""
    line = " ".join(text[: 4 * TITLE].split())
    return line if len(line) <= TITLE else f"{line[: TITLE - 1].rstrip()}…"


def settings_of(request: SpeechRequest) -> dict[str, Any]:
    """All of a request but its text, as ``/v1/audio/speech`` names it."""
    emotion = emotion_of(request)
    return {
        "voice": request.voice,
        "speed": request.speed,
        "language": request.language,
        "seed": request.seed,
        **({"emotion": emotion} if emotion else {}),
        **request.params,
    }


def emotion_of(request: SpeechRequest) -> dict[str, Any] | None:
    """Its emotion as the API takes it."""
    emotion = request.emotion
    if emotion is None:
        return None
    if emotion.vector is not None:
        return {"vector": list(emotion.vector), "weight": emotion.weight, "random": emotion.random}
    if emotion.clip is not None:
        return {"clip": emotion.clip, "weight": emotion.weight}
    return {"text": emotion.text, "weight": emotion.weight}


def clips_in(settings: Mapping[str, Any]) -> set[str]:
    """The keys of the clips, of no voice perhaps, that settings need."""
    emotion = settings.get("emotion") or {}
    named = (str(settings.get("voice", "")), str(emotion.get("clip", "")))
    keys = {name.removeprefix(CLIP) for name in named if name.startswith(CLIP)}
    return keys | ({named[1]} if len(named[1]) == 64 else set())
