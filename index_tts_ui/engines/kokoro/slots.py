"""Given readings on their way through normalising: a character or a word stands for each, by its script."""

from __future__ import annotations

import re

from ... import text as texts
from ...speech import Reading
from ...text.language import HAN
from ..marks import Mark, of_reading, syllables
from ..protect import STAND_IN, Item, Protected
from .english import slot, without_slots
from .given import to_symbols, unknown_phoneme
from .mandarin import FILLER, Given

# rare Han characters: to every rule of Mandarin each is a character like any other
_FIRST, _LAST = 0x30000, 0x313FF
_HAN_SLOT = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_ALL_HAN = re.compile(f"[{HAN}]+")


class Slots:
    """Of one stretch of text, in an accent. ``latin``: the words whose phonemes are given, by their slots."""

    def __init__(self, british: bool) -> None:
        self.latin: dict[str, tuple[str, str]] = {}
        self._british = british
        self._han: dict[str, tuple[str, list[str]]] = {}

    def put(self, text: str, hidden: Protected, language: str) -> str:
        """``text`` with a slot for each given reading, and respellings where they belong."""
        parts = STAND_IN.split(text)
        return "".join(
            self._item(hidden.items[part], language) if odd % 2 else _HAN_SLOT.sub("", without_slots(part))
            for odd, part in enumerate(parts)
        )

    def filled(self, token: str) -> tuple[str, list[Given]]:
        """A stretch of Han characters and slots as plain characters, and what is given of it."""
        text, given = "", []
        for char in token:
            word, said = self._han.get(char, (char, []))
            if said:
                given.append((len(text), said))
            text += word
        return text, given

    def _item(self, item: Item, language: str) -> str:
        if isinstance(item, Mark):
            return self._mark(item, language)
        reading = item.reading(language)
        if reading is None:
            return item.source
        return self._reading(item.source, reading)

    def _reading(self, source: str, reading: Reading) -> str:
        if reading.kind == "respelling":
            return texts.clean(reading.said)
        if reading.kind == "phonemes":
            known = not unknown_phoneme(reading.said)
            return self._phonemes(source, to_symbols(reading.said, self._british)) if known else source
        mark = of_reading(source, reading)
        return source if mark is None else self._pinyin(source, mark.reading)

    def _mark(self, mark: Mark, language: str) -> str:
        if mark.kind == "english":
            return self._phonemes(mark.word, to_symbols(mark.reading, self._british))
        if mark.kind == "han" or (mark.kind == "pinyin" and language == "zh"):
            return self._pinyin(mark.word, mark.reading)
        return mark.word or mark.source  # kana is for a model that speaks Japanese

    def _phonemes(self, word: str, sounds: str) -> str:
        name = slot(len(self.latin))
        self.latin[name] = word, sounds
        return name

    def _pinyin(self, word: str, reading: str) -> str:
        said = syllables(reading)
        name = chr(min(_LAST, _FIRST + len(self._han)))
        whole = _ALL_HAN.fullmatch(word) and len(word) == len(said)
        self._han[name] = (word if whole else FILLER * len(said)), said
        return name
