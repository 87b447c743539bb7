"""The formats speech is sent in."""

from __future__ import annotations

from dataclasses import dataclass

LABEL = "AI-generated speech"  # goes into the container's comment, where it has one


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """``media_type`` for Content-Type; ``extension`` for file names, without the dot."""

    media_type: str
    extension: str


FORMATS: dict[str, FormatInfo] = {
    "mp3": FormatInfo("audio/mpeg", "mp3"),
    "opus": FormatInfo("audio/ogg", "opus"),
    "aac": FormatInfo("audio/aac", "aac"),
    "flac": FormatInfo("audio/flac", "flac"),
    "wav": FormatInfo("audio/wav", "wav"),
    "pcm": FormatInfo("audio/pcm", "pcm"),
}
