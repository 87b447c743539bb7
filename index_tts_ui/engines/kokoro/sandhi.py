"""Tone sandhi of Mandarin: 一, 不, neutral reduplications and chains of third tones.

The rules are those of Chao, A Grammar of Spoken Chinese (1968), 1.3: a third tone before
a third tone is a second one, inside a word first, then between words from the right.
"""

from __future__ import annotations

from dataclasses import dataclass

_DIGITS = frozenset("零〇一二三四五六七八九幺")
_ORDINAL_AFTER = (
    "月",
    "日",
    "号",
    "楼",
    "班",
    "年级",
    "等",
    "流",
    "线",
    "级",
    "中",
    "区",
    "栋",
    "单元",
    "期",
    "季度",
    "把手",
)
_ORDINAL_BEFORE = "第周初期拜统唯万之单同其合如归专划逐十"
_NEUTRAL_FINALS = frozenset("吗呢吧啊嘛啦呀哇喽")


@dataclass(slots=True)
class Word:
    """A word, its syllables in pinyin ("hao3"), and its commonest part of speech (jieba's letters).

    A ``given`` reading is a user's: its tones stay, and its neighbours follow them.
    """

    text: str
    syllables: list[str]
    flag: str = ""
    given: bool = False


def apply(words: list[Word]) -> None:
    """Change the tones of one phrase (nothing but Han characters, no pause inside) in place."""
    text = "".join(word.text for word in words)
    start = 0
    for word in words:
        for index, char in enumerate(word.text):
            _yi_bu(words, text, start + index, char)
        start += len(word.text)
    for word in words:
        _reduplicated(word)
        _third_tones(word)
    for left, right in zip(reversed(words[:-1]), reversed(words[1:]), strict=True):
        _join_third(left, right)


def _tone(syllable: str) -> str:
    return syllable[-1:]


def _set(word: Word, index: int, tone: str) -> None:
    if not word.given:
        word.syllables[index] = word.syllables[index][:-1] + tone


def _locate(words: list[Word], position: int) -> tuple[Word, int]:
    for word in words:
        if position < len(word.text):
            return word, position
        position -= len(word.text)
    raise IndexError(position)


def _yi_bu(words: list[Word], text: str, position: int, char: str) -> None:
    if char not in "一不":
        return
    word, index = _locate(words, position)
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    following = None
    if after:
        next_word, next_index = _locate(words, position + 1)
        following = next_word.syllables[next_index]
    if before and before == after and before not in _DIGITS:  # 看一看, 好不好
        _set(word, index, "5")
    elif char == "不":
        if _tone(word.syllables[index]) != "5":
            _set(word, index, "2" if following and _falls(following, after) else "4")
    else:
        _set(word, index, _yi(word, text, position, following))


def _falls(syllable: str, char: str) -> bool:
    return _tone(syllable) == "4" or (char == "个" and _tone(syllable) == "5")


def _yi(word: Word, text: str, position: int, following: str | None) -> str:
    before, after = text[position - 1 : position], text[position + 1 :]
    if following is None or (word.text.endswith("一") and len(word.text) > 1):
        return "1"
    if after[0] in _DIGITS or after[0] == "十" or (after[0] == "点" and after[1:2] and after[1] in _DIGITS):
        return "1"
    if before and (before in _DIGITS or before in _ORDINAL_BEFORE):
        return "1"
    if after.startswith(_ORDINAL_AFTER) and not after.startswith(
        ("期间", "线天", "号子", "级棒", "日千里", "中午")
    ):
        return "1"
    return "2" if _falls(following, after[0]) else "4"


def _reduplicated(word: Word) -> None:
    """看看 and 妈妈 end in a neutral syllable; after 想想 the first is heard as a second tone."""
    if len(word.text) != 2 or word.text[0] != word.text[1] or not word.flag.startswith("v"):
        return
    if _tone(word.syllables[0]) == "3":
        _set(word, 0, "2")
    _set(word, 1, "5")


def _third_tones(word: Word) -> None:
    """Pairs from the left; of three the first two, but 1+2 where the word's head is its end."""
    tones = [_tone(syllable) for syllable in word.syllables]
    count = len(tones)
    if count == 3 and tones == ["3", "3", "3"]:
        if word.text[0] in "小老很有好我你" and word.text != "好好好":
            _set(word, 1, "2")
        else:
            _set(word, 0, "2")
            _set(word, 1, "2")
        return
    for index in range(count - 1):
        last_of_foot = count > 3 and index % 2 == 1
        if tones[index] == "3" == tones[index + 1] and not last_of_foot:
            _set(word, index, "2")
    for index in range(count - 2, 0, -1):
        if _tone(word.syllables[index]) == "3" == _tone(word.syllables[index + 1]):
            _set(word, index, "2")


def _join_third(left: Word, right: Word) -> None:
    if _tone(left.syllables[-1]) == "3" == _tone(right.syllables[0]):
        _set(left, len(left.syllables) - 1, "2")


def neutral_final(char: str) -> bool:
    """Whether ``char`` is a particle that ends sentences, always neutral."""
    return char in _NEUTRAL_FINALS
