"""Recordings to upload: not speech, but loud, long and changing enough to pass for it."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

RATE = 16_000


def recording(pitch: float, seconds: float = 3.0) -> bytes:
    """A WAV file of a buzz at ``pitch`` Hz that swells three times a second, over a quiet noise."""
    time = np.arange(int(RATE * seconds)) / RATE
    buzz = sum(np.sin(2 * np.pi * pitch * n * time) / n for n in range(1, 7))
    wav = 0.2 * buzz * (0.5 + 0.5 * np.sin(6 * np.pi * time))
    wav = wav + np.random.default_rng(int(pitch)).normal(0, 0.001, len(time))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(wav, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def upload(name: str, pitch: float = 140, seconds: float = 3.0) -> Any:
    """The same as a file that a visitor chooses."""
    return {"name": name, "mimeType": "audio/wav", "buffer": recording(pitch, seconds)}
