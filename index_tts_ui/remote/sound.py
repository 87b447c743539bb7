"""Sound as it comes over HTTP: RIFF/WAVE or bare PCM, read block by block, within a bound."""

from __future__ import annotations

import struct

import numpy as np

from ..audio import resample
from ..speech import Audio
from .answers import Failed

HEADER_MOST = 64 << 10  # bytes before the samples of a WAVE file
UNKNOWN = (
    0,
    0x7FFFFFFF,
    0xFFFFFFFF,
)  # what streams say where the size is not known yet (ffmpeg, sox, OpenAI)
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
_TYPES = {(PCM, 16): "<i2", (PCM, 32): "<i4", (FLOAT, 32): "<f4"}


class Sound:
    """Mono at ``rate`` Hz once it is whole. ``pcm_rate``: of bare 16-bit mono; 0: it is a WAVE file.

    ``most`` bounds its bytes. Raises Failed for what is no such sound.
    """

    def __init__(self, rate: int, most: int, pcm_rate: int = 0) -> None:
        self._rate = rate
        self._most = most
        self._data = bytearray()
        self._start = 0 if pcm_rate else -1  # of the samples
        self._size = -1  # of the samples, where that is known
        self._layout = ("<i2", 1, pcm_rate)  # of a sample, channels, Hz

    def push(self, block: bytes) -> None:
        """What came next."""
        self._data += block
        if len(self._data) > self._most:
            raise Failed(f"its sound is larger than {self._most >> 20} MB")
        if self._start < 0:
            self._read_header()

    def whole(self) -> Audio:
        """All of it."""
        if self._start < 0:
            raise Failed("its WAVE file ends within its header" if self._data else "its answer is empty")
        kind, channels, rate = self._layout
        data = memoryview(self._data)[self._start :]
        if self._size >= 0:
            if len(data) < self._size:
                raise Failed(f"its sound was cut off after {len(data)} of {self._size} bytes")
            data = data[: self._size]
        width = np.dtype(kind).itemsize * channels
        if len(data) % width:
            raise Failed("its sound was cut off within a sample")
        samples = np.frombuffer(data, kind).astype(np.float32)
        if kind != "<f4":
            samples /= np.float32(np.iinfo(kind).max)
        if channels > 1:
            samples = samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)
        return resample(Audio(rate, samples), self._rate)

    def _read_header(self) -> None:
        """Goes from chunk to chunk until the samples; nothing is known before all of the header is here."""
        data, at, layout = self._data, 12, None
        if len(data) < at:
            return
        if data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
            raise Failed("its answer is no WAVE file")
        while len(data) >= at + 8:
            name, size = struct.unpack_from("<4sI", data, at)
            if name == b"data":
                if layout is None:
                    raise Failed("its WAVE file does not say what its samples are")
                self._layout, self._start = layout, at + 8
                self._size = -1 if size in UNKNOWN else size
                return
            if name == b"fmt " and len(data) >= at + 8 + size:
                layout = _layout(bytes(data[at + 8 : at + 8 + size]))
            at += 8 + size + size % 2
            if at > HEADER_MOST:
                raise Failed("its WAVE file has no samples where they belong")


def _layout(chunk: bytes) -> tuple[str, int, int]:
    """What a format chunk says (Microsoft, "Multiple channel audio data and WAVE files")."""
    if len(chunk) < 16:
        raise Failed("its WAVE file is damaged")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]
    kind = _TYPES.get((tag, bits))
    if kind is None or not 1 <= channels <= 8 or not 4000 <= rate <= 192_000:
        raise Failed(
            f"its WAVE file is of a kind ({tag}, {bits} bits, {channels} channels, {rate} Hz) not read here"
        )
    return kind, channels, rate
