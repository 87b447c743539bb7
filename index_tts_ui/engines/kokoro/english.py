"""English text to Kokoro's phonemes: hibari's port of the lexicon and rules the model was trained with."""

from __future__ import annotations

import re
import threading
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


class English:
    """One accent; thread-safe. Unknown words go to hibari's small network, loaded with the first."""

    def __init__(self, british: bool) -> None:
        self._british = british
        self._lock = threading.Lock()
        self._made: Any = None

    def warm(self) -> None:
        """Load the lexicon (about a second) now rather than with the first text."""
        self._g2p()

    def phonemes(self, text: str) -> str:
        """Phonemes of words: numbers and abbreviations are to be in words already."""
        text = _ENDLESS.sub(r"\g<0> ", text.translate(_BRACKETS).replace("_", " "))
        text = _NAME.sub(lambda match: f"[{match[1]}](/{_NAMES[match[1]]}/)", text)
        return str(self._g2p()(text))

    def _g2p(self) -> Any:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    from hibari.g2p import G2P

                    self._made = G2P(british=self._british)
        return self._made
