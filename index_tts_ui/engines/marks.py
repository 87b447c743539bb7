"""Pronunciation marks: what a user writes to say a word in a way of their own, and which marks each engine knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..speech import Reading
from ..text.language import HAN

Kind = Literal["han", "english", "kana", "pinyin"]


@dataclass(frozen=True, slots=True)
class MarkKind:
    """A kind of mark for the page: ``before`` and ``after`` go around the selected word, or around ``word``."""

    kind: Kind
    label: str
    label_zh: str
    help: str
    help_zh: str
    before: str
    word: str
    after: str
    example: str  # a sentence that uses it


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark in a text: ``source`` as written, the ``word`` it stands for, its ``reading`` as the models spell it."""

    kind: Kind
    source: str
    word: str
    reading: str


_HAN_KIND = MarkKind(
    *("han", "Chinese reading", "汉字读音"),
    "The word, then its pinyin with tone numbers (5: neutral)",
    "词语，竖线，再写带声调数字的拼音（5 为轻声）",
    *("<", "行", "|XING2>", "他在银<行|HANG2>门口<行|XING2>走。"),
)
_ENGLISH_KIND = MarkKind(
    *("english", "English reading", "英文读音"),
    "The word, then its ARPAbet phonemes; a point between syllables",
    "单词，竖线，再写 ARPAbet 音素；音节之间用点分开",
    *("<", "minute", "|M IH1 . N AH0 T>", "Wait a <minute|M IH1 . N AH0 T>, please."),
)
_KANA_KIND = MarkKind(
    *("kana", "Japanese reading", "日文读音"),
    "The word, then its kana",
    "词语，竖线，再写假名",
    *("<", "今日", "|キョウ>", "<今日|キョウ>はいい天気です。"),
)
_PINYIN_KIND = MarkKind(
    *("pinyin", "Pinyin", "拼音"),
    "Pinyin with its tone number in place of the character",
    "用带声调数字的拼音代替汉字",
    *("", "xuan4", "", "晕xuan4是一种感觉。"),
)
_KINDS: dict[str, tuple[MarkKind, ...]] = {
    "2.5": (_HAN_KIND, _ENGLISH_KIND, _KANA_KIND, _PINYIN_KIND),
    "2": (_PINYIN_KIND, _HAN_KIND),
}


def kinds(version: str) -> tuple[MarkKind, ...]:
    """The marks that version "2" or "2.5" speaks, commonest first."""
    return _KINDS[version]


_BRACKETED = re.compile(r"[<＜]([^<>＜＞|｜\n]{1,64})[|｜]([^<>＜＞|｜\n]{1,200})[>＞]")
# the syllables of Mandarin: initials, then the finals they take; V is ü
_TABLE = """
b:a o ai ei ao an en ang eng i ie iao ian in ing u
p:a o ai ei ao ou an en ang eng i ie iao ian in ing u
m:a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u
f:a o ei ou an en ang eng u
d:a e ai ei ao ou an en ang eng ong i ia ie iao iu ian ing u uo ui uan un
t:a e ai ao ou an ang eng ong i ie iao ian ing u uo ui uan un
n:a e ai ei ao ou an en ang eng ong i ie iao iu ian in iang ing u uo uan v ve ue
l:a o e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve ue
g k h:a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang
j q x:i ia ie iao iu ian in iang ing iong u ue uan un v ve van vn
zh ch:a e i ai ao ou an en ang eng ong u ua uo uai ui uan un uang
sh:a e i ai ei ao ou an en ang eng u ua uo uai ui uan un uang
r:e i ao ou an en ang eng ong u ua uo ui uan un
z c:a e i ai ao ou an en ang eng ong u uo ui uan un
s:a e i ai ao ou an en ang eng ong u uo ui uan un
y:a o e ai ao ou i an in ang ing ong u ue uan un
w:a o ai ei u an en ang eng
:a o e ai ei ao ou an en ang eng er ng zei zhei dei
"""
_ROWS = [line.split(":") for line in _TABLE.split("\n") if line]
_SYLLABLES = {
    initial + final
    for initials, finals in _ROWS
    for initial in initials.split() or [""]
    for final in finals.split()
}
_LONGEST_FIRST = sorted(_SYLLABLES | {name.replace("v", "ü") for name in _SYLLABLES}, key=len, reverse=True)
_SYLLABLE = rf"(?:{'|'.join(_LONGEST_FIRST)})[1-5]"
_READING = re.compile(rf"{_SYLLABLE}(?: ?{_SYLLABLE})*", re.I)
_JOINED = re.compile(rf"(?:{_SYLLABLE})+", re.I)
_ONE = re.compile("[A-ZÜ]+[1-5]", re.I)
# lower or upper case as in 晕xuan4 and 打DI1去; Gen2, Mi4 and A4 are names
_PINYIN = re.compile(
    rf"(?<![A-Za-z])(?=(?:[a-zü]+\d)+(?![A-Za-z])|(?:[A-ZÜ]{{2,}}\d)+(?![A-Za-z]))(?i:{_SYLLABLE})+(?![0-9A-Za-z]|\.\d)"
)
_KANA = re.compile("[\u3041-\u3096ー]+|[\u30a1-\u30faー]+")
_HAN = re.compile(f"[{HAN}]")
_PHONE_LIST = (
    "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
)
_VOWELS = frozenset(_PHONE_LIST.split()[:15])
_CONSONANTS = frozenset(_PHONE_LIST.split()[15:])


