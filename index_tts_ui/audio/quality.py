"""What makes a recording a poor reference: too short, too quiet, noise, echo, music or a hum.

Cheap estimates, meant to be silent about good speech. What they cannot tell: two people who speak in turns (one
person's pitch moves as far as two persons' differ), and what is in the background of speech without any pause.
"""

from __future__ import annotations

import numpy as np

from ..speech import Audio
from .samples import resample

FRAME = 0.02  # seconds
SILENT = -50.0  # dBFS; a frame below it is no voice, however quiet the rest
VOICE_RANGE = 35.0  # dB below the loudest frame that may still be voice
GOOD_SECONDS, GOOD_VOICE = 2.95, 1.4  # of all, and of it voice, below which a cloned one is less alike
QUIET = -35.0  # dBFS of the loud frames
NOISY = 19.0  # dB between loud and quiet frames: white noise 14 dB below the voice, pink noise 9 dB
MUSIC_RATE, MUSIC_WINDOW, MUSIC_HOP = 16_000, 2048, 320  # Hz; samples: 128 ms tell one low note from the next
MUSIC_BAND = (60.0, 5000.0)  # Hz
MUSIC_AUDIBLE = 27.0  # dB between loud and quiet windows, below which music in the pauses is heard
PAUSES = 0.12  # the part of all windows that is taken for pauses: the quietest
# A bin is a tone where its power is so many times the median of those around it, so many on each side.
TONAL, NEIGHBOURS = 10.0, 25
# Of the power in pauses: music has 0.99, noise 0.05, what fades in a hall 0.97, clean speech 0.87.
TONAL_SHARE = 0.98


def levels(samples: np.ndarray, rate: int) -> np.ndarray:
    """Level of each frame in dBFS, [frames]; an offset (DC) does not count."""
    size = round(FRAME * rate)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return 10 * np.log10(frames.var(axis=1) + 1e-12)


def voiced(levels: np.ndarray) -> np.ndarray:
    """Which frames may be voice, bool [frames]."""
    return levels > max(SILENT, float(levels.max(initial=-120.0)) - VOICE_RANGE)


def hints(samples: np.ndarray, rate: int) -> list[str]:
    """Keys of ``reference.NOTICES`` that are true of speech, mono float32 [n] of a second or more."""
    frames = levels(samples, rate)
    loud, quiet = np.percentile(frames, 95), np.percentile(frames, 5)
    short = len(samples) < GOOD_SECONDS * rate or float(voiced(frames).sum()) * FRAME < GOOD_VOICE
    found = ["clip_short"] if short else []
    found += ["clip_quiet"] if loud < QUIET else []
    if has_music(samples, rate):
        return [*found, "clip_music"]
    return [*found, "clip_noisy"] if loud - quiet < NOISY else found


def has_music(samples: np.ndarray, rate: int) -> bool:
    """Whether what is heard in the pauses between words is made of tones: instruments, or a steady hum."""
    sound = resample(Audio(rate, samples), MUSIC_RATE).samples
    if len(sound) < 4 * MUSIC_WINDOW:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(sound, MUSIC_WINDOW)[::MUSIC_HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(MUSIC_WINDOW).astype(np.float32), axis=1)) ** 2
    low, high = (round(edge * MUSIC_WINDOW / MUSIC_RATE) for edge in MUSIC_BAND)
    total = power[:, low:high].sum(axis=1) + 1e-12
    pauses = np.argsort(total)[: max(3, round(PAUSES * len(total)))]
    if 10 * np.log10(np.percentile(total, 95) / np.median(total[pauses])) > MUSIC_AUDIBLE:
        return False
    quiet = power[pauses, low:high]
    around = np.pad(power[pauses], ((0, 0), (NEIGHBOURS, NEIGHBOURS)))[:, low : high + 2 * NEIGHBOURS]
    usual = np.median(np.lib.stride_tricks.sliding_window_view(around, 2 * NEIGHBOURS + 1, axis=1), axis=2)
    share = (quiet * (quiet > TONAL * usual)).sum(axis=1) / total[pauses]
    return bool(np.median(share) > TONAL_SHARE)
