"""Segments of any voice become one even recording."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.audio import Leveler, loudness
from index_tts_ui.audio.edges import trim
from tests.audio.sounds import silence, speechlike, tone, true_peak_db
from tests.conftest import Say
from tests.hearing import pinyin_error_rate

RATE = 24_000
LIMIT = 10 ** (-1 / 20)


def padded(speech: np.ndarray, before: float, after: float) -> np.ndarray:
    return np.concatenate([silence(RATE, before), speech, silence(RATE, after)])


def alone(samples: np.ndarray) -> np.ndarray:
    """The segment as a whole request."""
    return Leveler(RATE).process(samples, 0.3, first=True, last=True)


# ---- loudness


@pytest.mark.parametrize("level", [0.04, 0.1, 0.3, 1.0])
def test_any_level_comes_out_at_the_target(level: float) -> None:
    assert loudness(alone(speechlike(RATE, 4.0, level)), RATE) == pytest.approx(-20, abs=1)


def test_real_voices_come_out_equally_loud(say: Say) -> None:
    text = "今天天气很好，我们一起去公园散步吧。"
    raw = [say(text, voice) for voice in ("zf_xiaoxiao", "zm_yunxi")]
    assert abs(loudness(raw[0], RATE) - loudness(raw[1], RATE)) > 3, (
        "these voices no longer differ: choose others"
    )
    levelled = [alone(samples) for samples in raw]
    assert [loudness(samples, RATE) for samples in levelled] == pytest.approx([-20, -20], abs=1)
    assert [pinyin_error_rate(samples, RATE, text) for samples in levelled] == pytest.approx([0, 0], abs=0.1)


def test_gain_is_bounded() -> None:
    whisper = speechlike(RATE, 6.0, 0.01)
    assert loudness(alone(whisper), RATE) - loudness(whisper, RATE) == pytest.approx(15, abs=0.3)


def test_a_short_quiet_word_is_not_blown_up() -> None:
    word = speechlike(RATE, 0.25, 0.02)
    lifted = loudness(alone(word), RATE) - loudness(word, RATE)
    assert 0 <= lifted <= 8


def test_a_breath_of_noise_is_not_amplified() -> None:
    breath = np.random.default_rng(0).normal(0, 0.001, 2 * RATE).astype(np.float32)
    assert float(np.abs(alone(breath)).max()) <= float(np.abs(breath).max())


def test_a_short_word_between_sentences_keeps_their_gain() -> None:
    leveler = Leveler(RATE)
    sentence, word = speechlike(RATE, 5.0, 0.05), speechlike(RATE, 0.3, 0.02)
    before = loudness(leveler.process(sentence, 0.3, True, False), RATE) - loudness(sentence, RATE)
    within = loudness(leveler.process(word, 0.3, False, False), RATE) - loudness(word, RATE)
    assert within == pytest.approx(before, abs=2.0)


def test_a_sentence_after_a_short_word_still_reaches_the_target() -> None:
    leveler = Leveler(RATE)
    leveler.process(speechlike(RATE, 0.3, 0.02), 0.3, True, False)
    assert loudness(leveler.process(speechlike(RATE, 4.0, 0.05), 0.3, False, True), RATE) == pytest.approx(
        -20, abs=1
    )


def test_neighbours_of_different_level_are_matched() -> None:
    leveler = Leveler(RATE)
    levels = [0.05, 0.15, 0.03, 0.3]
    out = [
        loudness(leveler.process(speechlike(RATE, 4.0, level), 0.3, i == 0, False), RATE)
        for i, level in enumerate(levels)
    ]
    assert float(np.abs(np.diff(out)).max()) < 3


# ---- peaks


@pytest.mark.parametrize("level", [0.02, 0.3, 1.0, 8.0])
def test_true_peak_is_under_minus_1_dbfs(level: float) -> None:
    assert true_peak_db(alone(speechlike(RATE, 3.0, level))) < -1


def test_a_single_huge_click_does_not_pass() -> None:
    sound = speechlike(RATE, 3.0, 0.01)
    sound[RATE] = 1e30
    assert true_peak_db(alone(sound)) < -1


# ---- edges


def test_silence_around_speech_is_trimmed_to_natural_edges() -> None:
    out = alone(padded(tone(RATE, 1.0), 0.5, 0.8))
    assert 1.0 + 0.06 <= len(out) / RATE <= 1.0 + 0.13


def test_what_has_no_silence_around_it_keeps_every_sample() -> None:
    speech = speechlike(RATE, 1.0)
    assert len(alone(speech)) == len(speech)


def test_a_breathy_onset_is_kept() -> None:
    breath = np.random.default_rng(0).normal(0, 0.002, round(0.15 * RATE)).astype(np.float32)  # -54 dBFS
    kept = trim(padded(np.concatenate([breath, tone(RATE, 1.0)]), 0.5, 0.5), RATE)
    onset = np.flatnonzero(kept)[0]
    assert 0.025 <= onset / RATE <= 0.045
    assert np.array_equal(kept[onset : onset + len(breath)], breath)


def test_a_blip_of_noise_far_from_the_words_is_dropped() -> None:
    blip = 0.01 * np.random.default_rng(0).normal(0, 1, round(0.05 * RATE)).astype(np.float32)
    speech = speechlike(RATE, 1.0)
    assert len(trim(np.concatenate([speech, silence(RATE, 0.4), blip]), RATE)) <= 1.1 * RATE
    assert len(trim(np.concatenate([blip, silence(RATE, 0.4), speech]), RATE)) <= 1.1 * RATE


def test_the_release_of_a_final_stop_is_kept() -> None:
    release = 0.01 * np.random.default_rng(0).normal(0, 1, round(0.05 * RATE)).astype(np.float32)
    word = np.concatenate([speechlike(RATE, 1.0), silence(RATE, 0.12), release])
    assert len(trim(word, RATE)) == len(word)


def test_pauses_within_speech_are_kept() -> None:
    speech = np.concatenate([tone(RATE, 0.5), silence(RATE, 0.7), tone(RATE, 0.5)])
    assert len(alone(speech)) == len(speech)


@pytest.mark.parametrize(
    "sound", [tone(RATE, 1.0, hertz=90), np.full(RATE, 0.4, np.float32)], ids=["cut wave", "offset"]
)
def test_joins_have_no_step(sound: np.ndarray) -> None:
    leveler = Leveler(RATE)
    parts = [leveler.process(sound[77:], 0.0, i == 0, i == 2) for i in range(3)]
    joined = np.concatenate([silence(RATE, 0.1), *parts, silence(RATE, 0.1)])
    steepest = float(np.abs(np.diff(parts[1][1000:-1000])).max())
    assert float(np.abs(np.diff(joined)).max()) <= max(steepest, 0.01)
    assert all(part[0] == part[-1] == 0 for part in parts)


# ---- pauses and odd input


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.75])
def test_the_pause_follows_every_segment_but_the_last(pause: float) -> None:
    speech = speechlike(RATE, 1.0)
    inner = Leveler(RATE).process(speech, pause, True, False)
    assert len(inner) == len(speech) + round(pause * RATE)
    assert not inner[len(speech) :].any()
    assert len(Leveler(RATE).process(speech, pause, True, True)) == len(speech)


@pytest.mark.parametrize(
    "empty",
    [silence(RATE, 0.0), silence(RATE, 1.0), np.full(RATE, np.nan, np.float32)],
    ids=["none", "zeros", "nan"],
)
def test_nothing_to_hear_is_only_the_pause(empty: np.ndarray) -> None:
    assert np.array_equal(Leveler(RATE).process(empty, 0.25, True, False), silence(RATE, 0.25))
    assert len(Leveler(RATE).process(empty, 0.25, True, True)) == 0


def test_nan_is_silence() -> None:
    sound = speechlike(RATE, 2.0)
    sound[10_000:11_000] = np.nan
    assert np.array_equal(alone(sound), alone(np.nan_to_num(sound)))


def test_input_is_not_changed() -> None:
    sound = speechlike(RATE, 1.0)
    copy = sound.copy()
    alone(sound)
    assert np.array_equal(sound, copy)


def test_a_new_recording_forgets_the_one_before() -> None:
    leveler = Leveler(RATE)
    leveler.process(speechlike(RATE, 3.0, 0.02), 0.3, True, False)
    sound = speechlike(RATE, 1.0, 0.2)
    assert np.array_equal(
        leveler.process(sound, 0.3, True, False), Leveler(RATE).process(sound, 0.3, True, False)
    )


SEGMENTS = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.floats(0, 20),
        st.floats(0, 0.5),
        st.sampled_from(["speech", "noise", "tone"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50, deadline=None)
@given(segments=SEGMENTS, rate=st.sampled_from([16_000, 22_050, 24_000, 48_000]))
def test_every_request_is_limited_starts_and_ends_at_zero_and_repeats(segments: list, rate: int) -> None:
    def make(length: int, level: float, kind: str) -> np.ndarray:
        if kind == "noise":
            return (level * np.random.default_rng(length).normal(0, 0.3, length)).astype(np.float32)
        return (speechlike if kind == "speech" else tone)(rate, length / rate, level)

    def whole() -> list[np.ndarray]:
        leveler, count = Leveler(rate), len(segments)
        return [
            leveler.process(make(length, level, kind), pause, i == 0, i == count - 1)
            for i, (length, level, pause, kind) in enumerate(segments)
        ]

    parts = whole()
    for part in parts:
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
        assert float(np.abs(part).max(initial=0)) < LIMIT
        assert not len(part) or part[0] == part[-1] == 0
    assert all(np.array_equal(a, b) for a, b in zip(parts, whole(), strict=True))


def test_a_segment_made_again_is_levelled_as_it_was_the_first_time() -> None:
    sounds = [speechlike(RATE, 1.0, level) for level in (0.3, 0.02, 0.1)]
    leveler, known, made = Leveler(RATE), [], []
    for index, sound in enumerate(sounds):
        known.append(leveler.known)
        made.append(leveler.process(sound, 0.1, index == 0, index == 2))
    again = Leveler(RATE, known[1]).process(sounds[1], 0.1, True, False)
    assert np.array_equal(again, made[1])
    assert not np.array_equal(alone(sounds[1]), again[: len(sounds[1])]), "what came before it matters"
