"""One sound in one format, as it is being made."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..errors import Invalid
from .container import ContainerWriter
from .formats import FORMATS
from .wav import PcmWriter, WavWriter


class _Writer(Protocol):
    """Samples may be anything: each sees to it that what it makes of them is sound."""

    def write(self, samples: np.ndarray) -> bytes: ...

    def close(self) -> bytes: ...


class Encoder:
    """Turns blocks of samples into a file's bytes, block by block, never going back.

    The header comes with the first bytes. How the samples are cut into blocks does not
    change the bytes. Decoded, the sound is as long as its samples (within one of them);
    mp3 and aac add the codec's own delay and padding, at most three frames (docs in
    ``container.CODECS``). wav and pcm cost next to nothing; encode the others in a thread.

    Args:
        fmt: a key of ``FORMATS``.
        rate: Hz of the samples, any. Kept, except: pcm is always 24 kHz, and a rate the
            codec does not know (opus: 22 050) becomes the next higher one it does.
        total_samples: how many samples will come, where that is known: wav and flac then
            tell their true length.

    Raises:
        Invalid: ``fmt`` is not known.
    """

    def __init__(self, fmt: str, rate: int, total_samples: int | None = None) -> None:
        if fmt not in FORMATS:
            known = ", ".join(FORMATS)
            raise Invalid("bad_value", param="response_format", reason=f"must be one of {known}")
        self._writer = _writer(fmt, rate, total_samples)

    def encode(self, samples: Any) -> bytes:
        """The bytes that are ready once these samples ([n], float32 in [-1, 1]) are in; b"" is possible."""
        return self._writer.write(np.asarray(samples, dtype=np.float32).reshape(-1))

    def finish(self) -> bytes:
        """The rest. Call it once. Raises ValueError where ``total_samples`` of a wav was not kept."""
        return self._writer.close()


def _writer(fmt: str, rate: int, total_samples: int | None) -> _Writer:
    if fmt == "pcm":
        return PcmWriter(rate)
    if fmt == "wav":
        return WavWriter(rate, total_samples)
    return ContainerWriter(fmt, rate, total_samples)
