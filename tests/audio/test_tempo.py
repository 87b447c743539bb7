"""Another tempo is another length and the same pitch."""

from __future__ import annotations

import numpy as np
import pytest

from index_tts_ui.audio import at_speed
from index_tts_ui.speech import Audio

RATE = 24_000
PITCH = 440.0


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.3, 2.0, 4.0])
def test_the_length_changes_and_the_pitch_does_not(speed: float) -> None:
    wave = np.sin(2 * np.pi * PITCH * np.arange(2 * RATE) / RATE).astype(np.float32)
    made = at_speed(Audio(RATE, 0.5 * wave), speed)
    assert made.rate == RATE and made.samples.dtype == np.float32
    assert made.seconds == pytest.approx(2 / speed, rel=0.06)
    middle = made.samples[len(made.samples) // 4 : -len(made.samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / len(middle) == pytest.approx(PITCH, rel=0.02)
    assert 0.4 < np.abs(middle).max() < 0.6


def test_one_is_the_sound_itself_and_nothing_stays_nothing() -> None:
    audio = Audio(RATE, np.ones(100, np.float32))
    assert at_speed(audio, 1.0) is audio
    assert len(at_speed(Audio(RATE, np.zeros(0, np.float32)), 2.0).samples) == 0
