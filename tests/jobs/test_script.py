"""Who says what: a script's names, as people write them. No server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui.jobs import kind_of, lines_of
from index_tts_ui.jobs.fitting import faster, hastened, over
from index_tts_ui.jobs.record import Line, Segment
from index_tts_ui.jobs.script import one_said, said


@pytest.mark.parametrize(
    ("row", "speaker", "words"),
    [
        ("Anna: Hello there.", "Anna", "Hello there."),
        ("小明：你好！", "小明", "你好！"),
        ("**Bob:** Hi *you*.", "Bob", "Hi *you*."),
        ("**Bob** (to her): Hi.", "Bob", "Hi."),
        ("__Dr. Watson__: Elementary.", "Dr. Watson", "Elementary."),
        ("- Anna Lee: Wow!", "Anna Lee", "Wow!"),
        ("【旁白】天黑了。", "旁白", "天黑了。"),
        ("[Guard 2]: Halt!", "Guard 2", "Halt!"),
        ("小红（生气）：走开！", "小红", "走开！"),
        ("narrator: Once.", "narrator", "Once."),
        # no names
        ("He said: no.", "", "He said: no."),
        ("她笑着说：好的。", "", "她笑着说：好的。"),
        ("It was late: very late.", "", "It was late: very late."),
        ("https://example.com/x", "", "https://example.com/x"),
        ("At 14:30 we go.", "", "At 14:30 we go."),
        ("注意力很重要，她说：好的。", "", "注意力很重要，她说：好的。"),
    ],
)
def test_a_name_is_told_from_a_sentence_with_a_colon(row: str, speaker: str, words: str) -> None:
    assert [(one.speaker, one.text) for one in said(row)] == [(speaker, words)]
    assert one_said(row)[:2] == (speaker, words)


def test_a_line_without_a_name_goes_on_and_behind_an_empty_line_it_is_the_narrators() -> None:
    text = "Anna: One.\nTwo.\n\nNight falls.\nBob:\n\nThree.\n小明（开心）：四。"
    assert [tuple(one) for one in said(text)] == [
        ("Anna", "One.", ""),
        ("Anna", "Two.", ""),
        ("", "Night falls.", ""),
        ("Bob", "Three.", ""),
        ("小明", "四。", "开心"),
    ]


def test_an_unlikely_name_that_comes_again_is_one() -> None:
    assert [one.speaker for one in said("old man: Hey.\nold man: Ho.")] == ["old man", "old man"]
    assert [one.speaker for one in said("old man: Hey.")] == [""]


def test_subtitles_and_tables_name_their_speakers() -> None:
    srt = b"1\n00:00:01,000 --> 00:00:02,500\nAnna: hi\n\n2\n00:00:03,000 --> 00:00:02,500\n<v Bob Lee>ho\n"
    assert lines_of("srt", srt, True) == [
        {"text": "hi", "speaker": "Anna", "start": 1.0, "end": 2.5},
        {"text": "ho", "speaker": "Bob Lee", "start": 3.0},  # its end is none
    ]
    assert lines_of("srt", srt)[0]["text"] == "Anna: hi"
    table = "角色,text,start,end,情感\nAnna,Hi,00:01.5,3,喜悦\n".encode()
    row = {"speaker": "Anna", "text": "Hi", "start": 1.5, "end": 3.0, "emotion": "喜悦"}
    assert lines_of("csv", table) == [row]
    assert lines_of("csv", b"Anna\tHi, you\nBob\tHo\n", True)[0] == {"speaker": "Anna", "text": "Hi, you"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("WEBVTT\n\n00:01.5 --> 00:02\nHi", "srt"),
        ("text,voice\na,b", "csv"),
        ("角色;文本\na;b", "csv"),
        ("Anna\tHi", "csv"),
        ('["a"]', "json"),
        ("[Anna] hi", "txt"),
        ("Anna: Well, hello", "txt"),
        ("", "txt"),
    ],
)
def test_what_is_pasted_is_known_by_its_look(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@given(st.text(alphabet="ab A:：*_[]【】()（） \n.,-", max_size=120))
def test_no_text_breaks_the_reader_and_every_line_says_something(text: str) -> None:
    assert all(one.text.strip() and one.text == one.text.strip() for one in said(text))


def spoken(*seconds: float) -> list[Segment]:
    """Of one line, with a pause of 0.5 s behind each."""
    return [
        Segment("j", 1, index, "x", 0.5, "done", samples=round(length * 100), rate=100)
        for index, length in enumerate(seconds)
    ]


def line(end: float | None, fit: float = 1.0) -> Line:
    """From second 10 on."""
    return Line(1, "x", "", {}, 10.0, True, end, fit=fit)


def test_a_line_is_hastened_only_where_its_slot_is_too_short_and_only_so_far() -> None:
    assert over(line(None), spoken(9)) == 0 and faster(line(None), spoken(9), 1.6) is None
    assert over(line(13.0), spoken(1, 1.5)) == 0 and faster(line(13.0), spoken(1, 1.5), 1.6) is None
    assert over(line(12.0), spoken(1, 1.5)) == 1.0
    assert faster(line(12.0), spoken(1, 1.5), 1.6) == pytest.approx(1.515)
    assert faster(line(12.0), spoken(9), 1.6) == 1.6
    assert faster(line(12.0, fit=1.6), spoken(5), 1.6) is None, "it cannot become any faster"
    assert faster(line(12.0, fit=1.2), spoken(2.2), 1.6) == pytest.approx(1.2 * 1.1 * 1.01)
    assert hastened(1.3, line(12.0)) == 1.3 and hastened(3.9, line(12.0, fit=1.6)) == 4.0
