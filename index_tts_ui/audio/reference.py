"""A recording of somebody's voice as a reference clip: checked, cut, and in one canonical form.

The canonical form is 16-bit mono WAV without extra chunks; its SHA-256 is the clip's key, so the same
recording is stored and encoded once. A canonical file that is read again keeps its key.
"""

from __future__ import annotations

import hashlib
import io
import wave
from dataclasses import dataclass

import av
import numpy as np

from ..errors import Invalid, TooLarge
from ..speech import Audio
from .decoder import CONTAINERS, decode
from .samples import peak, resample

MAX_BYTES = 64 << 20
MAX_SECONDS = 300.0  # of the file that is sent
KEEP_SECONDS = 15.0  # of it, that the models hear
MIN_VOICE = 1.0  # seconds
MIN_RATE, MAX_RATE = 8_000, 48_000  # Hz
FRAME = 0.02  # seconds
SILENT = -50.0  # dBFS; a frame below it is no voice, however quiet the rest
VOICE_RANGE = 35.0  # dB below the loudest frame that may still be voice
LEAD, LEAD_KEPT = 0.5, 0.1  # seconds of silence at the start: worth cutting; what stays of it
QUIET = -35.0  # dBFS of the loud frames
MIN_SNR = 15.0  # dB between loud and quiet frames
CLIPPED_RUN, CLIPPED_RUNS = 4, 3  # samples in a row at the rail; how many times

# key: (English, Chinese); what the owner of a clip should know, although it is usable
NOTICES: dict[str, tuple[str, str]] = {
    "clip_cut": (
        "Only 15 seconds of the clip, from its first sound on, are used.",
        "仅使用参考音频中从第一个声音开始的 15 秒。",
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
        "The clip has background noise or music: record it in a quiet room for a better voice.",
        "参考音频有背景噪声或音乐：在安静环境中录制效果更好。",
    ),
    "clip_low_rate": (
        "The clip has telephone quality (below 16 kHz): a better recording gives a better voice.",
        "参考音频为电话音质（采样率低于 16 kHz）：更好的录音会带来更好的音色。",
    ),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """A usable reference: mono float32 [n] on the grid of 16 bits, at ``rate`` Hz; keys of ``NOTICES``."""

    samples: np.ndarray
    rate: int
    notices: tuple[str, ...] = ()

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
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(self.rate)
            out.writeframes((self.samples * 32768).astype("<i2").tobytes())
        return file.getvalue()


def read_clip(data: bytes) -> Clip:
    """A recording (wav, mp3, flac, ogg, m4a, webm, ...) as a clip of at most ``KEEP_SECONDS``.

    Raises:
        Invalid: it cannot be read, is silent, or has less than a second of voice.
        TooLarge: it has more than ``MAX_BYTES`` or ``MAX_SECONDS``.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("clip_too_large", limit=MAX_BYTES >> 20)
    sound = decode(data, limit_seconds=MAX_SECONDS)
    if sound.rate < MIN_RATE:
        raise Invalid("bad_audio", reason=f"its sample rate is {sound.rate} Hz, the lowest is {MIN_RATE} Hz")
    notices = ["clip_stereo"] if _channels(data) > 1 else []
    notices += ["clip_clipped"] if _is_clipped(sound.samples) else []
    notices += ["clip_low_rate"] if sound.rate < 16_000 else []
    sound = _within_scale(resample(sound, MAX_RATE) if sound.rate > MAX_RATE else sound)
    sounding = sound.samples[_start(sound.samples, sound.rate) :]
    kept = sounding[: int(KEEP_SECONDS * sound.rate)]
    notices += ["clip_cut"] if len(kept) < len(sounding) else []
    notices += _heard(_levels(kept, sound.rate))
    return Clip(_on_grid(kept), sound.rate, tuple(notices))


def _channels(data: bytes) -> int:
    with av.open(io.BytesIO(data), "r", options={"format_whitelist": CONTAINERS}) as container:
        return container.streams.audio[0].codec_context.channels


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


def _start(samples: np.ndarray, rate: int) -> int:
    """Just before the first sound, where silence comes before it; else 0."""
    voiced = np.flatnonzero(_voiced(_levels(samples, rate)))
    lead = float(voiced[0]) * FRAME if len(voiced) else 0.0
    return round((lead - LEAD_KEPT) * rate) if lead > LEAD else 0


def _levels(samples: np.ndarray, rate: int) -> np.ndarray:
    """Level of each frame in dBFS, [frames]; an offset (DC) does not count."""
    size = round(FRAME * rate)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return 10 * np.log10(frames.var(axis=1) + 1e-12)


def _voiced(levels: np.ndarray) -> np.ndarray:
    return levels > max(SILENT, float(levels.max(initial=-120.0)) - VOICE_RANGE)


def _heard(levels: np.ndarray) -> list[str]:
    """Notices about level and noise. Raises ``Invalid`` where there is no, or too little, voice."""
    voiced = _voiced(levels)
    if not voiced.any() and len(levels) * FRAME >= MIN_VOICE:
        raise Invalid("clip_silent")
    seconds = float(voiced.sum()) * FRAME
    if seconds < MIN_VOICE:
        raise Invalid("clip_too_short", seconds=f"{seconds:.1f}", least=f"{MIN_VOICE:g}")
    loud, quiet = np.percentile(levels, 95), np.percentile(levels, 5)
    notices = ["clip_quiet"] if loud < QUIET else []
    return notices + (["clip_noisy"] if loud - quiet < MIN_SNR else [])
