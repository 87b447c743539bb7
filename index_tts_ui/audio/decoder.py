"""Any sound file as mono samples."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np

from ..errors import Invalid, TooLarge
from ..speech import Audio
from .samples import clean

# FFmpeg also knows playlists and scripts that open other files: these containers do not.
CONTAINERS = "wav,w64,aiff,mp3,flac,ogg,aac,mov,matroska,caf"

MAX_SAMPLES = 300 * 96_000  # 110 MiB: silence at a very high rate is a small file, too


def decode(data: bytes, limit_seconds: float = 600.0) -> Audio:
    """The first audio stream of a file, its channels averaged, at its own rate.

    Args:
        data: the file: wav, aiff, mp3, flac, ogg (opus, vorbis), aac, m4a/mp4 or webm.
        limit_seconds: decoding stops there, so that a small file cannot fill the memory.

    Raises:
        Invalid: it is no such file, is damaged, or has no sound.
        TooLarge: it is longer than ``limit_seconds``.
    """
    blocks: list[np.ndarray] = []
    rate = length = 0
    try:
        for rate, block in _blocks(data):
            length += len(block)
            limit = min(limit_seconds * rate, MAX_SAMPLES)
            if length > limit:
                raise TooLarge("audio_too_long", limit=round(limit / rate, 1))
            blocks.append(block)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise Invalid("bad_audio", reason=_reason(error)) from error
    if not length:
        raise Invalid("bad_audio", reason="it has no sound")
    return Audio(rate, clean(np.concatenate(blocks)))


def _blocks(data: bytes) -> Iterator[tuple[int, np.ndarray]]:
    with av.open(io.BytesIO(data), "r", options={"format_whitelist": CONTAINERS}) as container:
        if not container.streams.audio:
            return
        resampler: av.AudioResampler | None = None
        for frame in container.decode(container.streams.audio[0]):
            if resampler is None:  # FFmpeg would weight channels by their place in the room; average them
                resampler = av.AudioResampler(format="fltp", rate=frame.sample_rate)
            for plain in resampler.resample(frame):
                yield plain.sample_rate, plain.to_ndarray().mean(axis=0, dtype=np.float32)
        for plain in resampler.resample(None) if resampler else []:
            yield plain.sample_rate, plain.to_ndarray().mean(axis=0, dtype=np.float32)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error).lower()
