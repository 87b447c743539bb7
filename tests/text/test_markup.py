"""Marks in a text: pauses and voices. What is none stays words, and no text breaks the parser."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.errors import Invalid
from index_tts_ui.markup import MAX_MARKS, MAX_PAUSE, Span, begun, joined, parse, plain, voices
from index_tts_ui.speech import Piece

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
NOISE = st.text("[]【】［］/:：. 0159smspausevoice停顿音色秒毫\n", max_size=60)


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [
        ("[pause 0.5s]", 0.5),
        ("[pause 500ms]", 0.5),
        ("[pause:1.5s]", 1.5),
        ("[Pause: 2 s]", 2.0),
        ("[停顿 1秒]", 1.0),
        ("[停顿500毫秒]", 0.5),
        ("【停顿：2秒】", 2.0),
        ("［pause 10s］", 10.0),
        ("[pause 0s]", 0.0),
    ],
)
def test_a_pause_is_understood_in_both_languages_and_with_any_bracket(mark: str, seconds: float) -> None:
    assert parse(f"One {mark} two") == [Span("One ", "", seconds), Span(" two")]


@pytest.mark.parametrize(
    ("mark", "voice"),
    [
        ("[voice: Anna Lee]", "Anna Lee"),
        ("[voice:af_heart:0.7+af_bella:0.3]", "af_heart:0.7+af_bella:0.3"),
        ("[音色：晓北]", "晓北"),
        ("【Voice : 晓北 】", "晓北"),
    ],
)
def test_a_voice_speaks_until_the_next_mark(mark: str, voice: str) -> None:
    for back in ("[voice]", "[/voice]", "[音色]", "[/音色]", "[voice: ]"):
        assert parse(f"One {mark}two{back} three.") == [Span("One "), Span("two", voice), Span(" three.")]
    assert voices(f"One {mark}two") == {voice}


@pytest.mark.parametrize(
    "text",
    [
        "[pause]",
        "[pause soon]",
        "[pause 1]",
        "[pause 1 min]",
        "[pause -1s]",
        "[voice over] He goes.",
        "[a voice: B]",
        "[voice: A\nB]",
        "[voice](https://example.org)",
        "a[1]s, [[fail]] and 【注】",
        "",
    ],
)
def test_a_bracket_that_is_no_mark_is_plain_text(text: str) -> None:
    assert parse(text) == [Span(text)]
    assert plain(text) == text and not voices(text)


def test_pauses_add_up_and_stand_behind_the_words_before_them() -> None:
    assert parse("[pause 1s] [pause 2s]One[voice: B] [pause 0.5s]\n[pause 0.25s] two [pause 3s]") == [
        Span("", "", 3.0),
        Span("One", "", 0.75),
        Span(" two ", "B", 3.0),
    ]
    assert parse("[voice: B][pause 1s]") == [Span("", "B", 1.0)]
    assert parse("[voice: B]") == [Span("", "B")]


@pytest.mark.parametrize("text", ["a [pause 10.1s] b", "[停顿 99999毫秒]", "a [pause 6s] [pause 5s]"])
def test_a_pause_has_a_bound(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert (refused.value.code, refused.value.param) == ("pause_too_long", "input")
    assert refused.value.facts["mark"] in text


def test_marks_are_bounded() -> None:
    assert len(parse("a[pause 1s]" * MAX_MARKS)) == MAX_MARKS
    with pytest.raises(Invalid, match=str(MAX_MARKS)):
        parse("[voice: B]" * (MAX_MARKS + 1))


@given(st.one_of(WORDS, NOISE), st.one_of(WORDS, NOISE))
@settings(deadline=None)
def test_every_word_outside_of_marks_is_kept_in_order(one: str, two: str) -> None:
    for text in (one + two, f"{one}[pause 1s]{two}", f"{one}[音色：B]{two}"):
        try:
            spans = parse(text)
        except Invalid as refused:
            assert refused.code in ("pause_too_long", "too_many_marks")
            continue
        assert "".join("".join(span.text for span in spans).split()) == "".join(plain(text).split())
        assert all(span.text.strip() for span in spans[1:])
        assert all(span.pause is None or 0 <= span.pause <= MAX_PAUSE for span in spans)
        assert {span.voice for span in spans} - {""} <= voices(text)


@pytest.mark.parametrize("unit", ["[", "[pause ", "[voice:", "[voice: a", "[pause 1", " ", "[ ", "［停顿"])
def test_no_text_takes_long(unit: str) -> None:
    text = "[voice:" + unit * 50_000
    began = time.perf_counter()
    assert parse(text) == [Span(text)]
    assert time.perf_counter() - began < 2


def test_pieces_get_their_spans_voice_and_pause() -> None:
    def piece(text: str, pause: float = 0.3) -> Piece:
        return Piece(text, text, 1, "en", pause)

    spans = parse("[pause 2s]a. b.[pause 1s]…[pause 0.5s][voice: B] c.")
    found = joined([], spans[0], [])
    found = joined(found, spans[1], [piece("a."), piece("b.")])
    found = joined(found, spans[2], [])  # nothing of it can be spoken: its pause still is
    found = joined(found, spans[3], [piece("c.")])
    found = begun(spans, found)
    assert [(one.pause_before, one.text, one.voice, one.pause_after, one.marked) for one in found] == [
        (2.0, "a.", "", 0.3, False),
        (0.0, "b.", "", 1.5, True),
        (0.0, "c.", "B", 0.3, False),
    ]
    assert begun(parse("[pause 2s]"), []) == []


@pytest.mark.parametrize(
    ("text", "rest"), [("a,", 0.1), ("“好。”", 0.3), ("a. ", 0.3), ("a\n", 0.5), ("a", 0.1)]
)
def test_where_another_voice_goes_on_the_rest_is_natural(text: str, rest: float) -> None:
    assert Span(text).rest == rest
