"""Reference clips for tests: sounds with a voice's pitch and formants, each from its number."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from index_tts_ui.audio import reference

RATE = 24_000


def sound(number: int, seconds: float = 2.5) -> np.ndarray:
    """Float32 [n] in [-1, 1]: syllables of a buzz with two moving formants."""
    chance = np.random.default_rng(number)
    time = np.arange(int(RATE * seconds)) / RATE
    pitch = 90 + 25 * number + 12 * np.sin(2 * np.pi * 2.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wavering = 1 + 0.3 * np.sin(2 * np.pi * (0.7 + 0.2 * number) * time)
    voiced = sum(np.sin(k * phase) / (1 + abs(k * pitch - 600 * wavering) / 150) for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 3.3 * time), 0, None) ** 0.5
    mixed = 0.25 * voiced * syllables / np.abs(voiced).max() + 0.004 * chance.standard_normal(len(time))
    return mixed.astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    """16-bit mono WAV."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return data.getvalue()


def some_clips(folder: Path, count: int) -> tuple[Path, list[str]]:
    """``count`` canonical clips of different length in ``folder``; and their keys."""
    keys = []
    for number in range(count):
        clip = reference.read_clip(wav(sound(number, 1.5 + 0.4 * number)))
        (folder / f"{clip.key}.wav").write_bytes(clip.wav())
        keys.append(clip.key)
    return folder, keys
