"""The nouns of an output: its segments, how they were made, where their sounds are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ..speech import Piece, Started
from .takes import WIDTH, Take

BLOCK = 1 << 15  # samples per block when a finished sound is read
ORIGINAL = 1  # the take that was spoken with the whole


@dataclass(frozen=True, slots=True)
class Segment:
    """``text`` is the chosen take's; ``chosen`` is None where the segment has no sound (yet)."""

    index: int
    text: str
    chosen: int | None
    takes: tuple[Take, ...]
    original: Take | None

    @property
    def take(self) -> Take | None:
        """The one that counts."""
        return next((take for take in self.takes if take.number == self.chosen), None)


@dataclass(frozen=True, slots=True)
class Made:
    """How a segment was made: seconds of silence after and before it; the voice, where a mark named one.

    ``marked``: whether a mark wanted the silence after it.
    """

    pause: float = 0.0
    before: float = 0.0
    voice: str = ""
    marked: bool = False

    @classmethod
    def of(cls, piece: Piece) -> Self:
        """As the text's piece says."""
        return cls(piece.pause_after, piece.pause_before, piece.voice, piece.marked)


@dataclass(frozen=True, slots=True)
class Part:
    """Where a sound is on disk, and in the whole (``start``); in samples. ``pause``: seconds at its end."""

    index: int
    text: str
    path: Path
    offset: int
    samples: int
    start: int
    pause: float

    def read(self, offset: int = 0, count: int = -1) -> np.ndarray:
        """Float32 [n]: ``count`` samples from ``offset`` on. Raises OSError."""
        count = self.samples - offset if count < 0 else min(count, self.samples - offset)
        return np.fromfile(self.path, "<i2", count=count, offset=WIDTH * (self.offset + offset)) / np.float32(
            32767
        )


def segment_of(
    index: int, text: str, original: Take | None, others: Sequence[Take], choice: int | None
) -> Segment:
    """Where nobody chose, or what was chosen is gone, the original counts, else the newest."""
    takes = (*([original] if original else []), *others)
    numbers = [take.number for take in takes]
    if choice not in numbers:
        choice = original.number if original else max(numbers, default=None)
    chosen = next((take for take in takes if take.number == choice), None)
    return Segment(index, chosen.text if chosen else text, choice, takes, original)


def told(engine: str, texts: tuple[str, ...], made: Sequence[Made]) -> Started:
    """What its readers were told when it was begun; behind the last segment there is no pause."""
    pauses = [how.pause if how.marked else None for how in made]
    return Started(
        engine,
        texts,
        voices=tuple(how.voice for how in made),
        pauses=(*pauses[:-1], None) if pauses else (),
        lead=made[0].before if made else 0.0,
    )


def chunks(parts: Iterable[Part]) -> Iterator[np.ndarray]:
    """Their sound, one after another, as float32 blocks. Raises OSError."""
    for part in parts:
        for offset in range(0, part.samples, BLOCK):
            yield part.read(offset, BLOCK)