def bracketed(text: str) -> Iterator[tuple[int, int, Mark]]:
    """Every good ``<word|reading>`` as (start, end, mark); one whose reading nobody can say is plain text."""
    for match in _BRACKETED.finditer(text):
        mark = _checked(match.group(), match[1].strip(), " ".join(match[2].split()))
        if mark is not None:
            yield match.start(), match.end(), mark


def pinyin(text: str) -> Iterator[tuple[int, int, Mark]]:
    """Every syllable (or more, unspaced) with a tone number that stands for a character, as (start, end, mark)."""
    for match in _PINYIN.finditer(text):
        yield match.start(), match.end(), Mark("pinyin", match.group(), "", umlauts(match.group().upper()))


def plain(text: str) -> str:
    """``text`` where bad marks are their word and reading, without the brackets."""
    return _BRACKETED.sub(r"\1 \2", text)


def of_reading(source: str, reading: Reading) -> Mark | None:
    """The mark that says ``source`` as pinyin or phonemes; None where they are none, and for a respelling."""
    said = " ".join(reading.said.split())
    if reading.kind == "pinyin" and not bad_pinyin(said):
        return Mark("han", source, source, said.upper().replace("Ü", "V"))
    if reading.kind == "phonemes" and not bad_phone(said):
        return Mark("english", source, source, said.upper())
    return None


def bad_pinyin(said: str) -> str:
    """The first part of ``said`` that is no syllable (or more) with its tone number; "" where all are."""
    parts = said.split() or [said]
    return next((part or "''" for part in parts if not _JOINED.fullmatch(part)), "")


def bad_phone(said: str) -> str:
    """The first part of ``said`` that is no phoneme of ARPAbet; "" where all are."""
    parts = [part for part in said.split() if part != "."] or [said.strip() or "''"]
    return next((part for part in parts if not _is_phone(part.upper())), "")


def syllables(reading: str) -> list[str]:
    """The syllables of a mark's pinyin, in small letters: "HANG2ZHANG3" is hang2, zhang3."""
    return _ONE.findall(reading.lower().replace("ü", "v"))


def umlauts(reading: str) -> str:
    """Pinyin as the vocabulary of version 2 spells it: V for every ü, also for the u of JU, QU and XU."""
    reading = reading.replace("Ü", "V")
    return re.sub(r"([JQX])U(?=[1-5]|AN|E|N)", r"\1V", reading)


def _checked(source: str, word: str, reading: str) -> Mark | None:
    if not word:
        return None
    if _KANA.fullmatch(reading):
        return Mark("kana", source, word, reading)
    if _HAN.search(word):
        good = _READING.fullmatch(reading)
        return Mark("han", source, word, reading.upper().replace("Ü", "V")) if good else None
    return None if bad_phone(reading) else Mark("english", source, word, reading.upper())


def _is_phone(phone: str) -> bool:
    return phone in _CONSONANTS or (phone.rstrip("012") in _VOWELS and len(phone) <= 3)
