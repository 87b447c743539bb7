"""A job's sound: a file for each segment, and all of them put together on one line of time.

A file is s16le mono, ``<job>/<line>-<segment>-<tries>.pcm``; the table says how long it must be.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..audio import resample, to_pcm16
from ..speech import Audio
from .record import LINE_GAP, Line, Segment

BLOCK = 1 << 15  # samples
WIDTH = 2  # bytes of a sample


def keep(folder: Path, segment: Segment, samples: np.ndarray) -> None:
    """Write it whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / segment.file_name
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(to_pcm16(samples))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def is_whole(folder: Path, segment: Segment) -> bool:
    """Whether its file has what the table says."""
    try:
        return (folder / segment.file_name).stat().st_size == segment.samples * WIDTH
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment where it sounds; in samples at ``rate``."""

    segment: Segment
    start: int
    samples: int
    rate: int

    @property
    def begins(self) -> float:
        """In seconds."""
        return self.start / self.rate

    @property
    def ends(self) -> float:
        """In seconds."""
        return (self.start + self.samples) / self.rate


def placed(segments: Sequence[Segment], lines: Mapping[int, Line], gap: float | None) -> list[Placed]:
    """The spoken segments behind each other, at the first one's rate.

    A line that has a ``start`` begins there, or later where the one before still sounds.
    """
    found: list[Placed] = []
    for segment in segments:
        if segment.state != "done":
            continue
        rate = found[0].rate if found else segment.rate
        start = _begin(found[-1] if found else None, segment, lines.get(segment.line), gap, rate)
        found.append(Placed(segment, start, round(segment.samples * rate / segment.rate), rate))
    return found


def _begin(before: Placed | None, segment: Segment, line: Line | None, gap: float | None, rate: int) -> int:
    end = before.start + before.samples if before else 0
    if before and before.segment.line == segment.line:
        return end + round(before.segment.pause * rate)
    if line and line.start is not None:
        return max(end, round(line.start * rate))
    if before is None:
        return 0
    return end + round((max(LINE_GAP, before.segment.pause) if gap is None else gap) * rate)


def total(parts: Sequence[Placed]) -> int:
    """Samples of all of it."""
    return parts[-1].start + parts[-1].samples if parts else 0


def blocks(folder: Path, parts: Sequence[Placed]) -> Iterator[np.ndarray]:
    """All of it as float32 blocks, silence included. Raises OSError where a file is gone."""
    position = 0
    for part in parts:
        yield from _silence(part.start - position)
        pcm = np.fromfile(folder / part.segment.file_name, "<i2").astype(np.float32) / 32767.0
        sound = resample(Audio(part.segment.rate, pcm), part.rate).samples[: part.samples]
        for start in range(0, len(sound), BLOCK):
            yield sound[start : start + BLOCK]
        yield from _silence(part.samples - len(sound))
        position = part.start + part.samples


def _silence(samples: int) -> Iterator[np.ndarray]:
    for start in range(0, samples, BLOCK):
        yield np.zeros(min(BLOCK, samples - start), np.float32)
