"""VoxCPM's frontend: short first, whole words, everything said, nothing that the model would take for a style."""

from __future__ import annotations

import subprocess
import sys

import pytest

from index_tts_ui.engines.voxcpm.frontend import MOST, VoxCPM2Frontend, VoxCPM15Frontend, tokens
from index_tts_ui.speech import Reading

STORY = "从前有一座山，山里有一座庙。庙里有个老和尚，正在给小和尚讲故事。" * 8


def test_a_text_is_cut_at_sentences_and_nothing_is_lost() -> None:
    pieces = VoxCPM2Frontend().split(STORY)
    assert "".join(piece.text for piece in pieces) == STORY
    assert pieces[0].tokens <= 30 and all(piece.tokens <= 100 and piece.language == "zh" for piece in pieces)
    assert all(piece.text.endswith(("。", "，")) for piece in pieces)


@pytest.mark.parametrize("budget", [1, 40, 10_000])
def test_a_budget_is_kept(budget: int) -> None:
    pieces = VoxCPM15Frontend().split(STORY + "An English sentence, too. " * 20, budget=budget)
    assert max(piece.tokens for piece in pieces) <= max(20, min(budget, MOST))


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("气温35℃。", "zh", "气温三十五摄氏度"),
        ("It costs $5.", "en", "five dollars"),
        ("これは本です。", "ja", "これは本です"),
        ("¿Cómo estás hoy, señora?", "es", "Cómo estás"),
        ("مرحبا بكم في المدينة.", "ar", "مرحبا"),
    ],
)
def test_what_is_said_in_which_language(text: str, language: str, said: str) -> None:
    (piece,) = VoxCPM2Frontend().split(text)
    assert piece.language == language and said in piece.spoken


def test_brackets_are_no_style() -> None:
    (piece,) = VoxCPM2Frontend().split("(happy voice) hello there")
    assert "(" not in piece.spoken and "happy voice" in piece.spoken and piece.text.startswith("(happy")


def test_a_dictionary_is_followed() -> None:
    readings = (Reading("GPU", "graphics card"), Reading("重庆", "崇庆", language="zh"))
    (piece,) = VoxCPM2Frontend().split("重庆有很多GPU。", readings=readings)
    assert "崇庆" in piece.spoken and "graphics card" in piece.spoken and piece.text == "重庆有很多GPU。"


def test_of_a_mark_the_word_is_said() -> None:
    text = "他在银<行|HANG2>等了一<分钟|FEN1 ZHONG1>，a <minute|M IH1 . N AH0 T>。"
    (piece,) = VoxCPM2Frontend().split(text)
    assert piece.text == text
    assert "银行等了一分钟" in piece.spoken and "a minute" in piece.spoken
    assert not any(part in piece.spoken for part in ("HANG", "IH", "|", "<"))
    long = VoxCPM2Frontend().split(f"<{'长' * 64}|CHANG2>", budget=20)
    assert max(piece.tokens for piece in long) <= 20


@pytest.mark.parametrize("text", ["", "   ", "。。。", "🎉🎉"])
def test_nothing_to_say_is_no_piece(text: str) -> None:
    assert VoxCPM2Frontend().split(text) == [] and VoxCPM2Frontend().count(text) == 0


def test_tokens_are_about_characters_and_parts_of_words() -> None:
    assert (tokens("你好"), tokens("hello"), tokens("a 35."), tokens("")) == (2, 2, 4, 0)


def test_the_frontend_needs_no_torch() -> None:
    code = "import sys; import index_tts_ui.engines.voxcpm.frontend; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
