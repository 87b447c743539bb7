"""Bare samples: made safe, converted, resampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from ..speech import Audio

PCM_SCALE = 32767  # symmetric: -1.0 and 1.0 are equally far from zero


def clean(samples: Any) -> np.ndarray:
    """Float32 [n] without NaN or infinity (both become 0); the input itself where it is clean."""
    flat = np.asarray(samples, dtype=np.float32).reshape(-1)
    if np.isfinite(flat).all():
        return flat
    return np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)


def peak(samples: np.ndarray) -> float:
    """The largest magnitude in float32 [n], 0 of nothing; NaN where there is one."""
    return float(max(samples.max(), -samples.min())) if len(samples) else 0.0


def bounded(samples: Any, limit: float = 1.0) -> np.ndarray:
    """Float32 [n] within ``limit``, NaN and infinity as 0; the input itself where it is so already."""
    flat = np.asarray(samples, dtype=np.float32).reshape(-1)
    if peak(flat) <= limit:  # false for NaN, too
        return flat
    return np.clip(clean(flat), -limit, limit)


def to_pcm16(samples: Any) -> bytes:
    """Samples in [-1, 1] as 16-bit little-endian PCM; what is outside is clipped."""
    scaled = bounded(samples) * np.float32(PCM_SCALE)
    return np.rint(scaled, out=scaled).astype("<i2").tobytes()


def resample(audio: Audio, rate: int) -> Audio:
    """``audio`` at ``rate`` Hz: band-limited, without delay, its length within a sample of the ratio."""
    if audio.rate == rate:
        return audio
    return Audio(rate, soxr.resample(clean(audio.samples), audio.rate, rate, quality="HQ"))


class StreamResampler:
    """Like :func:`resample`, for sound that arrives in blocks."""

    def __init__(self, rate: int, target: int) -> None:
        self._stream = None if rate == target else soxr.ResampleStream(rate, target, 1, quality="HQ")

    def push(self, samples: np.ndarray, last: bool = False) -> np.ndarray:
        """What is ready at the new rate; with ``last``, all the rest. Float32 [m]."""
        if self._stream is None:
            return samples
        return self._stream.resample_chunk(bounded(samples), last=last)
