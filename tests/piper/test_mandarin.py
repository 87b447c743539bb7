"""Mandarin before espeak-ng: breaths, and what that would spell in English."""

from __future__ import annotations

import pytest

from index_tts_ui.engines.piper.mandarin import CLAUSE, SENTENCE, clauses, mended


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("今天天气很好，我们去公园。", [("今天天气很好，", CLAUSE), ("我们去公园。", 0.0)]),
        ("今天星期三。明天呢？", [("今天星期三。", SENTENCE), ("明天呢？", 0.0)]),
        ("他说：“好！”然后走了……", [("他说：“好！”然后走了……", 0.0)]),  # espeak-ng cuts it itself
        ("好，我来了。", [("好，我来了。", 0.0)]),  # too short to stand alone
        ("我们去公园，好吗？", [("我们去公园，好吗？", 0.0)]),
        ("价格是三点五元", [("价格是三点五元", 0.0)]),
        ("……你好，世界", [("……你好，世界", 0.0)]),
        ("", [("", 0.0)]),
    ],
)
def test_a_text_is_cut_where_one_breathes(text: str, said: list[tuple[str, float]]) -> None:
    assert list(clauses(text)) == said
    assert "".join(stretch for stretch, _ in said) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("英雄。", "英 [[ɕˈionɡɜ]]。"),
        ("大熊猫很穷", "大 [[ɕˈionɡɜ]] 猫很 [[tɕhˈionɡɜ]]"),
        ("兄弟窘迫", "[[ɕˈionɡ5]] 弟 [[tɕˈionɡ2]] 迫"),
        ("熊熊大火", "[[ɕˈionɡɜ]] [[ɕˈionɡɜ]] 大火"),
        ("一会儿去", "一会 [[ˈərɜ]] 去"),
        ("他的儿子和女儿", "他的儿子和女 [[ˈərɜ]]"),
        ("儿童节", "儿童节"),
        ("今天天气很好", "今天天气很好"),
        ("Hello 兄弟", "Hello [[ɕˈionɡ5]] 弟"),
        ("plain English", "plain English"),
    ],
)
def test_what_espeak_would_spell_in_english_is_given_as_phonemes(text: str, said: str) -> None:
    assert mended(text) == said
