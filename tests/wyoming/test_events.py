"""The protocol's edges without a server: what is read, and when a stream of text has whole sentences."""

from __future__ import annotations

import asyncio
import json

import pytest

from index_tts_ui.errors import Invalid
from index_tts_ui.wyoming.events import DATA, LINE, BadEvent, Event, read
from index_tts_ui.wyoming.talk import AHEAD, Talk, Wish


def events(wire: bytes) -> list[Event]:
    """All events of ``wire``."""

    async def run() -> list[Event]:
        reader = asyncio.StreamReader(LINE)
        reader.feed_data(wire)
        reader.feed_eof()
        found = []
        while (event := await read(reader)) is not None:
            found.append(event)
        return found

    return asyncio.run(run())


def test_events_come_out_as_they_went_in() -> None:
    sent = [Event("ping", {"text": "你好"}), Event("audio-chunk", {"rate": 1}, b"\n{}\0"), Event("x")]
    found = events(b"".join(event.encode("1") for event in sent) + b"\n" + sent[0].encode("1"))
    assert [(item.type, dict(item.data)) for item in found] == [
        ("ping", {"text": "你好"}),
        ("audio-chunk", {"rate": 1}),
        ("x", {}),
        ("", {}),
        ("ping", {"text": "你好"}),
    ]


def test_data_may_be_in_the_line_and_behind_it() -> None:
    data = json.dumps({"text": "b"}).encode()
    line = {"type": "synthesize", "data": {"text": "a", "voice": {}}, "data_length": len(data)}
    (found,) = events(json.dumps(line).encode() + b"\n" + data)
    assert found.data == {"text": "b", "voice": {}}


@pytest.mark.parametrize(
    "wire",
    [
        b"{]\n",
        b"[]\n",
        b'{"type": 1}\n',
        b"\xff\xfe\n",
        b"GET / HTTP/1.1\r\n",
        b"x" * (LINE + 10),
        b'{"type": "x", "data": [1]}\n',
        b'{"type": "x", "data_length": 3}\n"a"',
        b'{"type": "x", "payload_length": -1}\n',
        b'{"type": "x", "payload_length": "9"}\n',
        f'{{"type": "x", "data_length": {DATA + 1}}}\n'.encode(),
        b'{"type": "x", "data": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}\n",
    ],
)
def test_what_is_no_event_is_refused(wire: bytes) -> None:
    with pytest.raises(BadEvent):
        events(wire)


def test_an_event_that_is_cut_off_is_the_end() -> None:
    assert events(b'{"type": "x", "payload_length": 5}\nabc') == []


def parts(*chunks: str, most: int = 1000) -> list[str]:
    """What is taken after each chunk, and after the end."""

    async def run() -> list[str]:
        talk, found = Talk(Wish(), True), []
        for chunk in chunks:
            talk.write(chunk)
            try:
                found.append(await asyncio.wait_for(talk.take(most), 0.01))
            except TimeoutError:
                found.append("")
        talk.end()
        while text := await talk.take(most):
            found.append(text)
        return found

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("chunks", "taken"),
    [
        (("你好。", "再见", "！"), ["你好。", "", "再见！"]),
        (
            ("It costs 3.", "14 dollars. That", " is all."),
            ["", "It costs 3.14 dollars.", "", " That is all."],
        ),
        (("Dr. ", "Smith came. He"), ["", "Dr. Smith came.", " He"]),
        (("one\n", "two"), ["one\n", "", "two"]),
        (("a", "b", "c"), ["", "", "", "abc"]),
        (("\n\n Hello! ", "\n\n"), ["\n\n Hello!", ""]),
    ],
)
def test_sentences_are_taken_as_soon_as_they_are_whole(chunks: tuple[str, ...], taken: list[str]) -> None:
    assert parts(*chunks) == taken


def test_no_character_is_lost_however_the_text_comes() -> None:
    text = "Dr. Wu said: 3.14! 你好，世界。\n\n  Fine... e.g. this. 结束"
    for size in (1, 2, 3, 7, 100):
        chunks = [text[at : at + size] for at in range(0, len(text), size)]
        assert "".join(parts(*chunks)).replace(" ", "").replace("\n", "") == text.replace(" ", "").replace(
            "\n", ""
        )


def test_a_part_is_as_long_as_a_request_may_be() -> None:
    assert parts("一二。三四。五六。", most=6) == ["一二。三四。", "五六。"]


def test_text_that_waits_is_bounded() -> None:
    talk = Talk(Wish(), True)
    talk.write("x" * AHEAD)
    with pytest.raises(Invalid):
        talk.write("x")
