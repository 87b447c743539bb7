"""No peak passes, and what is quiet enough is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.audio.limiter import CEILING, _peaks, limit, true_peaks
from tests.audio.sounds import silence, speechlike, tone, true_peak_db

RATE = 24_000


def loud_sounds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "speech": speechlike(RATE, 2.0, 1.5),
        "noise": rng.normal(0, 1, RATE),
        "clicks": (rng.random(RATE) < 0.001) * 4.0,
        "square": np.sign(tone(RATE, 1.0, hertz=317)),
        "between samples": 1.4 * np.sin(2 * np.pi * 6000 * np.arange(RATE) / RATE + np.pi / 4),
        "near the top of the band": tone(RATE, 1.0, 1.5, 11_000),
    }


@pytest.mark.parametrize("name", loud_sounds())
def test_true_peak_stays_under_minus_1_dbfs(name: str) -> None:
    sound = loud_sounds()[name].astype(np.float32)
    assert true_peak_db(sound) > -1
    assert true_peak_db(limit(sound, RATE)) < -1


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    length=st.integers(1, 30_000),
    level=st.floats(0.01, 16),
    rate=st.sampled_from([16_000, 22_050, 48_000]),
)
def test_no_sample_is_over_the_limit(seed: int, length: int, level: float, rate: int) -> None:
    sound = (level * np.random.default_rng(seed).uniform(-1, 1, length)).astype(np.float32)
    limited = limit(sound, rate)
    assert limited.shape == sound.shape
    assert float(np.abs(limited).max()) <= 10 ** (-1 / 20)


def test_a_quiet_sound_is_not_touched() -> None:
    sound = tone(RATE, 1.0, 0.8)
    assert limit(sound, RATE) is sound


def test_only_the_surroundings_of_a_peak_are_turned_down() -> None:
    sound = tone(RATE, 1.0, 0.2)
    sound[12_000:12_010] *= 10
    limited = limit(sound, RATE)
    assert np.array_equal(limited[:11_000], sound[:11_000])
    assert np.array_equal(limited[13_000:], sound[13_000:])


def test_gain_moves_smoothly() -> None:
    sound = np.full(RATE, 0.1, np.float32)
    sound[12_000] = 3.0
    gain = limit(sound, RATE) / sound
    assert float(np.abs(np.diff(gain)).max()) < 0.005


def test_peaks_between_samples_are_seen() -> None:
    between = np.sin(2 * np.pi * 6000 * np.arange(RATE) / RATE + np.pi / 4).astype(np.float32)
    assert float(np.abs(between).max()) < 0.72
    assert float(true_peaks(between)[100:-100].max()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("rate", [22_050, 24_000])
@pytest.mark.parametrize("level", [0.5, 1.0, 3.0])
def test_peaks_are_looked_for_only_where_it_is_loud_and_none_is_missed(rate: int, level: float) -> None:
    rng = np.random.default_rng(round(level * rate))
    swelling = np.repeat(rng.uniform(0, 1, 40) ** 3, rate // 10)[: 3 * rate].astype(np.float32)
    sound = (level * swelling * speechlike(rate, 3.0, 1.0)[: len(swelling)]).astype(np.float32)
    quick, exact = _peaks(sound), true_peaks(sound)
    assert float(np.abs(quick - exact)[exact > CEILING].max(initial=0.0)) < 1e-3
    assert float(quick[exact <= CEILING].max()) <= CEILING + 1e-3
    assert (quick == np.abs(sound)).mean() > 0.2, "nothing was spared"


def test_nothing_stays_nothing() -> None:
    assert len(limit(silence(RATE, 0.0), RATE)) == 0
