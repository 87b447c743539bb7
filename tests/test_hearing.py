"""The ears that other tests trust: they understand speech, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hibari import Hibari

from tests.conftest import Say
from tests.hearing import error_rate, pinyin_error_rate, syllables, transcribe, word_error_rate, words
from tests.whisper_files import whisper_folder

RATE = 24_000
ENGLISH = "The quick brown fox jumps over the lazy dog, and nobody was surprised by it."
CHINESE = "会议定在下周三上午十点，请大家准时参加。"


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    """Real English speech from the small voice that a dependency of ours carries."""
    return Hibari()(ENGLISH, seed=0)


def unintelligible() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    seconds = np.arange(3 * RATE) / RATE
    return {
        "silence": np.zeros(3 * RATE),
        "nothing": np.zeros(0),
        "white noise": rng.normal(0, 0.1, 3 * RATE),
        "brown noise": np.cumsum(rng.normal(0, 0.002, 3 * RATE)),
        "speech-like tremolo": 0.3
        * np.sin(2 * np.pi * 180 * seconds)
        * (np.sin(2 * np.pi * 4 * seconds) > 0),
    }


def test_english_speech_is_understood(english: np.ndarray) -> None:
    assert word_error_rate(english, RATE, ENGLISH) <= 0.05


def test_mandarin_speech_is_understood(say: Say) -> None:
    assert pinyin_error_rate(say(CHINESE, "zf_xiaoxiao"), RATE, CHINESE) <= 0.1


@pytest.mark.parametrize("name", unintelligible())
def test_what_is_no_speech_is_not_understood(name: str) -> None:
    sound = unintelligible()[name]
    assert word_error_rate(sound, RATE, ENGLISH) >= 0.9
    assert pinyin_error_rate(sound, RATE, CHINESE) >= 0.9


def test_reversed_english_is_not_understood(english: np.ndarray) -> None:
    assert word_error_rate(english[::-1], RATE, ENGLISH) >= 0.7


def test_reversed_mandarin_is_not_understood(say: Say) -> None:
    assert pinyin_error_rate(say(CHINESE, "zf_xiaoxiao")[::-1], RATE, CHINESE) >= 0.7


def test_speech_in_strong_noise_is_not_understood(english: np.ndarray) -> None:
    noise = np.random.default_rng(3).normal(0, 1.0, len(english))
    assert word_error_rate(english + noise, RATE, ENGLISH) >= 0.7


def test_speech_played_at_a_wrong_rate_is_not_understood(english: np.ndarray) -> None:
    assert word_error_rate(english, 3 * RATE, ENGLISH) >= 0.5


def test_another_sentence_is_an_error(english: np.ndarray) -> None:
    assert word_error_rate(english, RATE, "Please bring me a glass of cold water and some bread.") >= 0.8


def test_half_a_sentence_is_half_an_error(english: np.ndarray) -> None:
    assert 0.25 <= word_error_rate(english[: len(english) // 2], RATE, ENGLISH) <= 0.75


def test_silence_is_heard_as_nothing() -> None:
    assert transcribe(np.zeros(2 * RATE), RATE, "en") == ""


def test_numbers_count_as_what_they_are_called() -> None:
    assert words("It cost $5, on the 21st!") == words("it cost five dollars on the twenty-first")
    assert syllables("2026年，35℃") == syllables("二零二六年三十五摄氏度")


def test_script_homophones_and_case_do_not_count() -> None:
    assert syllables("會議定在下週三。") == syllables("会议定在下周三")
    assert syllables("他用GPT") == syllables("她用 gpt！")
    assert words("Don’t stop") == words("don't, STOP.")


def test_compounds_may_be_written_in_one_or_two_words() -> None:
    assert error_rate(words("by the river bank"), words("By the riverbank.")) == 0
    assert error_rate(words("by the riverbank"), words("By the river bank.")) == 0


@pytest.mark.parametrize(
    ("wanted", "heard", "rate"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 0.25),
        ("a b", "", 1),
        ("a", "a b c d", 3),
        ("a b", "b a", 1),
    ],
)
def test_error_rate_is_edit_distance_over_length(wanted: str, heard: str, rate: float) -> None:
    assert error_rate(wanted.split(), heard.split()) == rate


def test_a_text_without_words_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no words"):
        error_rate([], ["a"])


def test_two_processes_may_build_the_model_folder_at_once(tmp_path: Path) -> None:
    script = "import sys, pathlib; from tests.whisper_files import whisper_folder as f; print(f(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", script, str(tmp_path)]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0]
    assert folders == {str(whisper_folder(tmp_path))}
    assert [entry.name for entry in tmp_path.iterdir()] == [whisper_folder(tmp_path).name]
