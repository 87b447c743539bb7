"""The frontend of servers elsewhere: it cuts a text into sentences and leaves all else of it to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from .. import text as texts
from ..speech import Piece, Reading, VoiceInfo
from .glossary import Glossary
from .marks import bracketed
from .protect import STAND_IN, Item, Protected, Term, protect, terms

# The models behind speech APIs speak a sentence or two at a time best; their tokens are about these.
LIMITS = texts.Limits(budget=120, target=100, first_least=12, first_most=60, longest=400)
LEAST_BUDGET = 20
LETTERS = 4.0  # Latin letters to a token
_NO_FILES = Glossary()


class RemoteFrontend:
    """``voices``: what there is now. ``spoken`` is the text with its respellings; who speaks it sees to the rest."""

    max_tokens = 400

    def __init__(self, voices: Callable[[], Sequence[VoiceInfo]] = tuple) -> None:
        self._voices = voices

    def voices(self) -> Sequence[VoiceInfo]:
        """Those of the servers, as far as they are known."""
        return self._voices()

    def unsayable(self, reading: Reading) -> str:
        """Any other text will do."""
        return ""

    def split(
        self,
        text: str,
        language: str = "",
        voice_language: str = "zh-CN",
        budget: int | None = None,
        readings: Sequence[Reading] = (),
    ) -> list[Piece]:
        """See ``Frontend.split``; of readings, respellings."""
        hidden = protect(text, [bracketed], lambda item: True)
        default = language or ("zh" if voice_language.startswith("zh") else "en")

        def render(raw: str) -> texts.Rendered:
            tongue = language or texts.dominant(hidden.worded(raw), default)
            said = raw.strip()
            return texts.Rendered(said, _tokens(hidden.worded(said)) if texts.has_words(said) else 0, tongue)

        limits = LIMITS
        if budget is not None:
            limits = replace(LIMITS, budget=max(LEAST_BUDGET, min(budget, self.max_tokens)))
        pieces = texts.split(texts.clean(hidden.text), render, limits)
        return [_restored(piece, hidden, readings) for piece in pieces]

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """An estimate."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))


def respelled(text: str, readings: Sequence[Reading], language: str, marks: bool = True) -> str:
    """``text`` with the respellings said; unless ``marks`` are known where it goes, the words alone of those."""
    found = terms(_NO_FILES, [one for one in readings if one.kind == "respelling"])
    hidden = protect(text, [found] if marks else [bracketed, found], lambda item: True)
    return STAND_IN.sub(lambda match: _said(hidden.items[match[1]], language), hidden.text)


def _said(item: Item, language: str) -> str:
    if not isinstance(item, Term):
        return item.word
    reading = item.reading(language)
    return item.source if reading is None else reading.said


def _restored(piece: Piece, hidden: Protected, readings: Sequence[Reading]) -> Piece:
    text, spoken = hidden.restored(piece.text), hidden.restored(piece.spoken)
    return replace(piece, text=text, spoken=respelled(spoken, readings, piece.language))


def _tokens(text: str) -> int:
    """About what models take it for: one for a character of Han or kana, or a digit, a quarter for other letters."""
    wide = sum(char.isdigit() or (char.isalpha() and ord(char) >= 0x2E80) for char in text)
    return max(1, math.ceil(wide + (len(text) - wide) / LETTERS))


class RemoteEngine:
    """There is no engine here: the registry names one, and nothing makes it."""
