"""A recording of somebody's voice as a reference clip: checked, cut, and in one canonical form.

The canonical form is 16-bit mono WAV without extra chunks; its SHA-256 is the clip's key, so the same
recording is stored and encoded once. A canonical file that is read again keeps its key.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import Invalid, TooLarge
from ..speech import Audio
from . import canonical
from .decoder import Decoded, decode
from .quality import FRAME, hints, levels, voiced
from .samples import peak, resample

MAX_BYTES = 64 << 20
MAX_SECONDS = 300.0  # of the file that is sent
KEEP_SECONDS = 15.0  # of it, that the models hear
MIN_VOICE = 1.0  # seconds
MIN_RATE, MAX_RATE = 8_000, 48_000  # Hz
LEAD, LEAD_KEPT = 0.5, 0.1  # seconds of silence at the start: worth cutting; what stays of it
CLIPPED_RUN, CLIPPED_RUNS = 4, 3  # samples in a row at the rail; how many times

# key: (English, Chinese); what the owner of a clip should know, although it is usable
NOTICES: dict[str, tuple[str, str]] = {
    "clip_cut": (
        "The clip is longer than is used: only its first 15 seconds of sound are; trim it to choose others.",
        "参考音频过长，仅使用从第一个声音开始的 15 秒：可裁剪以选用其他部分。",
    ),
    "clip_short": (
        "The clip is short: 5 to 15 seconds of speech give a better voice.",
        "参考音频较短：5 到 15 秒的语音效果更好。",
    ),
    "clip_stereo": (
        "The clip's channels were mixed into one.",
        "参考音频的多个声道已合并为单声道。",
    ),
    "clip_clipped": (
        "The clip is distorted (too loud for its recording): record it again at a lower level.",
        "参考音频有削波失真（录音过响）：建议降低音量重新录制。",
    ),
    "clip_quiet": (
        "The clip is very quiet: record it closer to the microphone for a better voice.",
        "参考音频音量很小：靠近麦克风录制效果更好。",
    ),
    "clip_noisy": (
        "The clip has background noise or echo: record it in a quiet room, close to the microphone.",
        "参考音频有背景噪声或回声：请在安静环境中靠近麦克风录制。",
    ),
    "clip_music": (
        "The clip seems to have music or a hum behind the voice: it would become part of it; use one without.",
        "参考音频的人声背后似乎有音乐或嗡嗡声：会混入音色，请换用干净的录音。",
    ),
    "clip_low_rate": (
        "The clip has telephone quality (below 16 kHz): a better recording gives a better voice.",
        "参考音频为电话音质（采样率低于 16 kHz）：更好的录音会带来更好的音色。",
    ),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """A usable reference: mono float32 [n] on the grid of 16 bits, at ``rate`` Hz; keys of ``NOTICES``.

    It began ``start`` seconds into a recording of ``total`` seconds.
    """

    samples: np.ndarray
    rate: int
    notices: tuple[str, ...] = ()
    start: float = 0.0
    total: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate

    @property
    def key(self) -> str:
        """SHA-256 of :meth:`wav`, 64 hex digits."""
        return hashlib.sha256(self.wav()).hexdigest()

    def wav(self) -> bytes:
        """The canonical file: 44 bytes of header, then 16-bit little-endian samples."""
        return canonical.write(self.samples, self.rate)


Decoder = Callable[[bytes, float], Decoded]  # of a file, and the most seconds of it: as ``decode``


def read_clip(
    data: bytes, start: float | None = None, end: float | None = None, decoder: Decoder = decode
) -> Clip:
    """A recording (wav, mp3, flac, ogg, m4a, webm, ...) as a clip of at most ``KEEP_SECONDS``.

    ``start`` and ``end`` are the seconds of it to take; without a start it begins with its first sound.
    ``decoder``: :meth:`apart.Apart.decode` for what came over the network.

    Raises:
        Invalid: it cannot be read, is silent, has less than a second of voice, or no such seconds.
        TooLarge: it has more than ``MAX_BYTES`` or ``MAX_SECONDS``.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("clip_too_large", limit=MAX_BYTES >> 20)
    whole = decoder(data, MAX_SECONDS)
    total, (begin, stop) = whole.seconds, _cut(whole, start, end)
    sound = Audio(whole.rate, whole.samples[begin:stop])
    began = begin / sound.rate
    if sound.rate < MIN_RATE:
        raise Invalid("bad_audio", reason=f"its sample rate is {sound.rate} Hz, the lowest is {MIN_RATE} Hz")
    notices = ["clip_stereo"] if whole.channels > 1 else []
    notices += ["clip_clipped"] if _is_clipped(sound.samples) else []
    notices += ["clip_low_rate"] if sound.rate < 16_000 else []
    sound = _within_scale(resample(sound, MAX_RATE) if sound.rate > MAX_RATE else sound)
    lead = _lead(sound.samples, sound.rate) if start is None else 0
    sounding = sound.samples[lead:]
    kept = sounding[: int(KEEP_SECONDS * sound.rate)]
    notices += ["clip_cut"] if len(kept) < len(sounding) else []
    _check_voice(levels(kept, sound.rate))
    notices += hints(kept, sound.rate)
    return Clip(_on_grid(kept), sound.rate, tuple(notices), began + lead / sound.rate, total)


def _cut(sound: Audio, start: float | None, end: float | None) -> tuple[int, int]:
    """The samples from ``start`` to ``end`` seconds. Raises Invalid."""
    for param, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise Invalid("bad_value", param=param, reason="must be seconds, 0 or more")
    begin = min(start or 0.0, sound.seconds)
    stop = sound.seconds if end is None else min(end, sound.seconds)
    if stop <= begin:
        raise Invalid(
            "bad_value", param="end", reason=f"must be after the start, within {sound.seconds:.1f} s"
        )
    return round(begin * sound.rate), round(stop * sound.rate)


def _is_clipped(samples: np.ndarray) -> bool:
    """Whether the wave stands still at its peak, several times, as a cut one does and a sine does not."""
    top = peak(samples)
    if top < 0.5:
        return False
    at_rail = (np.abs(samples) >= top * 0.9999).astype(np.int8)
    edges = np.flatnonzero(np.diff(at_rail, prepend=0, append=0))
    return int(((edges[1::2] - edges[::2]) >= CLIPPED_RUN).sum()) >= CLIPPED_RUNS


def _within_scale(sound: Audio) -> Audio:
    """Lossy and float files overshoot full scale: make them quieter, rather than clip them."""
    top = peak(sound.samples)
    return sound if top <= 1.0 else Audio(sound.rate, sound.samples / np.float32(top))


def _on_grid(samples: np.ndarray) -> np.ndarray:
    """Rounded to 16 bits: what a 16-bit file holds stays as it is, bit for bit."""
    return np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.float32) / np.float32(32768)


def _lead(samples: np.ndarray, rate: int) -> int:
    """Samples before just before the first sound, where silence comes before it; else 0."""
    heard = np.flatnonzero(voiced(levels(samples, rate)))
    lead = float(heard[0]) * FRAME if len(heard) else 0.0
    return round((lead - LEAD_KEPT) * rate) if lead > LEAD else 0


def _check_voice(frames: np.ndarray) -> None:
    """Raises ``Invalid`` where there is no, or too little, voice."""
    heard = voiced(frames)
    if not heard.any() and len(frames) * FRAME >= MIN_VOICE:
        raise Invalid("clip_silent")
    seconds = float(heard.sum()) * FRAME
    if seconds < MIN_VOICE:
        raise Invalid("clip_too_short", seconds=f"{seconds:.1f}", least=f"{MIN_VOICE:g}")
