"""Cut a text into pieces at sentence ends, under a token budget, the first one short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache

from ..speech import Piece
from .atoms import Cut, clause_cuts, nearest, sentences, word_cuts
from .language import has_words


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a frontend makes of a stretch of raw text: ``spoken``, its ``tokens`` and its language."""

    spoken: str
    tokens: int
    language: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in tokens. ``budget`` is never exceeded; sentences are packed together up to ``target``.

    The first piece is one sentence, or its first clauses from ``first_least`` tokens on
    where the sentence has more than ``first_most``. ``longest`` characters are the most
    that is rendered at once, which keeps the whole split linear in the text.
    """

    budget: int = 200
    target: int = 150
    first_least: int = 20
    first_most: int = 80
    longest: int = 400


Render = Callable[[str], Rendered]

PATIENT = 1.5  # times ``first_most``
_hurried = ContextVar("hurried", default=True)


@contextmanager
def unhurried() -> Iterator[None]:
    """Within it, first sentences may be half as long again before they are cut: who waits for a turn anyway has
    the whole sooner, as a piece more costs an engine more than its words."""
    token = _hurried.set(False)
    try:
        yield
    finally:
        _hurried.reset(token)


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    made: Rendered
    pause: float
    ends_line: bool


def split(text: str, render: Render, limits: Limits) -> list[Piece]:
    """Clean ``text`` as pieces; [] where nothing in it is spoken.

    The pieces' texts, joined, hold every visible character of ``text``. ``render`` turns
    a stretch into what is spoken: 0 tokens where it cannot be. One space joins the
    ``spoken`` of sentences that share a piece, and costs one token.
    """
    if not _hurried.get():
        limits = replace(limits, first_most=int(limits.first_most * PATIENT))
    cutter = _Cutter(render, limits)
    parts: list[_Part] = []
    first = True
    for sentence, pause, ends_line in sentences(text):
        parts += cutter.parts(sentence, pause, ends_line, first)
        first = first and not parts[-1].made.tokens
    return [_piece(group) for group in _packed(_with_silent(parts), limits)]


class _Cutter:
    """Renders a sentence, and cuts it where it is over the budget."""

    def __init__(self, render: Render, limits: Limits) -> None:
        self._render = lru_cache(maxsize=64)(render)  # a stretch that fits is asked for twice
        self._limits = limits

    def parts(self, sentence: str, pause: float, ends_line: bool, first: bool) -> list[_Part]:
        """``sentence`` in as few parts as the budget allows; the very first one short."""
        budget = self._limits.budget
        whole = self._whole(sentence, min(self._limits.first_most, budget) if first else budget)
        if whole is not None:
            return [_Part(sentence, whole, pause, ends_line)]
        head = self._head(sentence) if first else 0
        stretches = ([(sentence[:head], 0.1)] if head else []) + self._stretches(sentence[head:], pause)
        made = [_Part(stretch, self._render(stretch), gap, False) for stretch, gap in stretches]
        made[-1] = _Part(made[-1].text, made[-1].made, pause, ends_line)
        return made

    def _whole(self, text: str, limit: int) -> Rendered | None:
        if len(text) > self._limits.longest:
            return None
        made = self._render(text)
        return made if made.tokens <= limit else None

    def _head(self, sentence: str) -> int:
        """Where the first clauses end that are long enough to sound natural; 0: nowhere."""
        for cut in clause_cuts(sentence[: self._limits.longest]):
            tokens = self._render(sentence[: cut.position]).tokens
            if tokens > self._limits.budget:
                return 0
            if tokens >= min(self._limits.first_least, self._limits.budget):
                return cut.position
        return 0

    def _stretches(self, text: str, pause: float) -> list[tuple[str, float]]:
        if self._whole(text, self._limits.budget) is not None:
            return [(text, pause)]
        clauses, words = clause_cuts(text), word_cuts(text)
        found: list[tuple[str, float]] = []
        stack = [(0, len(text), pause)]
        while stack:
            low, high, gap = stack.pop()
            if high - low <= 1 or self._whole(text[low:high], self._limits.budget) is not None:
                found.append((text[low:high], gap))
                continue
            cut = _best(clauses, words, low, high)
            stack += [(cut.position, high, gap), (low, cut.position, cut.pause)]
        return found


def _best(clauses: list[Cut], words: list[Cut], low: int, high: int) -> Cut:
    """Near the middle: behind a clause, else between words, else (one endless word) anywhere."""
    clause = nearest(clauses, low, high)
    if clause and min(clause.position - low, high - clause.position) * 5 >= high - low:
        return clause
    return nearest(words, low, high) or clause or Cut((low + high) // 2, 0.0)


def _with_silent(parts: list[_Part]) -> Iterator[_Part]:
    """Text that says nothing (a row of stars) rides along with its neighbour."""
    silent = ""
    held: _Part | None = None
    for part in parts:
        if part.made.tokens and has_words(part.text):
            if held:
                yield held
            held, silent = _Part(silent + part.text, part.made, part.pause, part.ends_line), ""
        elif held:
            pause, ends_line = max(held.pause, part.pause), held.ends_line or part.ends_line
            held = _Part(held.text + part.text, held.made, pause, ends_line)
        else:
            silent += part.text
    if held:
        yield held


def _packed(parts: Iterator[_Part], limits: Limits) -> Iterator[list[_Part]]:
    target = min(limits.target, limits.budget)
    group: list[_Part] = []
    tokens, first = 0, True
    for part in parts:
        if group and not _joins(group, tokens, part, limits.first_least * 2 if first else target, limits):
            yield group
            group, tokens, first = [], 0, False
        tokens += part.made.tokens + bool(group)
        group.append(part)
    if group:
        yield group


def _joins(group: list[_Part], tokens: int, part: _Part, target: int, limits: Limits) -> bool:
    last = group[-1]
    if last.made.language != part.made.language or tokens + 1 + part.made.tokens > min(target, limits.budget):
        return False
    # lines are paragraphs unless they are very short, as in a poem or a list
    return not last.ends_line or tokens < limits.first_least


def _piece(group: list[_Part]) -> Piece:
    spoken = " ".join(part.made.spoken for part in group)
    tokens = sum(part.made.tokens for part in group) + len(group) - 1
    text = "".join(part.text for part in group).strip()
    return Piece(text, spoken, tokens, group[0].made.language, group[-1].pause)
