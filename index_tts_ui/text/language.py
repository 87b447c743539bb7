"""Which language a stretch of text is to be read in: Mandarin ("zh") or English ("en")."""

from __future__ import annotations

import re

HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK_MARKS = "，。！？；：、（）《》〈〉「」『』【】“”‘’—…～·"
_HAN = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ʯ]+(?:['’][A-Za-z]+)*")
_STRETCH = re.compile(f"([{HAN}{CJK_MARKS}]+)")
# digits that touch a Han character are counted in Mandarin: 版本2, 3只
_EDGES = re.compile(r"^(\s*[\d.,%:/-]*)(.*?)([\d.,%:/-]*\s*)$", re.S)
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,99}|(?:https?://|www\.)[!-~]+")
_FUNCTION_WORD_LIST = (
    "a an the is are was were be been am i you he she it we they my your his her our their this that these those"
    " have has had do does did will would can could should not and or but if of to in on at for with from by as"
    " what who when where why how there"
)
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def has_words(text: str) -> bool:
    """Whether anything in ``text`` is a letter or digit, in any script."""
    return any(char.isalnum() for char in text)


def dominant(text: str, default: str = "zh") -> str:
    """The language most of ``text`` is in: a Han character weighs as much as a Latin word."""
    text = _ADDRESS.sub("", text)
    han, latin = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if not han and not latin:
        return default
    return "zh" if han >= latin else "en"


def is_prose(text: str) -> bool:
    """Whether Latin ``text`` is an English phrase, not only names inside Mandarin ("iPhone 15 Pro")."""
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    return len(words) >= 5 or (len(words) >= 3 and any(word in _FUNCTION_WORDS for word in words))


def runs(text: str, default: str = "") -> list[tuple[str, str]]:
    """``text`` as stretches of one reading language, in order; joined they are ``text``.

    Names and numbers inside Mandarin belong to it; an English phrase is its own run. Text
    with no Han is English where it has letters, unless ``default`` is "zh" and it is no
    phrase; text with no letters at all follows ``default`` ("zh" where that is empty).
    """
    if not _HAN.search(text):
        return [(_language_without_han(text, default), text)] if text else []
    found: list[tuple[str, str]] = []
    for part in _STRETCH.split(text):
        for language, stretch in _stretch(part):
            if found and found[-1][0] == language:
                found[-1] = (language, found[-1][1] + stretch)
            elif stretch:
                found.append((language, stretch))
    return found


def _language_without_han(text: str, default: str) -> str:
    if not _LATIN_WORD.search(text):
        return default or "zh"
    return "zh" if default == "zh" and not is_prose(text) else "en"


def _stretch(part: str) -> list[tuple[str, str]]:
    if _STRETCH.fullmatch(part) or not is_prose(part):
        return [("zh", part)]
    before, middle, after = _EDGES.match(part).groups()  # type: ignore[union-attr]
    return [("zh", before), ("en", middle), ("zh", after)]
