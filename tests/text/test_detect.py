"""Telling languages apart: by script, and Spanish from English by its words."""

from __future__ import annotations

import pytest

from index_tts_ui.text.detect import detect, within

ALL = ("zh", "en", "ja", "es", "ar")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好。", "zh"),
        ("我用 ChatGPT Plus 和 GitHub Copilot 写代码", "zh"),
        ("鲜の每日优选", "zh"),
        ("今日はいい天気です。", "ja"),
        ("東京都知事選挙が始まった。", "ja"),
        ("コンピューター", "ja"),
        ("The weather is fine.", "en"),
        ("He said 你好 to all of the people in the room.", "en"),
        ("Hola, ¿cómo estás?", "es"),
        ("El tren sale a las ocho de la mañana.", "es"),
        ("Me gusta mucho el café.", "es"),
        ("مرحبا بالعالم، كيف حالك؟", "ar"),
        ("أستخدم ChatGPT كل يوم في العمل", "ar"),
    ],
)
def test_a_text_tells_its_language(text: str, language: str) -> None:
    assert detect(text, ALL, "zh") == detect(text, ALL, "en") == language


@pytest.mark.parametrize(
    ("text", "default"),
    [("2026", "es"), ("日本国憲法", "ja"), ("日本国憲法", "zh"), ("No.", "es"), ("No.", "en")],
)
def test_what_a_text_leaves_open_goes_by_the_default(text: str, default: str) -> None:
    assert detect(text, ALL, default) == default


def test_only_languages_of_the_engine_are_told() -> None:
    assert detect("Hola, ¿cómo estás?", ("zh", "en"), "zh") == "en"
    assert detect("今日はいい天気です。", ("zh", "en"), "en") == "zh"


def test_names_in_a_chinese_text_do_not_change_its_language() -> None:
    assert within("iPhone Pro", ALL, "zh") == "zh"
    assert within("I do not know what this is about.", ALL, "zh") == "en"
    assert within("OK.", ALL, "ja") == "ja"
