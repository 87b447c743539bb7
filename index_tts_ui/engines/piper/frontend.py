"""Piper's text half: a text in segments of plain words for a voice of one language. Needs no package and no model."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ... import text as texts
from ...errors import Invalid
from ...speech import Piece, Reading, VoiceInfo
from ...text.language import HAN
from ...text.spanish import normalise_es
from ..glossary import Glossary
from ..marks import Mark, bracketed
from ..protect import STAND_IN, Item, Protected, protect, terms
from .scripts import approached, readable
from .voices import look, tongue

log = logging.getLogger("tts.piper")
LEAST_BUDGET, BUDGET, MOST = 20, 100, 200
FIRST_LEAST, FIRST_MOST = 8, 30  # the first segment is short, so that its sound comes soon
LETTERS = 4  # of a word that count as a token
_NO_FILES = Glossary()
_COUNTED = re.compile(f"[{HAN}]|[^\\W\\d_]+|\\d|[^\\w\\s]")
_BRACKETS = str.maketrans("[]{}<>", ",,,,,,")  # two of the first would begin bare phonemes


class PiperFrontend:
    """Any thread. See ``engines.base.Frontend``. ``model``: the folder of the voices, looked through once."""

    max_tokens = MOST

    def __init__(self, model: Path) -> None:
        self._folder = look(model)
        self._infos = self._folder.infos()
        for problem in self._folder.problems:
            log.warning("a voice of piper is left out: %s", problem)

    def voices(self) -> Sequence[VoiceInfo]:
        """Every speaker of every voice that is whole, Mandarin first."""
        return self._infos

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
        """See ``Frontend.split``; of readings, respellings. ``budget`` is kept within 20-200.

        Raises Invalid where the voice does not speak ``language``, or nearly all of the text is in another script.
        """
        own = tongue(voice_language)
        hidden = protect(text, (bracketed, terms(_NO_FILES, readings)), _is_sayable)
        cleaned = texts.clean(hidden.text)
        if language not in ("", own) or not readable(hidden.worded(cleaned), own):
            known = ", ".join(self._folder.languages())
            raise Invalid(
                "voice_tongue", param="language" if language else "input", language=own, known=known
            )

        def render(raw: str) -> texts.Rendered:
            said = _said(raw, own, hidden)
            return texts.Rendered(said, tokens(said) if texts.has_words(said) else 0, own)

        most = max(LEAST_BUDGET, min(BUDGET if budget is None else budget, MOST))
        limits = texts.Limits(most, most, min(FIRST_LEAST, most), min(FIRST_MOST, most))
        pieces = texts.split(cleaned, render, limits)
        return [replace(piece, text=hidden.restored(piece.text)) for piece in pieces]

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens of all pieces of ``text``."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))


def tokens(text: str) -> int:
    """A Han character, four letters of a word, a digit or a mark is one."""
    found = _COUNTED.findall(text)
    return sum(max(1, -(-len(part) // LETTERS)) if part[0].isalpha() else 1 for part in found)


def _said(raw: str, language: str, hidden: Protected) -> str:
    def word(match: re.Match[str]) -> str:
        item = hidden.items[match[1]]
        if isinstance(item, Mark):
            return item.word  # espeak-ng finds its sounds
        reading = item.reading(language)
        return item.source if reading is None else reading.said

    text = STAND_IN.sub(word, raw).translate(_BRACKETS)
    return approached(_in_words(text, language), language).strip(" ,")


def _in_words(text: str, language: str) -> str:
    """Numbers in words where this project knows how; else espeak-ng says them."""
    if language in ("zh", "en"):
        return texts.normalise(text, language)
    return normalise_es(text) if language == "es" else text


def _is_sayable(item: Item) -> bool:
    return isinstance(item, Mark) or any(said.kind == "respelling" for said in item.readings.values())
