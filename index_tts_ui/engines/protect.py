"""Marks and terms kept out of cleaning, normalising and cutting: one character stands for each.

The characters are Tangut ideographs, which nobody asks these models to read: letters to the
splitter, in no language that it knows. A user's own are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..speech import Reading
from .glossary import Glossary, Readings
from .marks import Mark

_FIRST, _LAST = 0x17000, 0x187F7
ANY = chr(_FIRST)  # a stand-in, where one item is looked at by itself
STAND_IN = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])")


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the glossary as the user wrote it."""

    source: str
    readings: Readings

    def reading(self, language: str) -> Reading | None:
        """How to say it, None where there is nothing for ``language``."""
        return self.readings.get(language) or self.readings.get("")


Item = Mark | Term
Finder = Callable[[str], Iterable[tuple[int, int, Item]]]


@dataclass
class Protected:
    """``text`` with stand-ins, and what each stands for."""

    text: str
    items: dict[str, Item] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)

    def restored(self, text: str) -> str:
        """``text`` as the user wrote it."""
        return STAND_IN.sub(lambda match: self.items[match[1]].source, text)

    def worded(self, text: str) -> str:
        """``text`` with the words that marks stand for, to tell its language."""
        return STAND_IN.sub(lambda match: self._word(match[1]), text)

    def pinyin_only(self, text: str) -> bool:
        """Whether all that ``text`` says is pinyin."""
        marks = [self.items[char] for char in STAND_IN.findall(text)]
        return any(item.kind == "pinyin" for item in marks if isinstance(item, Mark))

    def hide(self, item: Item) -> str:
        """The stand-in of ``item``; the same for the same source; the source itself once all are used."""
        stand_in = self._known.get(item.source)
        if stand_in is None:
            if len(self.items) > _LAST - _FIRST:
                return item.source
            stand_in = chr(_FIRST + len(self.items))
            self._known[item.source], self.items[stand_in] = stand_in, item
        return stand_in

    def _word(self, char: str) -> str:
        item = self.items[char]
        return item.source if isinstance(item, Term) else item.word


def terms(glossary: Glossary, readings: Sequence[Reading] = ()) -> Finder:
    """Finds ``readings``, and where they say nothing of a word, the glossary's."""

    def find(text: str) -> Iterable[tuple[int, int, Item]]:
        for start, end, source, said in glossary.find(text, readings):
            yield start, end, Term(source, said)

    return find


def protect(text: str, finders: Sequence[Finder], fits: Callable[[Item], bool]) -> Protected:
    """``text`` with what each of ``finders`` finds hidden, in their order, but only where it ``fits``."""
    protected = Protected("")
    text = STAND_IN.sub("", text)
    for find in finders:
        text = _hidden(protected, text, find, fits)
    protected.text = text
    return protected


def _hidden(protected: Protected, text: str, find: Finder, fits: Callable[[Item], bool]) -> str:
    out: list[str] = []
    position = 0
    for start, end, item in find(text):
        out += [text[position:start], protected.hide(item) if fits(item) else text[start:end]]
        position = end
    return "".join([*out, text[position:]])
