"""The compressed formats: FFmpeg's codecs and containers, written to a sink that cannot seek."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import av
import numpy as np

from .formats import LABEL
from .samples import StreamResampler, bounded

FLAC_TOTAL = slice(21, 26)  # bytes of STREAMINFO: 4 bits of sample size, 36 bits of total samples


@dataclass(frozen=True, slots=True)
class Codec:
    """How one format is made with FFmpeg. ``layout`` is the sample format the codec takes."""

    container: str
    codec: str
    layout: str
    bit_rate: int = 0  # bits a second; 0: lossless
    options: dict[str, str] = field(default_factory=dict)


CODECS: dict[str, Codec] = {
    # A stream cannot go back to fill in a Xing header, so it has none: decoders play the
    # encoder's delay, and up to three frames (72 ms at 24 kHz) of silence surround the speech.
    "mp3": Codec("mp3", "libmp3lame", "fltp", 96_000, {"write_xing": "0"}),
    # Pages of 0.2 s: the default of 1 s would hold the end of each segment back.
    "opus": Codec("ogg", "libopus", "flt", 48_000, {"page_duration": "200000"}),
    # ADTS cannot tell the encoder's delay either: one frame before, up to one frame after.
    # It has no place for a comment: an ID3 tag goes before it, as in HTTP Live Streaming.
    "aac": Codec("adts", "aac", "fltp", 64_000, {"write_id3v2": "1"}),
    "flac": Codec("flac", "flac", "s16", 0, {"metadata_header_padding": "0"}),
}


class _Sink:
    """What FFmpeg writes to: no seek, no tell, so it never plans to come back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ContainerWriter:
    """One compressed stream; every packet leaves as soon as the codec gives it."""

    def __init__(self, fmt: str, rate: int, total_samples: int | None) -> None:
        spec = CODECS[fmt]
        self._layout = spec.layout
        self._rate = _codec_rate(spec.codec, rate)
        self._resampler = StreamResampler(rate, self._rate)
        self._position = 0
        self._sink = _Sink()
        # bitexact: the same samples give the same bytes (no random Ogg serial number)
        options = {"fflags": "+bitexact", **spec.options}
        self._container = av.open(self._sink, "w", format=spec.container, options=options)
        self._container.metadata["comment"] = LABEL
        self._stream = _add_stream(self._container, spec, self._rate)
        self._container.start_encoding()
        self._head = self._sink.take()
        if fmt == "flac" and total_samples is not None and self._rate == rate:
            self._head = _with_flac_total(self._head, total_samples)

    def write(self, samples: np.ndarray) -> bytes:
        """The header, the first time, and the packets that are ready."""
        self._push(self._resampler.push(bounded(samples)))
        return self._take()

    def close(self) -> bytes:
        """The last packets and the container's end."""
        rest = self._resampler.push(np.zeros(0, np.float32), last=True)
        if not self._position and not len(rest):
            rest = np.zeros(1, np.float32)  # decoders refuse a file without a single frame
        self._push(rest)
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._take()

    def _push(self, samples: np.ndarray) -> None:
        if not len(samples):
            return
        if self._layout == "s16":
            samples = np.rint(samples * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=self._layout, layout="mono")
        frame.sample_rate = self._rate
        frame.pts = self._position
        self._position += len(samples)
        self._container.mux(self._stream.encode(frame))

    def _take(self) -> bytes:
        head, self._head = self._head, b""
        return head + self._sink.take()


def _add_stream(container: av.container.OutputContainer, spec: Codec, rate: int) -> av.AudioStream:
    stream = cast(av.AudioStream, container.add_stream(spec.codec, rate=rate))
    stream.codec_context.layout = "mono"
    stream.codec_context.format = spec.layout
    if spec.bit_rate:
        stream.bit_rate = spec.bit_rate
    stream.metadata["comment"] = LABEL  # Ogg keeps comments with the stream, the others with the file
    return stream


def _codec_rate(codec: str, rate: int) -> int:
    """``rate`` where the codec takes it (Opus refuses 22 050 Hz), else the next higher one it takes."""
    rates = av.codec.Codec(codec, "w").audio_rates
    if rates is None or rate in rates:
        return rate
    return min((known for known in rates if known > rate), default=max(rates))


def _with_flac_total(head: bytes, total: int) -> bytes:
    """STREAMINFO with its number of samples (RFC 9639, 8.2), so that players can show and seek."""
    field = bytearray(head[FLAC_TOTAL])
    value = (int.from_bytes(field, "big") & ~((1 << 36) - 1)) | total
    return head[: FLAC_TOTAL.start] + value.to_bytes(len(field), "big") + head[FLAC_TOTAL.stop :]
