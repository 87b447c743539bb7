"""Marks and glossary terms kept out of cleaning, normalising and cutting: one character stands for each.

The characters are Tangut ideographs, which nobody asks these models to read: letters to the
splitter, in no language that it knows. A user's own are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .glossary import Glossary, Readings
from .marks import Mark, bracketed, pinyin

_FIRST, _LAST = 0x17000, 0x187F7
ANY = chr(_FIRST)  # a stand-in, where one item is looked at by itself
STAND_IN = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])")


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the glossary as the user wrote it."""

    source: str
    readings: Readings

    def reading(self, language: str) -> str:
        """How to say it, itself where the glossary has nothing for ``language``."""
        return self.readings.get(language, self.readings.get("", self.source))


Item = Mark | Term


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


def protect(text: str, glossary: Glossary, fits: Callable[[Item], bool]) -> Protected:
    """``text`` with its marks, then its terms, then its pinyin hidden, each only where it ``fits``."""
    protected = Protected("")
    text = _hidden(protected, STAND_IN.sub("", text), bracketed, fits)
    text = _hidden(
        protected,
        text,
        lambda raw: ((start, end, Term(source, said)) for start, end, source, said in glossary.find(raw)),
        fits,
    )
    protected.text = _hidden(protected, text, pinyin, fits)
    return protected


def _hidden(
    protected: Protected,
    text: str,
    find: Callable[[str], Iterable[tuple[int, int, Item]]],
    fits: Callable[[Item], bool],
) -> str:
    out: list[str] = []
    position = 0
    for start, end, item in find(text):
        out += [text[position:start], protected.hide(item) if fits(item) else text[start:end]]
        position = end
    return "".join([*out, text[position:]])
