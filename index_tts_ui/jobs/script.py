"""A script's lines: who says what. ``name: words``, in the ways in which people write it.

A line without a name goes on with the speaker above it; behind an empty line it is the narrator's (the
speaker ""). What stands in brackets behind a name is a direction, and is not spoken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

NAME_MOST = 40  # characters
WORDS_MOST = 5
HAN_MOST = 10  # Chinese characters of a name
_HEAD = re.compile(r"(?P<head>[^:：]{1,80}?)\s*[:：](?P<rest>.*)", re.DOTALL)
_BOX = re.compile(r"【(?P<head>[^】]{1,80})】\s*[:：]?(?P<rest>.*)", re.DOTALL)
_LIST = re.compile(r"\s*(?:[-*•>]\s+)?")
_DIRECTION = re.compile(r"\s*[(（]([^()（）]{1,40})[)）]\s*$")
_PLAIN = re.compile(r"[\w .'’·&+#-]+")
_STOP = re.compile(r"\w{4,}\.|\.\s*$")  # the end of a sentence, not of "Dr."
_TELLS = re.compile(r"[说道问答喊叫]$")  # "she says:" tells, and names nobody
_HAN = re.compile(r"[\u3400-\u9fff]")
_PARTICLES = {"of", "the", "de", "da", "la", "van", "von", "der", "and", "du", "bin"}


class Said(NamedTuple):
    """One line. ``direction``: what stood in brackets behind the name."""

    speaker: str
    text: str
    direction: str = ""


class _Head(NamedTuple):
    name: str
    direction: str
    rest: str
    sure: bool  # the way it is written leaves no doubt


def said(text: str) -> Iterator[Said]:
    """The lines of ``text`` that are to be spoken."""
    rows = text.splitlines()
    heads = [_head(row) for row in rows]
    times = Counter(head.name for head in heads if head is not None)
    speaker, spoke = "", False
    for row, head in zip(rows, heads, strict=True):
        if not row.strip():
            if spoke:
                speaker = ""
            continue
        if head is not None and (head.sure or times[head.name] > 1):
            speaker, direction, words = head.name, head.direction, head.rest
            spoke = bool(words)
        else:
            direction, words, spoke = "", row.strip(), True
        if words:
            yield Said(speaker, words, direction)


def one_said(text: str) -> Said:
    """Of a text that stands by itself, as a subtitle's cue does."""
    head = _head(text)
    return Said(head.name, head.rest, head.direction) if head and head.sure and head.rest else Said("", text)


def _head(row: str) -> _Head | None:
    line = row[_LIST.match(row).end() :].strip()  # type: ignore[union-attr]
    found = _BOX.match(line) or _HEAD.match(line)
    if found is None:
        return None
    head, rest = found["head"], found["rest"]
    if rest.startswith("//") or (rest[:1].isdigit() and head[-1:].isdigit()):  # an address, the time of day
        return None
    marked = line[0] in "*_【["
    head = head.strip("*_[] ")
    direction = _DIRECTION.search(head)
    name = (head[: direction.start()] if direction else head).strip("*_[] ")
    if not _may_be_a_name(name):
        return None
    words = rest.lstrip("*_ \t　").strip() if line[0] in "*_" else rest.strip()
    return _Head(name, direction[1].strip() if direction else "", words, marked or _looks_like_a_name(name))


def _may_be_a_name(name: str) -> bool:
    return (
        0 < len(name) <= NAME_MOST
        and len(name.split()) <= WORDS_MOST
        and _PLAIN.fullmatch(name) is not None
        and any(char.isalpha() for char in name)
        and (name.endswith(("Mr.", "Dr.", "Jr.", "Sr.")) or _STOP.search(name) is None)
    )


def _looks_like_a_name(name: str) -> bool:
    """One word, or words with capitals; in Chinese a short one that does not tell of speaking."""
    if _HAN.search(name):
        return len(_HAN.findall(name)) <= HAN_MOST and _TELLS.search(name) is None
    words = name.split()
    return len(words) == 1 or all(not word[0].islower() or word in _PARTICLES for word in words)
