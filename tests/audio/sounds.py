"""Sounds that the audio tests share."""

from __future__ import annotations

import numpy as np
import soxr


def tone(rate: int, seconds: float, level: float = 0.3, hertz: float = 440.0) -> np.ndarray:
    """A sine, float32."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def speechlike(rate: int, seconds: float, level: float = 0.2, seed: int = 0) -> np.ndarray:
    """A voice without words: harmonics of 120 Hz, four syllables a second, some breath. Float32."""
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 120 * n * time + n) / n for n in range(1, 20))
    syllables = np.maximum(0.05, np.sin(2 * np.pi * 2 * time) ** 2)
    breath = np.random.default_rng(seed).normal(0, 0.02, len(time))
    return (level * (voice * syllables + breath)).astype(np.float32)


def silence(rate: int, seconds: float) -> np.ndarray:
    """Zeros, float32."""
    return np.zeros(round(seconds * rate), np.float32)


def true_peak_db(samples: np.ndarray) -> float:
    """The continuous sound's peak in dBFS, at 16 times the rate."""
    dense = soxr.resample(np.pad(samples, 500), 1, 16, quality="VHQ")
    return 20 * float(np.log10(np.abs(dense).max() + 1e-9))


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Largest normalised correlation of two sounds over all shifts, 0 to 1."""
    size = len(a) + len(b)
    product = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(product.max() / (np.linalg.norm(a) * np.linalg.norm(b)))
