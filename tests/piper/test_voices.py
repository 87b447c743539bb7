"""Which voices a folder has, what they are called, and one line about each that is of no use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from index_tts_ui.engines.piper.frontend import PiperFrontend
from index_tts_ui.engines.piper.voices import look

from . import voice
from .conftest import DE, EN, ZH


def test_every_speaker_is_a_voice_and_mandarin_comes_first(hub: Path) -> None:
    found = look(hub)
    assert found.problems == ()
    told = [(info.id, info.name, info.language, info.tags) for info in found.infos()]
    assert told == [
        (ZH, "Huayan (medium)", "zh-CN", ("medium",)),
        (DE, "Thorsten (low)", "de-DE", ("low",)),
        (EN, "Vctk p225 (medium)", "en-GB", ("medium",)),
        *((f"{EN}.p{n}", f"Vctk p{n} (medium)", "en-GB", ("medium",)) for n in (226, 227, 228)),
    ]
    assert next(found.voices[0].infos()).name_zh == "Huayan（medium）"
    assert found.languages() == ("zh", "de", "en")
    numbers = [one.number for _, one in found.speakers().values()]
    assert numbers == [None, None, 0, 1, 2, 3] and found.voices[1].rate == 16_000


def test_the_better_quality_and_the_default_speaker_come_first(tmp_path: Path) -> None:
    for quality in ("x_low", "medium", "high", "low"):
        voice.put(tmp_path, f"zh_CN-huayan-{quality}")
    voice.put(
        tmp_path,
        "mine",
        language="",
        espeak="yue",
        speakers=2,
        default_speaker_id=1,
        audio={"sample_rate": 8000},
    )
    infos = look(tmp_path).infos()
    assert [info.tags for info in infos[2:]] == [("high",), ("medium",), ("low",), ("x_low",)]
    assert [(info.id, info.name, info.language) for info in infos[:2]] == [
        ("mine", "Mine p226", "zh"),
        ("mine.p225", "Mine p225", "zh"),
    ]


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _no_json(path: Path) -> None:
    path.with_name(f"{path.name}.json").unlink()


def _json(text: str) -> Callable[[Path], None]:
    return lambda path: (path.with_name(f"{path.name}.json").write_text(text), None)[1]


def _told(**more: object) -> Callable[[Path], None]:
    return _json(json.dumps({**voice.config(), **more}))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_cut, ".onnx file is damaged"),
        (lambda path: path.write_bytes(b"<html>no</html>"), ".onnx file is damaged"),
        (lambda path: path.write_bytes(b""), ".onnx file is none"),
        (lambda path: path.unlink(), "its .onnx file is missing"),
        (_no_json, "its .onnx.json is missing"),
        (_json("{"), "its .onnx.json is damaged"),
        (_json("[1]"), "not that of a Piper voice"),
        (_json("{}"), "not that of a Piper voice (no 'audio')"),
        (_told(num_speakers="many"), "not that of a Piper voice"),
        (_told(phoneme_id_map={"a": [1]}), "not that of a Piper voice (rate, language or phonemes)"),
        (_told(phoneme_id_map=3), "not that of a Piper voice"),
        (_told(audio={"sample_rate": 3}), "rate, language or phonemes"),
        (_told(phoneme_type="pinyin"), "phonemes of the kind 'pinyin'"),
    ],
)
def test_a_broken_voice_is_one_line_and_the_others_are_there(
    tmp_path: Path, break_it: Callable[[Path], None], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    voice.put(tmp_path, ZH)
    break_it(voice.put(tmp_path, "zh_CN-broken-low"))
    with caplog.at_level("WARNING", "tts.piper"):
        there = PiperFrontend(tmp_path).voices()
    assert [info.id for info in there] == [ZH]
    (record,) = caplog.records
    line = record.getMessage()
    assert "zh_CN-broken-low" in line and said in line and "\n" not in line and str(tmp_path) not in line


def test_names_that_no_request_could_say_are_refused(tmp_path: Path) -> None:
    voice.put(tmp_path, "a+b")
    assert look(tmp_path).voices == () and "letters, digits" in look(tmp_path).problems[0]


def test_a_folder_that_is_not_there_has_no_voices(tmp_path: Path) -> None:
    assert PiperFrontend(tmp_path / "none").voices() == ()
