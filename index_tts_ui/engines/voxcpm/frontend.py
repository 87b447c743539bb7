"""VoxCPM's text half: a text in segments of plain words. Needs no files of the model and no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from ... import text as texts
from ...speech import Piece, Reading, VoiceInfo
from ...text.detect import detect, within
from ...text.language import HAN
from ...text.spanish import normalise_es
from ..glossary import Glossary
from ..marks import Mark, bracketed
from ..protect import STAND_IN, Item, Protected, protect, terms

LEAST_BUDGET, BUDGET, MOST = 20, 100, 200
FIRST_LEAST, FIRST_MOST = 8, 30  # the first segment is short, so that its sound comes soon
LETTERS = 4  # of a Latin word that one token holds, about
_NO_FILES = Glossary()
_COUNTED = re.compile(f"[{HAN}\u3041-\u30ff]|[^\\W\\d_]+|\\d|[^\\w\\s]")
_MARKUP = str.maketrans(
    "()（）[]<>", ",,,,,,,,"
)  # VoxCPM 2 takes a text that begins with (words) for a style


class VoxCPMFrontend:
    """What both versions share; any thread. See ``engines.base.Frontend``.

    Tokens are estimated: the model's tokenizer splits Mandarin into characters, other words into a few parts.
    """

    languages: ClassVar[tuple[str, ...]] = ("zh", "en")
    max_tokens = MOST

    def voices(self) -> Sequence[VoiceInfo]:
        """None is built in: every voice is a clip."""
        return ()

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
        """See ``Frontend.split``; of readings, respellings; of marks, their words. ``budget`` is kept within 20-200."""
        most = max(LEAST_BUDGET, min(BUDGET if budget is None else budget, MOST))
        hidden = protect(text, [bracketed, terms(_NO_FILES, readings)], lambda item: _is_sayable(item, most))
        cleaned = texts.clean(hidden.text)
        own = voice_language.partition("-")[0]
        context = language or detect(
            hidden.worded(cleaned), self.languages, own if own in self.languages else "zh"
        )

        def render(raw: str) -> texts.Rendered:
            tongue = language or within(hidden.worded(raw), self.languages, context)
            said = self._said(raw, tongue, hidden)
            return texts.Rendered(said, tokens(said) if texts.has_words(said) else 0, tongue)

        limits = texts.Limits(most, most, min(FIRST_LEAST, most), min(FIRST_MOST, most))
        pieces = texts.split(cleaned, render, limits)
        return [replace(piece, text=hidden.restored(piece.text)) for piece in pieces]

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens of all pieces of ``text``, about."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))

    def _said(self, raw: str, language: str, hidden: Protected) -> str:
        def word(match: re.Match[str]) -> str:
            item = hidden.items[match[1]]
            if isinstance(item, Mark):
                return item.word
            reading = item.reading(language)
            return item.source if reading is None else reading.said

        return _spoken(STAND_IN.sub(word, raw), language).strip(" ,")


class VoxCPM15Frontend(VoxCPMFrontend):
    """Mandarin and English."""


class VoxCPM2Frontend(VoxCPMFrontend):
    """Of the thirty languages of the model those that are told apart here."""

    languages = ("zh", "en", "ja", "es", "ar")


def tokens(text: str) -> int:
    """About how many the model's tokenizer makes of it."""
    found = _COUNTED.findall(text)
    return sum(max(1, -(-len(part) // LETTERS)) if part[0].isascii() else len(part) for part in found)


def _spoken(text: str, language: str) -> str:
    text = text.translate(_MARKUP)
    if language in ("zh", "en"):
        return texts.normalise(text, language)
    return normalise_es(text) if language == "es" else text


def _is_sayable(item: Item, most: int) -> bool:
    """Of a mark the model hears the word, which is not cut: it takes no pinyin and no phonemes."""
    if isinstance(item, Mark):
        return tokens(item.word) <= most
    return any(said.kind == "respelling" for said in item.readings.values())
