"""SRT and WebVTT of what was spoken: one cue for each segment, at the time at which it sounds."""

from __future__ import annotations

from collections.abc import Sequence

from .sound import Placed

FORMATS = {"srt": "application/x-subrip", "vtt": "text/vtt"}


def subtitles(fmt: str, parts: Sequence[Placed]) -> str:
    """``fmt`` is a key of ``FORMATS``."""
    point = "." if fmt == "vtt" else ","
    cues = []
    for number, part in enumerate(parts, 1):
        times = f"{_clock(part.begins, point)} --> {_clock(part.ends, point)}"
        cues.append(f"{number}\n{times}\n{_text(fmt, part.segment.text)}\n")
    return ("WEBVTT\n\n" if fmt == "vtt" else "") + "\n".join(cues)


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
