"""The shapes that everything stands on: JSON round trips, frames, errors, settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui import config, messages
from index_tts_ui.errors import MESSAGES, BadConfig, Invalid, NotFound, Overloaded
from index_tts_ui.speech import Emotion, Segment, VoiceInfo, VoiceRef
from index_tts_ui.voices import VoiceStore

VOICES = (
    VoiceInfo("a", "A", "甲", "zh-CN", "female"),
    VoiceInfo("b", "B", "乙", "en-US", "male"),
)


def test_a_segment_survives_the_wire() -> None:
    segment = Segment(
        id="j/0",
        text="你好 hello",
        spoken="x",
        tokens=3,
        language="zh",
        voices=(VoiceRef("builtin", "a", 0.25), VoiceRef("clip", "ff", 0.75)),
        params={"speed": 1.5},
        emotion=Emotion(vector=(0.1,) * 8, weight=0.5),
        seed=7,
        pause_after=0.3,
    )
    assert Segment.from_json(json.loads(json.dumps(segment.to_json()))) == segment


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300)), max_size=8), st.integers(1, 64))
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    frames: list[tuple[str, bytes]], size: int
) -> None:
    wire = b"".join(messages.pack("x", body, text=text) for text, body in frames)
    assert [(header["text"], bytes(body)) for header, body in received(wire, size)] == frames


def received(wire: bytes, size: int) -> list[tuple[dict[str, Any], np.ndarray]]:
    """The frames of ``wire``, of which at most ``size`` bytes come at a time."""
    receiver = messages.Receiver()
    frames = []
    while wire:
        room = receiver.buffer()
        count = min(size, len(room), len(wire))
        room[:count], wire = wire[:count], wire[count:]
        frames += receiver.received(count)
    return frames


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_long_body_comes_between_short_ones(size: int) -> None:
    body = bytes(range(256)) * 4096
    frames = [b"", body, b"x", body[:-1], b""]
    wire = b"".join(messages.pack("x", body) for body in frames)
    assert [bytes(body) for _, body in received(wire, size)] == frames


@pytest.mark.parametrize("garbage", [b"\xff" * 16, b"\x02\0\0\0\0\0\0\xff{}", b"\x02\0\0\0\0\0\0\0{]"])
def test_garbage_on_the_wire_is_noticed(garbage: bytes) -> None:
    with pytest.raises(messages.BrokenWire):
        received(garbage, 64)


def test_every_error_sentence_exists_in_both_languages_with_the_same_facts() -> None:
    import string

    for code, (english, chinese) in MESSAGES.items():
        facts = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)
        ]
        assert facts[0] == facts[1], code
        assert any("\u4e00" <= char <= "\u9fff" for char in chinese), code
        assert "\n" not in english + chinese


def test_retry_after_is_between_one_second_and_two_minutes() -> None:
    assert Overloaded("queue_full", waiting=1, retry_after=0.01).retry_after == 1
    assert Overloaded("queue_full", waiting=1, retry_after=9999).retry_after == 120


def test_flags_beat_variables_and_variables_beat_the_file(tmp_path: Path) -> None:
    (tmp_path / "tts.toml").write_text(
        'port = 1001\nmax_waiting = 5\ncors_origins = ["a", "b"]\nhost = "::1"\n'
    )
    environ = {"TTS_HOME": str(tmp_path), "TTS_PORT": "1002", "TTS_MAX_WAITING": "6"}
    loaded = config.load({"port": "1003"}, environ)
    assert (loaded.port, loaded.max_waiting, loaded.host) == (1003, 6, "::1")
    assert loaded.listed("cors_origins") == ("a", "b")


@pytest.mark.parametrize(
    ("flags", "environ", "names"),
    [
        ({"port": "80000"}, {}, "port"),
        ({}, {"TTS_MAX_WAITING": "many"}, "max_waiting"),
        ({"timeout": "nan"}, {}, "timeout"),
        ({"log_level": "loud"}, {}, "log_level"),
    ],
)
def test_a_wrong_setting_is_named(flags: dict[str, str], environ: dict[str, str], names: str) -> None:
    with pytest.raises(BadConfig, match=names):
        config.load(flags, environ)


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tts.toml").write_text("max_wating = 5\n")
    with pytest.raises(BadConfig, match="max_wating"):
        config.load({"home": str(tmp_path)}, {})


def test_blends_are_normalised_and_led_by_the_loudest() -> None:
    store = VoiceStore(VOICES)
    assert [ref.weight for ref in store.resolve("a:3+b:1")] == [0.75, 0.25]
    assert store.info("a:0.1+b:0.2").id == "b"
    assert store.resolve("")[0].key == "a"


@pytest.mark.parametrize("voice", ["nobody", "../a", "a+../b", "a" * 10_000, "\0", "+", "a+"])
def test_a_voice_that_does_not_exist_is_not_found(voice: str) -> None:
    with pytest.raises(NotFound):
        VoiceStore(VOICES).resolve(voice)


@pytest.mark.parametrize("voice", ["a:0", "a:0.0+b:0", "a:1.2.3", "a+b+a+b+a"])
def test_a_blend_that_makes_no_sense_is_refused(voice: str) -> None:
    with pytest.raises(Invalid):
        VoiceStore(VOICES).resolve(voice)


def test_a_message_is_one_line_whatever_the_facts() -> None:
    error = NotFound("voice_not_found", voice="a\nb\u2028c\r\nd")
    assert error.message() == "There is no voice 'a b c d'; GET /v1/audio/voices lists them."
    assert len(error.message("zh").splitlines()) == 1
