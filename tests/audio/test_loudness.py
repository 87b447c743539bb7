"""Loudness is what ITU-R BS.1770 says it is."""

from __future__ import annotations

import numpy as np
import pytest

from index_tts_ui.audio import loudness
from tests.audio.sounds import silence, speechlike, tone

RATES = (16_000, 22_050, 24_000, 44_100, 48_000)


@pytest.mark.parametrize("rate", RATES)
def test_a_full_scale_997_hz_sine_is_minus_3_lufs(rate: int) -> None:
    assert loudness(tone(rate, 3.0, 1.0, 997.0), rate) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("hertz", "lufs"), [(25.0, -14.0), (50.0, -7.8), (100.0, -4.8), (500.0, -3.6), (4000.0, 0.3)]
)
def test_k_weighting_follows_the_standards_curve(rate: int, hertz: float, lufs: float) -> None:
    """The figures are the response of the biquads that the standard prints for 48 kHz."""
    assert loudness(tone(rate, 3.0, 1.0, hertz), rate) == pytest.approx(lufs, abs=0.35)


@pytest.mark.parametrize("decibels", [-30, -12, 6])
def test_gain_moves_loudness_by_as_much(decibels: int) -> None:
    sound = speechlike(24_000, 4.0, 0.05)
    louder = sound * np.float32(10 ** (decibels / 20))
    assert loudness(louder, 24_000) - loudness(sound, 24_000) == pytest.approx(decibels, abs=0.01)


def test_pauses_do_not_count() -> None:
    sound = speechlike(24_000, 4.0)
    paused = np.concatenate([silence(24_000, 3.0), sound, silence(24_000, 5.0)])
    assert loudness(paused, 24_000) == pytest.approx(loudness(sound, 24_000), abs=0.5)


@pytest.mark.parametrize(
    "samples",
    [silence(24_000, 0.0), silence(24_000, 2.0), 1e-6 * tone(24_000, 1.0)],
    ids=["none", "zeros", "faint"],
)
def test_silence_has_a_loudness_too(samples: np.ndarray) -> None:
    assert loudness(samples, 24_000) == -120.0


@pytest.mark.parametrize("length", [100, 2399, 2400, 2401, 9599, 9600, 9601])
def test_a_short_sound_is_as_loud_as_a_long_one(length: int) -> None:
    sound = tone(24_000, 3.0, hertz=3000)
    assert loudness(sound[:length], 24_000) == pytest.approx(loudness(sound, 24_000), abs=0.5)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_few_samples_have_a_loudness(length: int) -> None:
    assert -120 <= loudness(np.full(length, 0.5, np.float32), 24_000) < 0
