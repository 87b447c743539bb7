"""A look-ahead limiter: peaks are turned down smoothly, before they come, never cut."""

from __future__ import annotations

from functools import reduce

import numpy as np
import soxr

from .samples import peak

CEILING = 10 ** (-1.5 / 20)  # 0.5 dB under the promised -1 dBFS: 4x oversampling misses that much at most
OVERSAMPLING = 4
LOOK_AHEAD = 0.012  # seconds; longer than a deep voice's pitch period, so the gain does not follow it
SAFE = 0.5 * CEILING  # below it no peak between samples can reach the ceiling


def limit(samples: np.ndarray, rate: int) -> np.ndarray:
    """Float32 [n] with every peak, also those between samples, under -1 dBFS."""
    if peak(samples) <= SAFE:
        return samples
    peaks = true_peaks(samples)
    if float(peaks.max()) <= CEILING:
        return samples
    wanted = np.minimum(1.0, CEILING / np.maximum(peaks, CEILING))
    return samples * _smoothed(wanted, max(1, round(LOOK_AHEAD * rate)))


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
