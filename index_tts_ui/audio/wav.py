"""The two formats without a codec: raw PCM and RIFF/WAVE (Microsoft RIFF specification, 1991)."""

from __future__ import annotations

import struct

import numpy as np

from .formats import LABEL
from .samples import StreamResampler, to_pcm16

PCM_RATE = 24_000  # Hz: what clients of the OpenAI API take headerless PCM to be
UNKNOWN = 0xFFFFFFFF  # both sizes of a stream whose end is not known; players then read to the end
WIDTH = 2  # bytes of a sample


class PcmWriter:
    """Headerless 24 kHz s16le mono."""

    def __init__(self, rate: int) -> None:
        self._resampler = StreamResampler(rate, PCM_RATE)

    def write(self, samples: np.ndarray) -> bytes:
        """The samples that are ready, at 24 kHz."""
        return to_pcm16(self._resampler.push(samples))

    def close(self) -> bytes:
        """What the resampler still held."""
        rest = self._resampler.push(np.zeros(0, np.float32), last=True)
        return to_pcm16(rest) if len(rest) else b""


class WavWriter:
    """A 44-byte header, then s16le mono at the sound's own rate.

    Where the number of samples is known the sizes are true, and the label follows the
    data as a LIST chunk: many clients skip 44 bytes blindly, so none may stand before it.
    """

    def __init__(self, rate: int, total_samples: int | None) -> None:
        self._rate = rate
        self._total = total_samples
        self._written = 0
        self._head = _header(rate, total_samples)

    def write(self, samples: np.ndarray) -> bytes:
        """The header, the first time, and the samples."""
        self._written += len(samples)
        head, self._head = self._head, b""
        return head + to_pcm16(samples)

    def close(self) -> bytes:
        """The label, where sizes are known. Raises ValueError where the announced total was not kept."""
        if self._total is None:
            return self._head
        if self._written != self._total:
            raise ValueError(f"{self._total} samples were announced, {self._written} were written")
        return self._head + _label()


def _header(rate: int, total: int | None) -> bytes:
    data = UNKNOWN if total is None else total * WIDTH
    riff = UNKNOWN if total is None else 36 + data + len(_label())
    if data > UNKNOWN or riff > UNKNOWN:
        raise ValueError(f"a WAV file cannot hold {total} samples")
    layout = struct.pack("<HHIIHH", 1, 1, rate, rate * WIDTH, WIDTH, 8 * WIDTH)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16)
        + layout
        + struct.pack("<4sI", b"data", data)
    )


def _label() -> bytes:
    text = LABEL.encode("ascii") + b"\0"
    text += b"\0" * (len(text) % 2)  # chunks are of even length
    body = b"INFO" + struct.pack("<4sI", b"ICMT", len(text)) + text
    return struct.pack("<4sI", b"LIST", len(body)) + body
