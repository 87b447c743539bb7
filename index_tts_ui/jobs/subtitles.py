"""Subtitles of a job: one cue for each of its segments."""

from __future__ import annotations

from collections.abc import Sequence

from .. import audio
from ..audio import SUBTITLES as FORMATS
from .sound import Placed

__all__ = ["FORMATS", "subtitles"]


def subtitles(fmt: str, parts: Sequence[Placed]) -> str:
    """``fmt`` is a key of ``FORMATS``."""
    return audio.subtitles(fmt, (audio.Cue(part.begins, part.ends, part.segment.text) for part in parts))
