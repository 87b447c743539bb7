"""Mandarin word boundaries: jieba's dictionary, without its cache file, log lines and global state."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

_lock = threading.Lock()
_loaded: Segmenter | None = None


class Segmenter:
    """Cuts Han text into words and knows each word's commonest part of speech.

    Thread-safe once made (jieba only reads its tables then). Making one takes about a second.
    """

    def __init__(self) -> None:
        import jieba

        self._jieba = jieba.Tokenizer()
        self.flags: dict[str, str] = {}
        with self._jieba.get_dict_file() as lines:
            self._load(lines)

    def _load(self, lines: Iterable[bytes]) -> None:
        # jieba's own loader writes a cache that any user of the machine could have put there
        frequencies: dict[str, int] = {}
        total = 0
        for line in lines:
            word, frequency, flag = line.decode("utf-8").split()
            frequencies[word] = int(frequency)
            self.flags[word] = flag
            total += int(frequency)
        for word in list(frequencies):
            for end in range(1, len(word)):
                frequencies.setdefault(word[:end], 0)
        self._jieba.FREQ, self._jieba.total, self._jieba.initialized = frequencies, total, True

    def add(self, words: Iterable[str]) -> None:
        """Make every one of ``words`` a word that is not cut."""
        for word in words:
            self._jieba.add_word(word)

    def forget(self, words: Iterable[str]) -> None:
        """Drop dictionary entries that cut sentences wrongly."""
        for word in words:
            self._jieba.FREQ[word] = 0

    def cut(self, text: str) -> Iterator[str]:
        """The words of ``text``, in order; joined they are ``text``."""
        # without HMM: guessed words (这都) hide the contexts that readings depend on
        return self._jieba.cut(text, HMM=False)


def segmenter() -> Segmenter:
    """The process's one segmenter, made at its first use."""
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = Segmenter()
    return _loaded


def warm() -> Any:
    """Load the dictionary now rather than with the first text."""
    return segmenter()
