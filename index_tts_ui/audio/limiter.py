"""A look-ahead limiter: peaks are turned down smoothly, before they come, never cut."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
import soxr

from .samples import peak

CEILING = 10 ** (-1.5 / 20)  # 0.5 dB under the promised -1 dBFS: 4x oversampling misses that much at most
OVERSAMPLING = 4
LOOK_AHEAD = 0.012  # seconds; longer than a deep voice's pitch period, so the gain does not follow it
SAFE = 0.5 * CEILING  # below it no peak between samples can reach the ceiling
NEAR = 64  # samples around a louder one, between which there may be such a peak
CONTEXT = 128  # samples that oversampling wants on either side, to be as exact as with all of them


def limit(samples: np.ndarray, rate: int) -> np.ndarray:
    """Float32 [n] with every peak, also those between samples, under -1 dBFS."""
    if peak(samples) <= SAFE:
        return samples
    peaks = _peaks(samples)
    if float(peaks.max()) <= CEILING:
        return samples
    wanted = np.minimum(1.0, CEILING / np.maximum(peaks, CEILING))
    reach = max(1, round(LOOK_AHEAD * rate))
    limited = samples.copy()
    for begin, end in _around(peaks > CEILING, 2 * reach):
        limited[begin:end] *= _smoothed(wanted[begin:end], reach)
    return limited


def _peaks(samples: np.ndarray) -> np.ndarray:
    """As :func:`true_peaks` wherever one can reach the ceiling; elsewhere the samples' own magnitudes.

    Most of speech is far below it, and oversampling is dear.
    """
    peaks = np.abs(samples)
    for begin, end in _around(peaks > SAFE, NEAR + CONTEXT):  # two that would share a context are one
        cut = slice(CONTEXT if begin else 0, -CONTEXT if end < len(samples) else None)
        peaks[begin:end][cut] = true_peaks(samples[begin:end])[cut]
    return peaks


def _around(marked: np.ndarray, reach: int) -> Iterator[tuple[int, int]]:
    """What lies within ``reach`` of the marked ones, of which there are some, as spans that do not meet."""
    places = np.flatnonzero(marked)
    gaps = np.flatnonzero(np.diff(places) > 2 * reach)
    begins = np.maximum(places[np.concatenate([[0], gaps + 1])] - reach, 0)
    ends = np.minimum(places[np.concatenate([gaps, [-1]])] + reach + 1, len(marked))
    yield from zip(begins.tolist(), ends.tolist(), strict=True)


def true_peaks(samples: np.ndarray) -> np.ndarray:
    """The largest magnitude of the continuous sound around each sample, [n] (BS.1770-5, annex 2)."""
    dense = np.abs(soxr.resample(samples, 1, OVERSAMPLING, quality="HQ"))
    dense = np.pad(dense, (0, max(0, len(samples) * OVERSAMPLING - len(dense))))[
        : len(samples) * OVERSAMPLING
    ]
    after = reduce(np.maximum, (dense[phase::OVERSAMPLING] for phase in range(OVERSAMPLING)))
    peaks = np.maximum(after, np.abs(samples))
    peaks[1:] = np.maximum(peaks[1:], after[:-1])
    return peaks


def _smoothed(gain: np.ndarray, reach: int) -> np.ndarray:
    """``gain`` without corners, nowhere above it.

    The minimum over ``2 reach + 1`` samples is at or below the gain all over the window that
    the mean is then taken over; so is the mean.
    """
    padded = np.pad(gain, 2 * reach, constant_values=1.0)
    lowest = _sliding_minimum(padded, 2 * reach + 1)
    sums = np.cumsum(np.pad(lowest, (1, 0)), dtype=np.float64)
    width = 2 * reach + 1
    return ((sums[width:] - sums[:-width]) / width).astype(np.float32)


def _sliding_minimum(values: np.ndarray, width: int) -> np.ndarray:
    """Minimum of each ``width`` neighbours, [n - width + 1], by doubling."""
    covered = 1
    while covered < width:
        step = min(covered, width - covered)
        values = np.minimum(values[:-step], values[step:])
        covered += step
    return values
