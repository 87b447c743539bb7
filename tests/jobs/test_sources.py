"""What files become lines, and what segments become one sound. No server."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui.errors import Invalid
from index_tts_ui.jobs import FileKind, lines_of, subtitles
from index_tts_ui.jobs.record import Line, Segment
from index_tts_ui.jobs.sound import blocks, keep, placed, total
from index_tts_ui.jobs.sources import chunks


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_text_is_read_in_whatever_encoding_an_editor_saved_it(encoding: str) -> None:
    assert lines_of("txt", "第一行\r\n\r\n 第二行 ".encode(encoding)) == [
        {"text": "第一行"},
        {"text": "第二行"},
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_its_mark_too(encoding: str) -> None:
    assert lines_of("txt", "One line.\r\n你好 and\ttwo".encode(encoding)) == [
        {"text": "One line."},
        {"text": "你好 and\ttwo"},
    ]


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"),  # a picture
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"a.txt" * 20,  # an archive
        b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + b"@@" * 200,  # sound
        b"\0" * 500,
        b"\xff\xfb\x90\x44" * 50,
    ],
)
@pytest.mark.parametrize("kind", ["txt", "csv", "srt", "vtt", "json"])
def test_what_is_no_text_is_refused_as_that_and_not_as_empty(kind: FileKind, data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        lines_of(kind, data)
    assert (refused.value.code, refused.value.param) == ("not_text", "file")


def test_a_slip_and_padding_make_no_other_file_of_a_text() -> None:
    assert lines_of("txt", b"A line with \x07 a bell in it, and forty more characters.\x1a\0\0\0") == [
        {"text": "A line with \x07 a bell in it, and forty more characters.\x1a"}
    ]


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_without_a_cue_are_not_called_empty(kind: FileKind) -> None:
    with pytest.raises(Invalid, match="no cue"):
        lines_of(kind, b"WEBVTT\n\nJust a text.\n")
    with pytest.raises(Invalid) as refused:
        lines_of(kind, b" \n")
    assert refused.value.code == "empty_text"


def test_a_csv_without_a_header_is_a_list_of_texts_if_it_has_one_column() -> None:
    assert [line["text"] for line in lines_of("csv", b"One.\nTwo.\n")] == ["One.", "Two."]
    semicolons = lines_of("csv", b'text;speed;emotion\n"Hi; there";1.25;happy\n')
    assert semicolons == [{"text": "Hi; there", "speed": 1.25, "emotion": "happy"}]


def test_cues_are_read_from_srt_and_vtt_alike() -> None:
    srt = "1\n00:00:01,250 --> 00:00:02,000 X1:0\n{\\an8}<b>Two\nrows</b>\n\n2\n01:00:00,5 --> 01:00:01,0\nLate\n"
    assert lines_of("srt", srt.encode()) == [
        {"text": "Two rows", "start": 1.25, "end": 2.0},
        {"text": "Late", "start": 3600.5, "end": 3601.0},
    ]
    vtt = "WEBVTT\n\nNOTE x\n\n00:01.500 --> 00:02.000\nHi\n"
    assert lines_of("srt", vtt.encode()) == [{"text": "Hi", "start": 1.5, "end": 2.0}]


@given(st.sampled_from(["txt", "csv", "srt", "json"]), st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_lines_or_a_clear_refusal(kind: str, data: bytes) -> None:
    try:
        lines = lines_of(kind, data)  # type: ignore[arg-type]
    except Invalid:
        return
    assert lines and all(isinstance(line, dict) for line in lines)


@given(st.text(alphabet="ab。. \n", max_size=300), st.integers(5, 60))
def test_a_long_line_is_cut_without_losing_a_character(text: str, limit: int) -> None:
    parts = list(chunks(text, limit))
    assert all(len(part) <= limit for part in parts)
    assert "".join(parts).rstrip() == text.rstrip() or not text.strip()


def segment(line: int, index: int, samples: int, rate: int = 100, pause: float = 0.0) -> Segment:
    """A spoken one."""
    return Segment("j", line, index, f"{line}/{index}", pause, "done", samples=samples, rate=rate)


def lines(*starts: float | None) -> dict[int, Line]:
    """From 1."""
    return {number: Line(number, "", "", {}, start, True) for number, start in enumerate(starts, 1)}


def test_segments_follow_each_other_by_their_pauses_lines_by_the_gap_and_cues_by_their_times() -> None:
    spoken = [
        segment(1, 0, 100, pause=0.2),
        segment(1, 1, 50, pause=9),
        segment(2, 0, 100),
        segment(3, 0, 10),
    ]
    found = placed(spoken, lines(None, None, None), gap=0.5)
    assert [part.begins for part in found] == [0.0, 1.2, 2.2, 3.7]
    assert [part.begins for part in placed(spoken, lines(2.0, None, 3.0), 0.5)] == [2.0, 3.2, 4.2, 5.2]
    assert placed(spoken[2:], lines(None, None, None), None)[1].begins == 1.4


def test_the_sound_is_as_long_as_it_was_placed_whatever_the_rates(tmp_path: Path) -> None:
    spoken = [segment(1, 0, 24_000, 24_000, 0.1), segment(1, 1, 11_025, 22_050, 0.0)]
    for one in spoken:
        keep(tmp_path, one, np.full(one.samples, 0.5, np.float32))
    parts = placed(spoken, lines(None), None)
    sound = np.concatenate(list(blocks(tmp_path, parts)))
    assert len(sound) == total(parts) == 24_000 + 2400 + 12_000
    assert not sound[24_000:26_400].any() and abs(sound[1000:23_000] - 0.5).max() < 0.001
    assert abs(sound[27_000:38_000] - 0.5).max() < 0.01


def test_no_text_can_end_its_cue() -> None:
    evil = Segment("j", 1, 0, "a\n\n2 --> <b>&", 0, "done", samples=100, rate=100)
    srt, vtt = (subtitles(kind, placed([evil], {}, None)) for kind in ("srt", "vtt"))
    assert srt == "1\n00:00:00,000 --> 00:00:01,000\na 2 → <b>&\n"
    assert len(re.findall("-->", vtt)) == 1 and "&lt;b&gt;&amp;" in vtt
