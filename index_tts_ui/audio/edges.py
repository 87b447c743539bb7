"""Where a segment's speech begins and ends, and how it meets silence there."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

FRAME = 0.010  # seconds
DEPTH = 50.0  # dB under the loudest frame that still count as speech
FLOOR = -65.0  # dBFS; below it nothing does
LEAD = 0.040  # seconds kept before the first such frame: a breathy onset rises through them
TAIL = 0.060  # and after the last one: the room's end
# A neural voice sometimes ends on a blip of noise, far from the words (Kokoro: -37 dBFS, 70 ms).
BLIP_GAP = 0.2  # seconds of silence between it and the words; the stop before a final t is shorter
BLIP_LENGTH = 0.08
BLIP_DEPTH = 15.0  # dB it stays under the loudest frame
FADE = 0.008


def trim(samples: np.ndarray, rate: int) -> np.ndarray:
    """``samples`` without the silence around the speech, but with its natural edges; empty if all is silent."""
    size = max(1, round(FRAME * rate))
    levels = _levels(samples, size)
    if not len(levels) or float(levels.max()) < FLOOR:
        return samples[:0]
    runs = _without_blips(_runs(levels > max(float(levels.max()) - DEPTH, FLOOR)), levels)
    begin = runs[0][0] * size - round(LEAD * rate)
    end = runs[-1][1] * size + round(TAIL * rate)
    return samples[max(0, begin) : end]


def fade(samples: np.ndarray, rate: int) -> None:
    """In place: rises from zero and falls to zero within 8 ms, or within its halves if it is shorter."""
    length = min(round(FADE * rate), len(samples) // 2)
    if length:
        ramp = _ramp(length)
        samples[:length] *= ramp
        samples[-length:] *= ramp[::-1]
    else:
        samples[:] = 0.0


@lru_cache(maxsize=64)
def _ramp(length: int) -> np.ndarray:
    """Half a cosine from 0 to almost 1, [length]."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)).astype(np.float32)


def _levels(samples: np.ndarray, size: int) -> np.ndarray:
    """RMS of each frame in dBFS, [frames]; the last one may be short."""
    whole = len(samples) // size * size
    frames, rest = samples[:whole].reshape(-1, size), samples[whole:]
    powers = np.einsum("ij,ij->i", frames, frames)
    if len(rest):
        powers = np.append(powers, np.dot(rest, rest))
    return 10 * np.log10(powers / size + 1e-12)


def _runs(active: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of active frames as (begin, end)."""
    edged = np.zeros(len(active) + 2, np.bool_)
    edged[1:-1] = active
    changes = (edged[1:] != edged[:-1]).nonzero()[0].tolist()
    return list(zip(changes[::2], changes[1::2], strict=True))


def _without_blips(runs: list[tuple[int, int]], levels: np.ndarray) -> list[tuple[int, int]]:
    loudest = float(levels.max())

    def blip(run: tuple[int, int], gap: int) -> bool:
        begin, end = run
        short, far = (end - begin) * FRAME <= BLIP_LENGTH, gap * FRAME >= BLIP_GAP
        return short and far and float(levels[begin:end].max()) < loudest - BLIP_DEPTH

    while len(runs) > 1 and blip(runs[-1], runs[-1][0] - runs[-2][1]):
        runs = runs[:-1]
    while len(runs) > 1 and blip(runs[0], runs[1][0] - runs[0][1]):
        runs = runs[1:]
    return runs
