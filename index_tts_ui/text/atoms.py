"""Atoms: what must not be cut (a word, a number with its unit, an address), and the marks between."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from .language import HAN
from .units import CURRENCIES, UNITS, pattern
from .words import segmenter

_CLOSERS = "\"'”’)）」』】》〉]}"
_ENDERS = "。！？!?…؟۔"
_CLAUSE = "，,、；;：:—،؛"
_ABBREVIATION = (
    r"(?:Mrs?|Ms|Dra?|Prof|Sra|Srta|Uds?|St|Gen|Capt|Lt|Sgt|Rev|Hon|Jr|Sr|vs|e\.g|i\.e|etc|approx|Inc|Ltd|Corp|Co|Ave|Blvd"
    r"|[dD]ept|Mt|No|Nos|Fig|Figs|Eq|Vol|pp|Ch|Sec|a\.m|p\.m|A\.M|P\.M"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|(?:[A-Z]\.){1,6}[A-Z])\.|[A-Z]\.(?= [A-Z])"
)
# these may end a sentence; the others never do
_MAY_END = re.compile(r"(?:etc|Jr|Inc|Ltd|Corp|Co|Ave|Blvd|[ap]\.m|[AP]\.M)\.$")
_MEASURE = (
    "平方公里|平方米|立方米|公里|千米|厘米|毫米|公斤|千克|毫克|小时|分钟|摄氏度|个月|年代|世纪|美元|欧元|英镑|日元|港元|港币|人民币"
    "|[个只条张位名天年月日号点分秒时周岁次种本台辆家间座倍米块元角斤克吨升杯度页章节集期届层楼路人步遍]"
)
_NUMBER = (
    rf"(?:(?:{pattern(CURRENCIES)}|[¥￥])\s?)?[+\-−]?\d+(?:[.,:：/·]\d+|[-~～–—－×]\d+)*"
    rf"(?:\s?(?:[万亿千百多余几]{{1,3}})?(?:{_MEASURE}|(?:{pattern(UNITS)}|st|nd|rd|th|pm|am|[ap]\.m\.)(?![A-Za-z]))"
    rf"|[万亿千百]{{1,2}})?"
)
# vowel signs of Arabic are no letters to ``re``, but belong to their word
_LETTERS = rf"(?:[^\W{HAN}]|(?<=[\u0620-\u06ff])[\u064b-\u065f\u0670])+"
_ATOM = re.compile(
    r"(?P<address>(?:https?|ftp)://(?:[A-Za-z0-9./\-_?=&@:%#~+]|[,;](?=[A-Za-z0-9]))+(?<![.?&])|www\.[A-Za-z0-9./\-_?=&%#~]+(?<![.?&])"
    r"|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})"
    rf"|(?P<abbreviation>(?<![A-Za-z0-9.])(?:{_ABBREVIATION}))"
    r"|(?P<name>(?=[A-Za-z0-9_-]{0,63}[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[a-z0-9][A-Za-z0-9_-]{0,62}){1,8})"
    rf"|(?P<number>{_NUMBER})"
    rf"|(?P<han>[{HAN}]+)"
    rf"|(?P<word>{_LETTERS}(?:['’\-]{_LETTERS})*)"
    r"|(?P<newline>\n)|(?P<space> +)"
    rf"|(?P<end>[{_ENDERS}.]+)|(?P<clause>[{_CLAUSE}]+)|(?P<other>.)",
    re.S,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A place in a text where it may be cut, and the silence, in seconds, that belongs there."""

    position: int
    pause: float


_LIST_NUMBER = re.compile(r"(?:^|\n)\d{1,3}$")


def sentences(text: str) -> list[tuple[str, float, bool]]:
    """``text`` as (sentence, pause after it in seconds, whether a line ends there); nothing is lost."""
    found: list[tuple[str, float, bool]] = []
    start = 0
    for cut in _sentence_ends(text):
        sentence = text[start : cut.position]
        if sentence.strip():
            found.append((sentence, cut.pause, cut.pause == PARAGRAPH))
        elif found:
            found[-1] = (found[-1][0], max(cut.pause, found[-1][1]), found[-1][2] or cut.pause == PARAGRAPH)
        start = cut.position
    return found


SENTENCE, PARAGRAPH, CLAUSE = 0.3, 0.5, 0.1


def _sentence_ends(text: str) -> list[Cut]:
    ends: list[Cut] = []
    pending = False  # an end mark was seen; closing quotes still belong to its sentence
    for match in _ATOM.finditer(text):
        kind, atom = match.lastgroup, match.group()
        if kind == "newline":
            ends.append(Cut(match.end(), PARAGRAPH))
            pending = False
        elif pending and (kind == "end" or atom in _CLOSERS):
            continue
        else:
            if pending:
                ends.append(Cut(match.start(), SENTENCE))
            pending = _ends_here(match, text)
    ends.append(Cut(len(text), PARAGRAPH))
    return ends


def _ends_here(match: re.Match[str], text: str) -> bool:
    kind, atom = match.lastgroup, match.group()
    after = text[match.end() : match.end() + 2]
    if kind == "end":
        # an ellipsis inside a sentence goes on in lower case; a point needs a gap, or Han, behind it
        if atom in ("…", "...") and after[:1] == " " and after[1:].islower():
            return False
        if atom == "." and _LIST_NUMBER.search(text, max(0, match.start() - 5), match.start()):
            return False
        return atom != "." or not after or not (after[0].isascii() and after[0].isalnum())
    return kind == "abbreviation" and bool(_MAY_END.match(atom)) and after[:1] == " " and after[1:].isupper()


def clause_cuts(text: str) -> list[Cut]:
    """Places behind a comma, colon, semicolon, dash or closing bracket inside a sentence."""
    cuts: list[Cut] = []
    pending = False
    for match in _ATOM.finditer(text):
        kind = match.lastgroup
        if pending and not (kind in ("clause", "end", "space") or match.group() in _CLOSERS):
            cuts.append(Cut(match.start(), CLAUSE))
            pending = False
        pending = pending or kind == "clause"
    return cuts


def word_cuts(text: str) -> list[Cut]:
    """Every place between words, none of them inside a number with its unit."""
    cuts: list[Cut] = []
    counting = False  # the last word was a number in Han characters: its measure stays with it
    for match in _ATOM.finditer(text):
        kind = match.lastgroup
        if kind in ("space", "clause", "end", "newline") or match.group() in _CLOSERS:
            counting = False
            continue
        position = match.start()
        for word in segmenter().cut(match.group()) if kind == "han" else [match.group()]:
            numeral = bool(_HAN_NUMBER.fullmatch(word))
            # in Japanese the ending of a word follows its Han characters: 食べる
            ending = kind == "word" and _HIRAGANA.match(word)
            if position and not counting and not ending:
                cuts.append(Cut(position, 0.0))
            counting = numeral or kind == "number"
            position += len(word)
    return cuts


_HIRAGANA = re.compile("[\u3041-\u3096]")
_HAN_NUMBER = re.compile(r"第?[零〇一二三四五六七八九十百千万亿两几点半]+")


def nearest(cuts: list[Cut], low: int, high: int) -> Cut | None:
    """The cut strictly between ``low`` and ``high`` that is nearest to their middle."""
    middle = (low + high) // 2
    index = bisect_left(cuts, middle, key=lambda cut: cut.position)
    around = [cut for cut in cuts[max(0, index - 1) : index + 1] if low < cut.position < high]
    return min(around, key=lambda cut: abs(cut.position - middle), default=None)
