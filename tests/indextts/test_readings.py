"""Readings with both versions of IndexTTS: respelled, or as the marks that the models know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.engines.indextts.frontend import IndexTTS2Frontend, IndexTTS25Frontend
from index_tts_ui.speech import Reading

from .test_frontend import encoding, ids, pieces2, read2, read25, v2, v25

__all__ = ["encoding", "pieces2", "v2", "v25"]
NVME = Reading("NVMe", "N V M E")
SHAN = Reading("单县", "shan4 xian4", "pinyin")
MINUTE = Reading("minute", "M IH1 . N AH0 T", "phonemes")


@pytest.mark.parametrize(
    ("text", "readings", "read"),
    [
        ("我的nvme盘", [NVME], "<|zh|> 我的n v m e盘"),
        ("去单县", [SHAN], "<|zh|> 去<|SPECIAL_TOKEN_2|>SHAN4 XIAN4<|SPECIAL_TOKEN_2|>"),
        ("a Minute.", [MINUTE], "<|en|> a <|SPECIAL_TOKEN_1|>M IH1 . N AH0 T<|SPECIAL_TOKEN_1|>."),
        ("a minuted.", [MINUTE], "<|en|> a minuted."),
        ("OPPO好", [Reading("OPPO", "ou1 po4", "pinyin", "zh")], "<|zh|> <|SPECIAL_TOKEN_2|>OU1 PO4<|SPECIAL_TOKEN_2|>好"),
        ("The OPPO.", [Reading("OPPO", "ou1 po4", "pinyin", "zh")], "<|en|> the oppo."),
        ("<单|DAN1>县单县", [SHAN], "<|zh|> <|SPECIAL_TOKEN_2|>DAN1<|SPECIAL_TOKEN_2|>县<|SPECIAL_TOKEN_2|>SHAN4 XIAN4<|SPECIAL_TOKEN_2|>"),
    ],
)  # fmt: skip
def test_version_25_says_readings(
    v25: IndexTTS25Frontend, encoding: Any, text: str, readings: list[Reading], read: str
) -> None:
    assert read25(v25, encoding, text, readings=readings) == read
    assert "".join(piece.text for piece in v25.split(text, readings=readings)) == text


def test_version_2_says_pinyin_and_leaves_words_whose_phonemes_it_cannot_write(
    v2: IndexTTS2Frontend, pieces2: Any
) -> None:
    assert read2(v2, pieces2, "去单县", readings=[SHAN]) == read2(v2, pieces2, "去<单县|SHAN4 XIAN4>")
    assert read2(v2, pieces2, "a minute", readings=[MINUTE]) == read2(v2, pieces2, "a minute")


def test_a_requests_reading_goes_before_the_glossary_file(
    tiny25: Path, encoding: Any, tmp_path: Path
) -> None:
    (tmp_path / "glossary.yaml").write_text("TTS: T T S\nNVMe: {zh: 恩, en: en}", "utf-8")
    frontend = IndexTTS25Frontend(tiny25, tmp_path)
    both = [Reading("tts", "speech"), Reading("NVMe", "北", language="zh")]
    assert read25(frontend, encoding, "TTS NVMe好", readings=both) == "<|zh|> speech 北好"
    assert read25(frontend, encoding, "The TTS of NVMe.", readings=both) == "<|en|> the speech of en."
    everywhere = [Reading("NVMe", "N V M E")]
    assert read25(frontend, encoding, "NVMe好", readings=everywhere) == "<|zh|> n v m e好"


def test_only_what_a_version_can_write_is_sayable(v25: IndexTTS25Frontend) -> None:
    assert v25.unsayable(MINUTE) == v25.unsayable(SHAN) == v25.unsayable(NVME) == ""
    assert v25.unsayable(Reading("a", "ˈmɪnɪt", "phonemes")) == "ˈmɪnɪt"
    assert v25.unsayable(Reading("行", "xing2 foo3", "pinyin")) == "foo3"


_PARTS = [
    "你好，",
    "Hello, world. ",
    "M.2",
    "2026年",
    "<行|XING2>",
    "xuan4",
    "<a|b>",
    "𗀀",
    "\n",
    "日本です。",
]


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.sampled_from(_PARTS) | st.text(max_size=4), max_size=12))
def test_a_text_without_the_word_is_unchanged(
    v25: IndexTTS25Frontend, v2: IndexTTS2Frontend, parts: list[str]
) -> None:
    absent = [Reading("zyxwvuq", "never"), Reading("龘靐齉", "da2 bing4 nang4", "pinyin")]
    for frontend in (v25, v2):
        assert frontend.split("".join(parts), readings=absent) == frontend.split("".join(parts))


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(st.sampled_from([*_PARTS, "NVMe", "单县", "minute"]), max_size=12),
    budget=st.integers(20, 90),
)
def test_segments_stay_within_the_budget(
    v25: IndexTTS25Frontend, v2: IndexTTS2Frontend, parts: list[str], budget: int
) -> None:
    for frontend in (v25, v2):
        for piece in frontend.split("".join(parts), budget=budget, readings=[NVME, SHAN, MINUTE]):
            assert 0 < len(ids(piece)) == piece.tokens <= budget
