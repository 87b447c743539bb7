"""Bare samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from index_tts_ui.audio import resample, to_pcm16
from index_tts_ui.speech import Audio
from tests.audio.sounds import similarity, tone

ANY_FLOATS = arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32))


@given(ANY_FLOATS)
def test_any_samples_become_pcm(samples: np.ndarray) -> None:
    values = np.frombuffer(to_pcm16(samples), "<i2")
    assert len(values) == len(samples)
    finite = np.isfinite(samples)
    assert (values[~finite] == 0).all()
    assert np.abs(values[finite] / 32767 - np.clip(samples[finite], -1, 1)).max(initial=0) <= 0.51 / 32767


def test_full_scale_is_symmetric() -> None:
    assert np.frombuffer(to_pcm16(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])), "<i2").tolist() == [
        -32767,
        -32767,
        0,
        32767,
        32767,
    ]


@pytest.mark.parametrize("target", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_resampling_keeps_length_pitch_and_position(rate: int, target: int) -> None:
    audio = resample(Audio(rate, tone(rate, 1.0)), target)
    assert audio.rate == target
    assert abs(len(audio.samples) - target) <= 1
    assert np.abs(audio.samples[500:-500] - tone(target, 1.0)[500 : len(audio.samples) - 500]).max() < 0.01
    assert similarity(audio.samples, tone(target, 1.0)) > 0.999


def test_nothing_stays_nothing() -> None:
    assert len(resample(Audio(24_000, np.zeros(0, np.float32)), 48_000).samples) == 0
    assert to_pcm16([]) == b""
