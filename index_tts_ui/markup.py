"""Markup: what a text says besides its words: pauses, and who speaks. What is no mark is words.

``[pause 0.5s]`` (also ``[pause: 500ms]``, ``[停顿 1秒]``) is silence; ``[voice: NAME]`` (``[音色：NAME]``) gives
what follows to another voice, until the next such mark; ``[voice]`` goes back to the request's own voice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .errors import Invalid
from .speech import Piece

MAX_PAUSE = 10.0  # seconds
MAX_MARKS = 200  # in one text: each costs a split, and maybe ten seconds of silence
# bounded everywhere, so that no text takes long; a link of Markdown, [voice](...), is no mark
_MARK = re.compile(
    r"[\[【［][ \t]{0,4}(?:"
    r"(?:pause|停顿)[ \t]{0,4}[:：]?[ \t]{0,4}(?P<length>[0-9]{1,6}(?:\.[0-9]{1,6})?)[ \t]{0,4}(?P<unit>ms|s|毫秒|秒)[ \t]{0,4}"
    r"|(?:voice|音色)[ \t]{0,4}(?:[:：](?P<voice>[^\[\]【】［］\n]{0,256}))?"
    r"|/(?:voice|音色)[ \t]{0,4}"
    r")[\]】］](?!\()",
    re.I,
)
_UNITS = {"ms": 0.001, "毫秒": 0.001, "s": 1.0, "秒": 1.0}
_ENDS = "。！？!?….؟۔"
_CLOSERS = "\"'”’)）」』】》〉]} \t"
_LINE, _SENTENCE, _CLAUSE = 0.5, 0.3, 0.1  # seconds of silence that is natural there


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text between two marks: ``voice`` as its mark names it ("": the request's own), and the
    silence in seconds that a mark wants behind it (None: as is natural)."""

    text: str
    voice: str = ""
    pause: float | None = None

    @property
    def rest(self) -> float:
        """Seconds of silence that are natural behind it where another voice goes on."""
        text = self.text.rstrip(" \t")
        if text.endswith("\n"):
            return _LINE
        return _SENTENCE if text.rstrip(_CLOSERS)[-1:] in tuple(_ENDS) else _CLAUSE


def parse(text: str) -> list[Span]:
    """``text`` without its marks; only the first span may be empty of words (a pause at the beginning).

    Raises:
        Invalid: a pause that is too long, too many marks.
    """
    spans: list[Span] = []
    voice, start = "", 0
    for number, match in enumerate(_MARK.finditer(text)):
        if number == MAX_MARKS:
            raise Invalid("too_many_marks", param="input", limit=MAX_MARKS)
        words, start = text[start : match.start()], match.end()
        pause = _seconds(match)
        if words.strip():
            spans.append(Span(words, voice, pause))
        elif pause is not None:
            spans = _longer(spans, voice, pause, match.group())
        if pause is None:
            voice = (match["voice"] or "").strip()
    if text[start:].strip() or not spans:
        spans.append(Span(text[start:], voice))
    return spans


def voices(text: str) -> set[str]:
    """The names in its marks. Nothing is raised."""
    return {name for match in _MARK.finditer(text) if (name := (match["voice"] or "").strip())}


def plain(text: str) -> str:
    """The words alone."""
    return _MARK.sub(" ", text)


def joined(found: Sequence[Piece], span: Span, made: Sequence[Piece]) -> list[Piece]:
    """The pieces ``found`` so far, then those ``made`` of ``span``, with its voice and its pause."""
    pieces = [*found, *(replace(piece, voice=span.voice or piece.voice) for piece in made)]
    if span.pause is not None and pieces:
        last = pieces[-1]
        before = last.pause_after if last.marked and not made else 0.0
        pause = min(MAX_PAUSE, before + span.pause)
        pieces[-1] = replace(last, pause_after=pause, marked=True)
    return pieces


def begun(spans: Sequence[Span], pieces: list[Piece]) -> list[Piece]:
    """The same pieces, the first behind the silence that the text begins with."""
    lead = spans[0].pause if spans and not spans[0].text.strip() else None
    return [replace(pieces[0], pause_before=lead), *pieces[1:]] if lead and pieces else pieces


def _seconds(match: re.Match[str]) -> float | None:
    """Of a pause; None: it is no mark of one. Raises Invalid."""
    if match["length"] is None:
        return None
    seconds = float(match["length"]) * _UNITS[match["unit"].lower()]
    return _bounded(seconds, match.group())


def _longer(spans: list[Span], voice: str, pause: float, mark: str) -> list[Span]:
    """A pause behind another one adds to it; one at the very beginning stands alone."""
    if not spans:
        return [Span("", voice, pause)]
    last = spans[-1]
    return [*spans[:-1], replace(last, pause=_bounded((last.pause or 0.0) + pause, mark))]


def _bounded(seconds: float, mark: str) -> float:
    if seconds > MAX_PAUSE:
        raise Invalid("pause_too_long", param="input", mark=mark, limit=f"{MAX_PAUSE:g}")
    return round(seconds, 4)
