"""What the controls say becomes a request; what no control can say is refused."""

from __future__ import annotations

from typing import Any

import pytest

from index_tts_ui.emotions import TOGETHER, bearable
from index_tts_ui.errors import Invalid
from index_tts_ui.speech import Emotion
from index_tts_ui.webui.tuning import Incomplete, speech_request

HAPPY = [0.8, 0, 0, 0, 0, 0, 0, 0]


def _emotion(**said: Any) -> Emotion | None:
    return speech_request("Hi.", "a", 1.0, {"emotion": {"weight": 0.5, **said}}).emotion


def test_a_page_without_controls_asks_for_nothing_special() -> None:
    for nothing in (None, {}, {"emotion": None, "reference": None, "language": "", "params": None}):
        asked = speech_request("Hi.", "a", 1.5, nothing)
        assert (asked.text, asked.voice, asked.speed, asked.wait_ready) == ("Hi.", "a", 1.5, True)
        assert (asked.emotion, asked.language, asked.seed, asked.params) == (None, "", 0, {})


def test_a_clip_stands_before_a_chosen_voice_and_that_before_the_pickers() -> None:
    said = {"voice": "anna", "reference": "ab12"}
    assert speech_request("Hi.", "", 1.0, said).voice == "clip:ab12"
    assert speech_request("Hi.", "b", 1.0, said | {"reference": None}).voice == "anna"
    assert speech_request("Hi.", "b", 1.0, {"reference": None, "voice": ""}).voice == "b"


def test_each_mode_of_emotion_gives_only_its_own() -> None:
    every = {"vector": HAPPY, "clip": "c", "text": "glad", "random": True}
    assert _emotion(mode="same", **every) is None
    assert _emotion(mode="clip", **every) == Emotion(clip="c", weight=0.5)
    assert _emotion(mode="text", **every) == Emotion(text="glad", weight=0.5)
    assert _emotion(mode="vector", **every) == Emotion(vector=(0.75, *[0.0] * 7), weight=0.5, random=True)


def test_sliders_that_are_all_at_zero_are_the_voices_own_emotion() -> None:
    assert _emotion(mode="vector", vector=[0] * 8) is None


def test_many_sliders_together_are_kept_bearable_in_their_proportions() -> None:
    vector = bearable([1.0, 0, 1.0, 1.0, 0, 0, 0, 0])
    assert sum(vector) == pytest.approx(TOGETHER, abs=1e-3)
    assert vector[2] == vector[3] > vector[0] > 0
    assert bearable([0, 0, 0.3, 0, 0, 0, 0, 0])[2] == 0.3


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"reference": ""}, "clip_missing"),
        ({"emotion": {"mode": "clip", "clip": ""}}, "emotion_clip_missing"),
        ({"emotion": {"mode": "text", "text": " "}}, "emotion_words_missing"),
    ],
)
def test_a_control_without_its_content_is_named(said: dict[str, Any], key: str) -> None:
    with pytest.raises(Incomplete, match=key):
        speech_request("Hi.", "", 1.0, said)


@pytest.mark.parametrize(
    "said",
    [
        {"emotion": {"mode": "vector", "vector": [1] * 7}},
        {"emotion": {"mode": "vector", "vector": [2] * 8}},
        {"emotion": {"mode": "vector", "vector": ["1"] * 8}},
        {"emotion": {"mode": "vector", "vector": [float("nan")] * 8}},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": "7"},
        {"seed": True},
        {"params": [1]},
    ],
)
def test_what_no_control_can_say_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        speech_request("Hi.", "a", 1.0, said)
