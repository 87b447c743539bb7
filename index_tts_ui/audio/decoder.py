"""Any sound file as mono samples."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np

from ..errors import Invalid, TooLarge
from ..speech import Audio
from .samples import clean

# FFmpeg also knows playlists and scripts that open other files: these containers do not.
CONTAINERS = "wav,w64,aiff,mp3,flac,ogg,aac,mov,matroska,caf"

MAX_CHANNELS = 64  # FFmpeg's resampler takes no more
MAX_SAMPLES = 300 * 96_000  # 110 MiB: silence at a very high rate is a small file, too


@dataclass(frozen=True, slots=True)
class Decoded(Audio):
    """What a file holds, the mean of its ``channels``."""

    channels: int = 1


def decode(data: bytes, limit_seconds: float = 600.0) -> Decoded:
    """The first audio stream of a file, its channels averaged, at its own rate.

    Args:
        data: the file: wav, aiff, mp3, flac, ogg (opus, vorbis), aac, m4a/mp4 or webm.
        limit_seconds: decoding stops there, so that a small file cannot fill the memory.

    Raises:
        Invalid: it is no such file, is damaged, or has no sound.
        TooLarge: it is longer than ``limit_seconds``.
    """
    blocks: list[np.ndarray] = []
    rate = channels = length = 0
    try:
        for rate, width, block in _blocks(data):
            channels = max(channels, width)
            length += len(block)
            limit = min(limit_seconds * rate, MAX_SAMPLES)
            if length > limit:
                raise TooLarge("audio_too_long", limit=round(limit / rate, 1))
            blocks.append(block)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise Invalid("bad_audio", reason=_reason(error)) from error
    if not length:
        raise Invalid("bad_audio", reason="it has no sound")
    return Decoded(rate, clean(np.concatenate(blocks)), channels)


def _blocks(data: bytes) -> Iterator[tuple[int, int, np.ndarray]]:
    with av.open(io.BytesIO(data), "r", options={"format_whitelist": CONTAINERS}) as container:
        if not container.streams.audio:
            return
        resampler: av.AudioResampler | None = None
        for frame in container.decode(container.streams.audio[0]):
            if frame.layout.nb_channels > MAX_CHANNELS:
                raise ValueError(
                    f"it has {frame.layout.nb_channels} channels: save it with {MAX_CHANNELS} at most"
                )
            if resampler is None:  # FFmpeg would weight channels by their place in the room; average them
                # interleaved: of planes, PyAV reads the eighth and later ones from memory that is not theirs
                resampler = av.AudioResampler(format="flt", rate=frame.sample_rate)
            for plain in resampler.resample(frame):
                yield plain.sample_rate, plain.layout.nb_channels, _mixed(plain)
        for plain in resampler.resample(None) if resampler else []:
            yield plain.sample_rate, plain.layout.nb_channels, _mixed(plain)


def _mixed(frame: av.AudioFrame) -> np.ndarray:
    """The mean of its channels, float32 [samples]."""
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    mean: np.ndarray = samples.mean(axis=1, dtype=np.float32)
    return mean


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error).lower()
