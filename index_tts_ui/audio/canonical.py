"""The canonical form of a clip: 16-bit mono WAV, 44 bytes of header and nothing after the samples.

It is read without FFmpeg, so whoever sent it, reading it costs nothing and cannot crash.
"""

from __future__ import annotations

import struct

import numpy as np

from .decoder import Decoded

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
SCALE = np.float32(32768)
RATES = range(1_000, 192_001)  # Hz; what has another one is left to FFmpeg


def write(samples: np.ndarray, rate: int) -> bytes:
    """The file of mono float32 [n] on the grid of 16 bits."""
    return _header(len(samples), rate) + (samples * SCALE).astype("<i2").tobytes()


def read(data: bytes) -> Decoded | None:
    """What ``decode`` gives, bit for bit; None where the file has another form, or no sound."""
    count = (len(data) - HEADER.size) // 2
    rate = int.from_bytes(data[24:28], "little")
    if count < 1 or rate not in RATES or data[: HEADER.size] != _header(count, rate):
        return None
    return Decoded(rate, np.frombuffer(data, "<i2", count, HEADER.size).astype(np.float32) / SCALE)


def _header(count: int, rate: int) -> bytes:
    layout = (b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return HEADER.pack(b"RIFF", HEADER.size - 8 + 2 * count, b"WAVE", *layout, b"data", 2 * count)
