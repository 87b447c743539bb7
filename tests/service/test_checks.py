"""What is said of a segment's sound."""

from __future__ import annotations

import numpy as np
import pytest

from index_tts_ui.checks import fault
from index_tts_ui.speech import Audio, Segment, VoiceRef

RATE = 1000


def segment(tokens: int = 10, **params: float) -> Segment:
    """Ten tokens of text."""
    return Segment("a/0", "text", "text", tokens, "en", (VoiceRef("builtin", "x"),), params=params)


def wave(seconds: float, level: float = 0.1) -> np.ndarray:
    """A sound."""
    return (level * np.sin(np.arange(int(RATE * seconds)))).astype(np.float32)


@pytest.mark.parametrize(("sample", "place"), [(np.nan, 0), (np.nan, -1), (np.inf, 7), (-np.inf, 500)])
def test_one_sample_that_is_no_number_spoils_it(sample: float, place: int) -> None:
    samples = wave(1)
    samples[place] = sample
    assert fault(segment(), Audio(RATE, samples), 0.5) == "bad_samples"


@pytest.mark.parametrize("samples", [np.zeros(500, np.float32), wave(1, 1e-5), np.zeros(0, np.float32)])
def test_silence_of_a_whole_segment_is_none_of_its_words(samples: np.ndarray) -> None:
    assert fault(segment(), Audio(RATE, samples), 0.5) == "silent_sound"


def test_a_word_in_silence_and_a_quiet_voice_are_good() -> None:
    for samples in (np.concatenate([np.zeros(3000, np.float32), wave(0.2)]), wave(1, 0.001), -wave(1)):
        assert fault(segment(), Audio(RATE, samples), 0.5) == ""


def test_length_is_measured_by_the_tokens_and_the_speed_that_was_asked_for() -> None:
    eleven = Audio(RATE, wave(11))
    assert fault(segment(), eleven, 0.5) == "runaway_sound"  # 5 s, and 10 tokens at half a second
    assert fault(segment(20), eleven, 0.5) == ""
    assert fault(segment(), eleven, 0.0) == ""
    assert fault(segment(speed=0.5), eleven, 0.5) == ""
    assert fault(segment(duration_factor=2.0), eleven, 0.5) == ""
    assert fault(segment(speed=2.0), eleven, 0.5) == "runaway_sound"
