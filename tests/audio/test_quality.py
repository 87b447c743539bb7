"""What is said of a recording's quality: nothing of good speech, noise and music from a known level on.

The thresholds of ``audio.quality`` stand on these mixes: noise is told from 8 dB below the voice, music from
15 dB; speech in a room with echo, or with noise 20 dB below it, is good.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soxr

from index_tts_ui.audio.quality import hints

from ..conftest import Say

RATE = 16_000
TEXTS = {
    "zf_xiaobei": "清晨的阳光洒在窗台上，我泡了一杯热茶。你知道吗？那是一个关于大海的故事！",
    "zm_yunxi": "清晨的阳光洒在窗台上，我泡了一杯热茶。你知道吗？那是一个关于大海的故事！",
    "af_nicole": "The morning sun came through the window. Did you know? It was a story about the sea!",
    "am_santa": "The morning sun came through the window. Did you know? It was a story about the sea!",
}
Mix = Callable[[int], np.ndarray]
QUICK = ("zf_xiaobei", "af_nicole")


@pytest.fixture(
    scope="module",
    params=[name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TEXTS],
)
def speech(request: pytest.FixtureRequest, say: Say) -> np.ndarray:
    """Clean speech of a voice, some of which whisper or rumble."""
    return np.asarray(soxr.resample(say(TEXTS[request.param], request.param), 24_000, RATE), np.float32)


def noise(samples: int, pink: bool = False) -> np.ndarray:
    """White or pink noise."""
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=samples))
    return np.fft.irfft(spectrum / (np.sqrt(np.arange(len(spectrum)) + 1) if pink else 1), samples)


def music(samples: int) -> np.ndarray:
    """Plucked chords, two a second, the chord changing every two seconds."""
    chords, out = ((220, 277, 330), (196, 247, 294), (175, 220, 262)), np.zeros(samples)
    for beat, begin in enumerate(range(0, samples, RATE // 2)):
        time = np.arange(min(samples - begin, round(0.6 * RATE))) / RATE
        envelope = np.minimum(1, time / 0.01) * np.exp(-1.5 * time)
        for note in chords[beat // 4 % 3]:
            for n in range(1, 6):
                out[begin : begin + len(time)] += envelope * np.sin(2 * np.pi * note * n * time + n) / n**1.3
    return out


def organ(samples: int) -> np.ndarray:
    """A low chord that stands still."""
    time = np.arange(samples) / RATE
    return np.sum(
        [np.sin(2 * np.pi * f * n * time + n) / n for f in (110, 138.6, 164.8) for n in range(1, 8)], 0
    )


def under(speech: np.ndarray, sound: np.ndarray, below: float) -> np.ndarray:
    """``speech`` with ``sound`` so many dB below its voice."""
    frames = speech[: len(speech) // 320 * 320].reshape(-1, 320).var(axis=1)
    voice = np.sqrt(frames[frames > frames.max() / 10**3.5].mean())
    return (speech + sound * voice * 10 ** (-below / 20) / np.sqrt((sound**2).mean())).astype(np.float32)


def echoing(speech: np.ndarray, seconds: float, share: float) -> np.ndarray:
    """In a room that takes so long to fall silent by 60 dB."""
    size = round(seconds * RATE)
    answer = np.random.default_rng(3).normal(size=size) * 10 ** (-3 * np.arange(size) / size)
    answer *= share / np.linalg.norm(answer)
    answer[0] = 1
    length = len(speech) + size
    product = np.fft.rfft(speech, length) * np.fft.rfft(answer, length)
    return np.fft.irfft(product, length)[: len(speech)].astype(np.float32)


def test_of_good_speech_nothing_is_said(speech: np.ndarray) -> None:
    for begin in range(0, len(speech) - 3 * RATE, RATE // 2):
        part = speech[begin : begin + 3 * RATE]  # with more pause than voice it is short
        assert set(hints(part, RATE)) <= {"clip_short"}, f"from {begin / RATE} s"
    for level in (0.3, 1.0):
        assert hints(speech * np.float32(level), RATE) == []
    for seconds, share in ((0.3, 0.35), (0.5, 0.5), (0.8, 0.5)):
        assert hints(echoing(speech, seconds, share), RATE) == []
    for below in (40, 30, 20):
        for pink in (False, True):
            assert hints(under(speech, noise(len(speech), pink), below), RATE) == [], (below, pink)
    assert hints(np.asarray(soxr.resample(speech, RATE, 48_000)), 48_000) == []


@pytest.mark.parametrize("below", [8, 4, 0])
def test_noise_is_told(speech: np.ndarray, below: int) -> None:
    assert hints(under(speech, noise(len(speech)), below), RATE) == ["clip_noisy"]
    assert hints(under(speech, noise(len(speech), pink=True), below), RATE) == ["clip_noisy"]


@pytest.mark.parametrize("below", [15, 10])
@pytest.mark.parametrize("sound", [music, organ])
def test_music_is_told_and_is_not_taken_for_noise(speech: np.ndarray, sound: Mix, below: int) -> None:
    assert hints(under(speech, sound(len(speech)), below), RATE) == ["clip_music"]


def test_loud_music_is_told_one_way_or_another(speech: np.ndarray) -> None:
    for below in (5, 0):
        assert hints(under(speech, music(len(speech)), below), RATE) in (["clip_music"], ["clip_noisy"])


def test_little_and_quiet_speech_is_told(speech: np.ndarray) -> None:
    begin = int(np.abs(speech).argmax()) - RATE // 2
    assert "clip_short" in hints(speech[max(0, begin) :][: round(1.6 * RATE)], RATE)
    assert "clip_quiet" in hints(speech * np.float32(0.02), RATE)
