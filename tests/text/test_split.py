"""Splitting, with a frontend of one token per visible character, so that every size is plain to see."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.speech import Piece
from index_tts_ui.text import Limits, Rendered, clean, dominant, has_words, split, unhurried

SMALL = Limits(budget=40, target=30, first_least=6, first_most=16, longest=80)


def render(raw: str) -> Rendered:
    spoken = re.sub(r"\s+", "", raw) if has_words(raw) else ""
    return Rendered(spoken, len(spoken), dominant(raw))


def pieces(text: str, limits: Limits = SMALL) -> list[Piece]:
    return split(clean(text), render, limits)


def texts(text: str, limits: Limits = SMALL) -> list[str]:
    return [piece.text for piece in pieces(text, limits)]


def one_sentence_each(text: str) -> list[str]:
    """Every sentence by itself: nothing is packed, nothing is over the budget."""
    return texts(text, Limits(budget=400, target=1, first_least=0, first_most=400))


@pytest.mark.parametrize(
    "sentences",
    [
        ["你好。", "今天天气很好！", "你去吗？", "好…"],
        ["Hello there.", "How are you?", "Fine!"],
        ["Dr. Smith met Mr. Jones at 3 p.m. in Washington.", "They left."],
        ["It costs 3.14 dollars, e.g. for tea.", "Yes."],
        ["The U.S. Army came.", "It left."],
        ["See https://example.com/a.b?c=1,2 for more.", "Or mail a.b@example.com today."],
        ["J. K. Rowling wrote it.", "We read it."],
        ["版本v2.0.1发布了。", "请更新。"],
        ["他说：“你好。”", "她笑了。"],
        ['"Go now!"', "They went."],
        ["他走了.", "然后回来了."],
        ["Node.js is fast.", "So is main.py today."],
        ["We sell apples, pears, etc.", "Come in."],
        ["1. First point.", "Second point."],
        ["No. 5 is alive.", "Good."],
    ],
)
def test_sentences_end_where_a_reader_stops(sentences: list[str]) -> None:
    between = "" if dominant(sentences[0]) == "zh" else " "
    assert one_sentence_each(between.join(sentences)) == sentences


def test_short_sentences_share_a_piece_after_the_first() -> None:
    assert texts("今天天气很好。我们去公园。花开了。鸟叫了。人来了。") == [
        "今天天气很好。",
        "我们去公园。花开了。鸟叫了。人来了。",
    ]


def test_without_hurry_the_first_sentence_may_be_half_as_long_again() -> None:
    text, longer = (
        "今天天气真的非常好，我们一起去公园散步。",
        "今天天气真的非常好，我们下午一起去公园散步，好不好呀。",
    )
    assert texts(text) == ["今天天气真的非常好，", "我们一起去公园散步。"]
    with unhurried():
        assert texts(text) == [text]
        assert texts(longer)[0] == "今天天气真的非常好，"
    assert len(texts(text)) == 2


def test_a_very_short_first_sentence_takes_the_next_one_along() -> None:
    assert texts("好。我们走吧。今天天气真的非常好，我们去公园。")[0] == "好。我们走吧。"


def test_a_long_first_sentence_is_cut_at_its_first_sensible_clause() -> None:
    found = pieces("好的，今天的天气非常好，我们大家一起去公园里散步，看花，唱歌。")
    assert found[0].text == "好的，今天的天气非常好，"
    assert found[0].pause_after == pytest.approx(0.1)


def test_a_sentence_over_the_budget_is_cut_at_clauses() -> None:
    found = texts(
        "短句。"
        + "这是第一个分句，这是第二个分句，这是第三个分句，这是第四个分句，这是第五个分句，这是第六个分句。"
    )
    assert all(text[-1] in "，。" for text in found)


def test_text_without_punctuation_is_cut_between_words() -> None:
    for text in texts("人工智能正在改变我们的生活方式和工作方式" * 6):
        assert not text.endswith(("人", "智", "正", "改", "我", "生", "工")), text


@pytest.mark.parametrize(
    "unit", ["3.14公里", "二十五公里", "￥1,234.50元", "https://example.com/a,b.c", "1990年11月21日"]
)
def test_nothing_is_cut_inside_a_number_with_its_unit_or_an_address(unit: str) -> None:
    joined = "\n".join(texts(("我们今天一共走了" + unit + "然后又继续往前走") * 8))
    if unit == "1990年11月21日":
        assert joined.count("1990年") == 8 and joined.count("11月") == 8 and joined.count("21日") == 8
    else:
        assert joined.count(unit) == 8


def test_pauses_are_longer_after_a_line_than_after_a_sentence() -> None:
    limits = Limits(budget=40, target=1, first_least=0, first_most=40)
    assert [piece.pause_after for piece in pieces("第一句话。第二句话。\n第三句话", limits)] == [
        0.3,
        0.5,
        0.5,
    ]


def test_lines_are_not_joined_unless_they_are_very_short() -> None:
    assert len(texts("这是第一行的文字内容。\n这是第二行的文字内容。")) == 2
    assert len(texts("一\n二\n三\n四")) == 1


def test_languages_do_not_share_a_piece() -> None:
    assert [piece.language for piece in pieces("你好吗朋友。Hello friend. 再见吧朋友。")] == [
        "zh",
        "en",
        "zh",
    ]


@pytest.mark.parametrize("text", ["", "   ", "。。。", "!!!???", "😀😀", "***", "——"])
def test_text_without_words_has_no_piece(text: str) -> None:
    assert pieces(text) == []


def test_silent_text_rides_along_with_its_neighbour() -> None:
    assert texts("…… 你好。 *** ") == ["… 你好。 *"]


@pytest.mark.parametrize(
    "text",
    ["a" * 5000, "说" * 5000, "1" * 5000, "a," * 10_000, "啊，" * 10_000, "a." * 3000, "1.2." * 2000, "x@" * 3000,
     "1-" * 3000, "(" * 5000 + "a", '"a' * 3000, "a\n" * 3000, "http://" * 1000, "A." * 3000, "$" * 999 + "5"],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_hostile_text_stays_under_the_budget(text: str) -> None:
    found = pieces(text)
    assert max(piece.tokens for piece in found) <= SMALL.budget
    assert _visible("".join(piece.text for piece in found)) == _visible(clean(text))


def test_a_megabyte_is_split() -> None:
    found = pieces("今天天气很好，我们一起去公园。The weather is fine. " * 25_000)
    assert len(found) > 20_000


WORDS = st.sampled_from(
    [
        "你好",
        "世界",
        "hello",
        "3.14",
        "5kg",
        "，",
        "。",
        "!",
        "?",
        ". ",
        "\n",
        " ",
        "Dr. ",
        "https://a.cn/b",
        "…",
        "(",
        "”",
        "A",
    ]
)


@settings(deadline=None)
@given(st.text(max_size=300) | st.lists(WORDS, max_size=120).map("".join), st.integers(20, 60))
def test_nothing_is_lost_and_nothing_is_over_the_budget(text: str, budget: int) -> None:
    found = pieces(text, Limits(budget=budget, target=30, first_least=6, first_most=16, longest=80))
    assert all(0 < piece.tokens <= budget for piece in found)
    assert all(piece.tokens == len(piece.spoken) for piece in found)
    if found:
        assert _visible("".join(piece.text for piece in found)) == _visible(clean(text))
    else:
        assert not has_words(clean(text))


def _visible(text: str) -> str:
    return "".join(text.split())
