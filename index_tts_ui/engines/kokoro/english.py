"""English text to Kokoro's phonemes: hibari's port of the lexicon and rules the model was trained with."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

# names that lexicon and rules get wrong; American, and close enough in a British voice
_NAMES = {
    "JSON": "ʤˈAsᵊn",
    "Qwen": "kwˈɛn",
    "nginx": "ˈɛnʤən ˈɛks",
    "SQL": "ˌɛskjˌuˈɛl",
    "YAML": "jˈæmᵊl",
    "GIF": "ɡˈɪf",
    "regex": "ɹˈɛʤɛks",
    "async": "ˈAsɪŋk",
    "Wi-Fi": "wˈIfˌI",
    "WeChat": "wˈiʧˌæt",
    "Xiaomi": "ʃWmˈi",
    "Huawei": "hwˈɑwˌA",
    "Baidu": "bˈIdˌu",
    "DeepSeek": "dˈipsˌik",
}
_NAME = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, _NAMES)) + r")(?![\w-])")
_ENDLESS = re.compile(r"\S{40}")  # hibari's time grows with the cube of a chunk without spaces
_BRACKETS = str.maketrans("[]{}<>", "()()()")  # brackets are hibari's markup for given phonemes


# a word of such letters (clicks, which no text here has) stands for one whose phonemes are given
_SLOT = re.compile("(ǀ[ǁǂ]*ǃ)")
_PLAIN = re.compile("[A-Za-z]+")


def slot(number: int) -> str:
    """What stands for the word of that number, from 0."""
    return "ǀ" + f"{number:b}".translate({48: "ǁ", 49: "ǂ"}) + "ǃ"


def without_slots(text: str) -> str:
    """``text`` without what could be taken for one."""
    return _SLOT.sub("", text)


class English:
    """One accent; thread-safe. Unknown words go to hibari's small network, loaded with the first."""

    def __init__(self, british: bool) -> None:
        self._british = british
        self._lock = threading.Lock()
        self._made: Any = None

    def warm(self) -> None:
        """Load the lexicon (about a second) now rather than with the first text."""
        self._g2p()

    def phonemes(self, text: str, given: Mapping[str, tuple[str, str]] | None = None) -> str:
        """Phonemes of words: numbers and abbreviations are to be in words already.

        ``given``: by their slots, words and their phonemes in the model's letters.
        """
        return str(self._g2p()("".join(self._marked_up(part, given or {}) for part in _SLOT.split(text))))

    def _marked_up(self, text: str, given: Mapping[str, tuple[str, str]]) -> str:
        if text in given:
            word, sounds = given[text]
            return f"[{word if _PLAIN.fullmatch(word) else 'word'}](/{sounds}/)"
        text = _ENDLESS.sub(r"\g<0> ", text.translate(_BRACKETS).replace("_", " "))
        return _NAME.sub(lambda match: f"[{match[1]}](/{_NAMES[match[1]]}/)", text)

    def _g2p(self) -> Any:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    from hibari.g2p import G2P

                    self._made = G2P(british=self._british)
        return self._made
