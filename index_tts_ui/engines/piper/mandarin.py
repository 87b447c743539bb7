"""Mandarin on its way to espeak-ng: cut where one breathes, and mended where that reads it wrongly.

espeak-ng gives no phoneme for full-width marks, so a voice runs over commas; clauses are spoken one by one instead.
It has no rule for jiong, qiong and xiong, and reads their characters as English letters, and so most words that end
in 儿. Both were found by asking it for every word of a dictionary; such characters are given as bare phonemes,
``[[...]]``, in the letters that it has for their neighbours (zhong is "ts.ˈonɡ").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...text.language import HAN

CLAUSE, SENTENCE = 0.12, 0.3  # seconds of silence
LEAST = 4  # letters of a clause that is spoken by itself
_MARKS = re.compile(r"[，；：。！？…、,;:!?—]+[”’」』）)]*\s*")
_ENDS = re.compile("[。！？!?…]")
_HAN = re.compile(f"[{HAN}]")
_INITIALS = {"jiong": "tɕ", "qiong": "tɕh", "xiong": "ɕ"}
_TONES = {"1": "5", "2": "ɜ", "3": "2", "4": "5", "5": "1"}  # as espeak-ng writes them
_ER = "ˈərɜ"
_ER_BEGINS = frozenset("子童媳孙孫歌科")  # 儿 before these is the first half of a word


def clauses(text: str) -> Iterator[tuple[str, float]]:
    """``text`` in stretches that are spoken in one breath, with the silence behind each, in seconds; 0 at its end."""
    begin = 0
    for mark in _MARKS.finditer(text):
        rest = text[mark.end() :]
        if _letters(text[begin : mark.start()]) < LEAST or not _letters(rest):
            continue
        if _letters(rest) < LEAST and not _ENDS.search(mark[0]):
            continue
        yield text[begin : mark.end()], SENTENCE if _ENDS.search(mark[0]) else CLAUSE
        begin = mark.end()
    yield text[begin:], 0.0


def mended(clause: str) -> str:
    """``clause`` with bare phonemes for what espeak-ng would spell in English. It must hold no brackets of its own."""
    if not _HAN.search(clause):
        return clause
    said = _pinyin(clause)
    made = ""
    for at, char in enumerate(clause):
        sounds = _sounds(clause, at, said[at])
        if sounds:  # a blank on either side parts it from a word, as espeak-ng parts words
            before, after = made[-1:].isalnum(), clause[at + 1 : at + 2].isalnum()
            made += f"{' ' * before}[[{sounds}]]{' ' * after}"
        else:
            made += char
    return made


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _pinyin(clause: str) -> list[str]:
    """The syllable of each character with its tone's number, in its context; "" where it is not Han."""
    from pypinyin import Style, lazy_pinyin

    def absent(others: str) -> Any:  # one for each character; the package's types know only one for all
        return [""] * len(others)

    return lazy_pinyin(clause, Style.TONE3, neutral_tone_with_five=True, errors=absent)


def _sounds(clause: str, at: int, syllable: str) -> str:
    if initial := _INITIALS.get(syllable[:-1]):
        return f"{initial}ˈionɡ{_TONES[syllable[-1]]}"
    follows = at > 0 and _HAN.match(clause[at - 1])
    if clause[at] in "儿兒" and follows and clause[at + 1 : at + 2] not in _ER_BEGINS:
        return _ER
    return ""
