"""Sound files that something happened to."""

from __future__ import annotations

import functools
import random

import numpy as np

from index_tts_ui.audio import Encoder

from ..recordings import RATE, recording

_EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0")
MOST = 400_000  # bytes


@functools.lru_cache(maxsize=1)
def whole() -> tuple[bytes, ...]:
    """Good files of every container that is taken."""
    speech = np.frombuffer(recording(1, 1.2)[44:], "<i2").astype(np.float32) / 32768
    files = [recording(1, 1.2, kind) for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF")]
    for fmt in ("aac", "opus", "mp3", "flac"):
        encoder = Encoder(fmt, RATE, len(speech))
        files.append(encoder.encode(speech) + encoder.finish())
    return tuple(files)


def mutant(parents: list[bytes], chance: random.Random) -> bytes:
    """One of ``parents`` after one to eight mishaps."""
    data = bytearray(chance.choice(parents))
    for _ in range(chance.randint(1, 8)):
        chance.choice(_MISHAPS)(data, chance, parents)
    return bytes(data[:MOST])


def _place(data: bytearray, chance: random.Random) -> int:
    """Anywhere, more often in the header."""
    return chance.randrange(max(1, min(len(data), chance.choice((16, 64, 512, 1 << 30)))))


def _flip(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    start, count = _place(data, chance), chance.randint(1, 32)
    data[start : start + count] = chance.randbytes(count)


def _extreme(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    start = _place(data, chance)
    data[start : start + 4] = chance.choice(_EXTREMES)


def _cut(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _remove(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    start = _place(data, chance)
    del data[start : start + chance.randint(1, 256)]


def _repeat(data: bytearray, chance: random.Random, _parents: list[bytes]) -> None:
    start = _place(data, chance)
    data[start:start] = data[start : start + chance.randint(1, 4096)] * chance.randint(1, 8)


def _splice(data: bytearray, chance: random.Random, parents: list[bytes]) -> None:
    other = chance.choice(parents)
    data[_place(data, chance) :] = other[chance.randrange(len(other) + 1) :]


_MISHAPS = (_flip, _overwrite, _extreme, _cut, _remove, _repeat, _splice)
