"""Han text to Kokoro's phonemes: words, readings in context, sandhi, er-coloured finals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from ...text.language import HAN
from ...text.words import Segmenter, segmenter
from . import polyphones, sandhi
from .sandhi import Word
from .syllables import phonemes

_HAN_RUN = re.compile(f"[{HAN}]+")
# dictionary entries that pull a word's end into the next word
_BAD_WORDS = ("跑得快", "市里", "把门", "很感兴趣")
# jieba sees 万一 in 一万一千
_NUMBER = re.compile("[零〇一二三四五六七八九十百千万亿两点幺]{3,}")
_NUMBER_PART = re.compile("[^十百千万亿点]?[十百千万亿]+|点|[^十百千万亿点]+")
# 儿 is a syllable of its own here; elsewhere behind another character it colours that one's final
_REAL_ER = re.compile("(?:^|[女婴幼孤少胎宠健患托育生产小男妻])儿$|^儿")
FILLER = "某"  # a character for each syllable that is given for something else than Han characters
# where in a text somebody's own reading begins, and its syllables, one for each character
Given = tuple[int, list[str]]
_CODA = re.compile("(?:(?<=[aeəɛo])i(?=[→↗↓↘]?$)|n$)")


class Mandarin:
    """Thread-safe; making one loads jieba's and pypinyin's dictionaries (1-2 s)."""

    def __init__(self) -> None:
        from pypinyin import Style, lazy_pinyin
        from pypinyin.constants import PHRASES_DICT
        from pypinyin.seg.mmseg import seg
        from wetext import Normalizer

        self._lazy_pinyin, self._style = lazy_pinyin, Style.TONE3
        self._dictionary: dict[str, Any] = PHRASES_DICT
        self._parts: Any = seg
        self._from_dictionary = lru_cache(maxsize=8192)(self._look_up)
        self._phrases = polyphones.phrases()
        self._neutral = polyphones.neutral_words()
        self._full_zi = polyphones.full_zi_words()
        self._fixed = polyphones.fixed()
        self._simplifier: Any = Normalizer(lang="zh", operator="tn", traditional_to_simple=True)
        self._segmenter: Segmenter = segmenter()
        self._segmenter.add(word for word in self._phrases if len(word) > 1)
        self._segmenter.forget(_BAD_WORDS)

    def phonemes(self, text: str, given: Sequence[Given] = ()) -> str:
        """Phonemes of ``text``, nothing but Han characters; one space between words."""
        return " ".join("".join(_sounds(word)) for word in self.words(text, given))

    def pinyin(self, text: str) -> list[str]:
        """The syllables of ``text`` as spoken, after sandhi: "ni2", "hao3"."""
        return [syllable for word in self.words(text) for syllable in word.syllables]

    def words(self, text: str, given: Sequence[Given] = ()) -> list[Word]:
        """The words of one phrase with their spoken syllables; those that are ``given`` stay as they are."""
        text = self._simplified(text)
        words: list[Word] = []
        start = 0
        for word, said in self._cut_around(text, given):
            before, after = text[max(0, start - 12) : start], text[start + len(word) : start + len(word) + 16]
            previous = words[-1] if words else None
            syllables = said or self._readings(word, before, after, previous)
            words.append(Word(word, syllables, self._segmenter.flags.get(word, ""), bool(said)))
            start += len(word)
        sandhi.apply(words)
        for spoken in words:
            if spoken.text in self._fixed and not spoken.given:
                spoken.syllables[:] = self._fixed[spoken.text]
        return words

    def _simplified(self, text: str) -> str:
        """``text`` in simplified characters, which the dictionaries know better; one for one."""
        simple = str(self._simplifier.normalize(text))
        return simple if len(simple) == len(text) else text

    def _cut_around(self, text: str, given: Sequence[Given]) -> Iterator[tuple[str, list[str]]]:
        done = 0
        for start, said in given:
            yield from ((word, []) for word in self._cut(text[done:start]))
            done = start + len(said)
            yield text[start:done], list(said)
        yield from ((word, []) for word in self._cut(text[done:]))

    def _cut(self, text: str) -> Iterator[str]:
        start = 0
        for number in _NUMBER.finditer(text):
            yield from self._segmenter.cut(text[start : number.start()])
            yield from _NUMBER_PART.findall(number.group())
            start = number.end()
        yield from self._segmenter.cut(text[start:])

    def _readings(self, word: str, before: str, after: str, previous: Word | None) -> list[str]:
        if word in self._phrases:
            return list(self._phrases[word])
        if len(word) == 1 and word == "地" and previous and _adverbial(previous, after):
            return ["de5"]
        syllables = self._parts_read(word, before, after)
        if word in self._neutral or (len(word) > 1 and word[-1] == "们") or sandhi.neutral_final(word):
            syllables[-1] = syllables[-1][:-1] + "5"
        elif word in self._full_zi:
            syllables[-1] = "zi3"
        return syllables

    def _parts_read(self, word: str, before: str, after: str) -> list[str]:
        """The dictionary's reading of ``word`` or of its longest parts, else of characters in context."""
        syllables: list[str] = []
        for part in [word] if word in self._dictionary else self._parts.cut(word):
            done = len(syllables)
            rest = word[done + len(part) :] + after
            found = polyphones.in_context(part, before + word[:done], rest) if len(part) == 1 else None
            syllables += [found] if found else self._phrases.get(part) or self._from_dictionary(part)
        return syllables

    def _look_up(self, word: str) -> tuple[str, ...]:
        found = self._lazy_pinyin(word, style=self._style, neutral_tone_with_five=True, errors=_unread)
        return tuple(map(str, found)) if len(found) == len(word) else ("",) * len(word)


def _unread(chars: str) -> Any:
    """pypinyin's hook for characters it does not know: one empty syllable each."""
    return [""] * len(chars)


def _adverbial(previous: Word, after: str) -> bool:
    """Whether 地 behind ``previous`` makes an adverb of it (慢慢地走), not ground (这块地)."""
    if not _HAN_RUN.match(after):
        return False
    return len(previous.text) > 1 and not previous.flag.startswith(("n", "r", "m", "q", "f", "s"))


def _sounds(word: Word) -> list[str]:
    sounds = [_sound(syllable) for syllable in word.syllables]
    coloured = len(word.text) > 1 and word.text.endswith("儿") and not _REAL_ER.search(word.text)
    if coloured and not (word.given and word.syllables[-1] != "er5"):
        sounds[-2:] = [_CODA.sub("", sounds[-2]) + "ɚ"]
    return sounds


@lru_cache(maxsize=4096)
def _sound(syllable: str) -> str:
    """Phonemes, or nothing for a character that no dictionary reads."""
    try:
        return phonemes(syllable)
    except ValueError:
        return ""
