"""Piper's frontend: a voice speaks its own language, and nothing of a text is left out in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from index_tts_ui.engines.piper.frontend import MOST, PiperFrontend
from index_tts_ui.errors import Invalid
from index_tts_ui.speech import Reading

STORY = "从前有一座山，山里有一座庙。庙里有个老和尚，正在给小和尚讲故事。" * 8


@pytest.fixture(scope="module")
def frontend(hub: Path) -> PiperFrontend:
    """Of all the voices."""
    return PiperFrontend(hub)


def test_a_text_is_cut_at_sentences_and_nothing_is_lost(frontend: PiperFrontend) -> None:
    pieces = frontend.split(STORY)
    assert "".join(piece.text for piece in pieces) == STORY
    assert pieces[0].tokens <= 30 and all(piece.tokens <= 100 and piece.language == "zh" for piece in pieces)
    assert frontend.count(STORY) == sum(piece.tokens for piece in pieces)


def test_of_a_mark_its_word_is_said_and_the_text_keeps_it(frontend: PiperFrontend) -> None:
    (piece,) = frontend.split("去银<行|XING2>取钱。")
    assert piece.spoken.startswith("去银行取钱") and piece.text == "去银<行|XING2>取钱。"


@pytest.mark.parametrize("budget", [1, 40, 10_000])
def test_a_budget_is_kept(frontend: PiperFrontend, budget: int) -> None:
    pieces = frontend.split(STORY, budget=budget)
    assert max(piece.tokens for piece in pieces) <= max(20, min(budget, MOST))


@pytest.mark.parametrize(
    ("text", "voice_language", "said"),
    [
        ("气温35℃。", "zh-CN", "气温三十五摄氏度。"),
        ("我用iPhone 15。", "zh-CN", "我用iPhone 十五。"),
        ("打开Visual Studio Code", "zh-CN", "打开Visual Studio Code"),
        ("2026年", "zh-CN", "二零二六年"),
        ("Мир 是和平。", "zh-CN", "Mir  是和平。"),
        ("It costs $5.", "en-GB", "It costs five dollars."),
        ("Mr. 王 is in.", "en-GB", "Wang"),
        ("Es kostet 5 €.", "de-DE", "Es kostet 5 €."),
        ("Привет, world!", "ru-RU", "Привет, world!"),
        ("नमस्ते 5", "hi-IN", "नमस्ते 5"),
        ("a [[x]] {b}", "en-GB", "a ,x, ,b"),  # two brackets would begin bare phonemes
    ],
)
def test_what_a_voice_reads_is_in_words_of_its_language(
    frontend: PiperFrontend, text: str, voice_language: str, said: str
) -> None:
    pieces = frontend.split(text, voice_language=voice_language)
    assert said in " ".join(piece.spoken for piece in pieces)
    assert {piece.language for piece in pieces} == {voice_language.partition("-")[0]}


@pytest.mark.parametrize(
    ("text", "language", "voice_language", "param"),
    [
        ("Hello world, how are you?", "", "zh-CN", "input"),
        ("今天天气很好。", "", "en-GB", "input"),
        ("今天天气很好。", "", "de-DE", "input"),
        ("Привет", "", "de-DE", "input"),
        ("Guten Tag", "", "ru-RU", "input"),
        ("今天天气很好。", "en", "zh-CN", "language"),
        ("Guten Tag", "en", "de-DE", "language"),
    ],
)
def test_another_language_is_refused_and_the_answer_names_those_there_are(
    frontend: PiperFrontend, text: str, language: str, voice_language: str, param: str
) -> None:
    with pytest.raises(Invalid) as refused:
        frontend.split(text, language, voice_language)
    assert (refused.value.code, refused.value.param) == ("voice_tongue", param)
    assert "there are zh, de, en" in refused.value.message() and "zh, de, en" in refused.value.message("zh")


def test_nothing_to_speak_is_no_piece(frontend: PiperFrontend) -> None:
    assert frontend.split("……！") == [] and frontend.split("") == []


def test_a_word_is_said_as_the_dictionary_wants(frontend: PiperFrontend) -> None:
    (piece,) = frontend.split("去行里。", readings=[Reading("行里", "银行里")])
    assert (piece.text, piece.spoken) == ("去行里。", "去银行里。")
    (other,) = frontend.split("去行里。", readings=[Reading("行里", "x", language="en")])
    assert other.spoken == "去行里。"


def test_the_server_needs_no_package_of_it() -> None:
    code = "import sys, index_tts_ui.engines.piper.frontend; print({'piper', 'onnxruntime', 'torch'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
