"""Recordings of nobody's voice, as people upload them."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from .audio.sounds import speechlike

RATE = 16_000
MINE = "It is my own voice."  # a statement of rights


def recording(seed: int = 0, seconds: float = 2.0, kind: str = "WAV") -> bytes:
    """A file of somebody's voice: another one for another ``seed``."""
    sound, file = (speechlike(RATE, seconds, seed=seed) * 32767).astype(np.int16), io.BytesIO()
    soundfile.write(file, sound, RATE, format=kind)
    return file.getvalue()
