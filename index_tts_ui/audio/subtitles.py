"""SRT and WebVTT of what was spoken: one cue for each segment, at the time at which it sounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SUBTITLES = {"srt": "application/x-subrip", "vtt": "text/vtt"}


class Cue(NamedTuple):
    """``text`` sounds from ``begins`` to ``ends``, in seconds."""

    begins: float
    ends: float
    text: str


def subtitles(fmt: str, cues: Iterable[Cue]) -> str:
    """``fmt`` is a key of ``SUBTITLES``."""
    point = "." if fmt == "vtt" else ","
    written = []
    for number, cue in enumerate(cues, 1):
        times = f"{_clock(cue.begins, point)} --> {_clock(cue.ends, point)}"
        written.append(f"{number}\n{times}\n{_text(fmt, cue.text)}\n")
    return ("WEBVTT\n\n" if fmt == "vtt" else "") + "\n".join(written)


def _text(fmt: str, text: str) -> str:
    """On one line; nothing in it may end the cue or be taken for markup."""
    line = " ".join(text.split())
    if fmt == "vtt":
        return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return line.replace("-->", "→")


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
