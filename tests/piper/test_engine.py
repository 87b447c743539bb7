"""Piper's engine on voices that speak in tones: speed, noise, speakers, rates, neighbours, an end in the middle, failures."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_tts_ui.errors import BadConfig
from index_tts_ui.speech import Segment, VoiceRef

from . import voice
from .conftest import DE, EN, ZH
from .saying import DEADLINE, Desk, segment

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
HELLO = 19  # ids of 你好 with their pads


def test_it_tells_what_it_is(desk: Desk) -> None:
    info = desk.info
    assert (info.name, info.sample_rate, info.languages) == ("piper", 22_050, ("zh", "de", "en"))
    assert info.features == ("speed",) and info.max_rows == 2
    assert set(desk.engine.stats()) == {"rows", "spoken", "threads", "voices", "rtf"}


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_speed_is_the_length_of_every_sound(desk: Desk, speed: float) -> None:
    samples = desk.sound(segment("你好", ZH, speed=speed)).samples
    length = int(voice.LENGTH / speed)
    assert len(samples) == HELLO * length
    if speed <= 1:  # a shorter sound does not tell neighbouring pitches apart
        assert voice.heard(samples, length)[:5] == [1, 0, 26, 0, 21]


def test_pauses_follow_the_speed(desk: Desk) -> None:
    text = "今天天气很好，我们去公园。"
    slow, fast = (len(desk.sound(segment(text, ZH, speed=speed)).samples) for speed in (0.5, 2.0))
    assert slow == pytest.approx(4 * fast, abs=8)


def test_noise_is_the_requests_or_the_voices_own(desk: Desk) -> None:
    def loudness(**params: Any) -> float:
        return float(np.abs(desk.sound(segment("你好", ZH, **params)).samples).max())

    assert loudness() == pytest.approx(voice.LOUDNESS, rel=0.01)
    assert loudness(noise_w_scale=1.0) == pytest.approx(voice.LOUDNESS + voice.LOUDER, rel=0.01)
    own = Segment("a/0", "你好", "你好", 2, "zh", (VoiceRef("builtin", ZH),))
    one, other = (desk.sound(own).samples for _ in range(2))
    assert not np.array_equal(one, other)  # 0.667 of noise: it differs from time to time
    assert float(np.abs(one).max()) == pytest.approx(voice.LOUDNESS + 0.8 * voice.LOUDER, abs=4 * voice.HISS)
    still = [desk.sound(segment("你好", ZH)).samples for _ in range(2)]
    np.testing.assert_array_equal(*still)


def test_each_speaker_is_another(desk: Desk) -> None:
    names = [EN, *(f"{EN}.p{number}" for number in (226, 227, 228))]
    raised = [float(desk.sound(segment("hello", name)).samples.mean()) for name in names]
    assert raised == pytest.approx([number * voice.STEP for number in range(4)], abs=0.005)


def test_a_voice_of_another_rate_has_the_rate_of_all(desk: Desk) -> None:
    audio = desk.sound(segment("Guten Tag", DE))
    ids = len("^ɡˈuːtən tˈɑːk$") * 2 - 1
    assert audio.rate == 22_050
    assert audio.seconds == pytest.approx(ids * voice.LENGTH * 2 / 16_000, abs=0.01)  # its own length is 2


def test_neighbours_change_nothing_and_all_are_spoken(desk: Desk) -> None:
    texts = ["今天天气很好", "我们去公园", "妈妈骂马", "音乐让人快乐"] * 3
    alone = {text: desk.sound(segment(text, ZH)).samples for text in set(texts)}
    segments = [segment(text, ZH, f"r{number % 5}/{number}") for number, text in enumerate(texts)]
    done = desk.say(*segments)
    assert len(done) == len(texts)
    for one in segments:
        np.testing.assert_array_equal(done[one.id].audio.samples, alone[one.text])


def test_a_segment_is_cut_at_its_longest(desk: Desk) -> None:
    cut = desk.sound(
        Segment(
            "a/0", "", "今天天气很好，我们去公园。" * 9, 9, "zh", (VoiceRef("builtin", ZH),), max_seconds=1.5
        )
    )
    assert cut.seconds == pytest.approx(1.5, abs=0.01) and abs(float(cut.samples[-1])) < 1e-3


def test_a_cancelled_segment_ends_in_the_middle_of_its_run(
    tmp_path: Path, desk_of: Callable[..., Desk]
) -> None:
    folder = tmp_path / "piper"
    voice.put(folder, ZH)
    voice.put(folder, "zh_CN-slow-low", work=3000)  # much of it
    desk = desk_of(folder)
    engine = desk.engine
    engine.admit(segment("你好", "zh_CN-slow-low", "slow/0"))
    engine.admit(segment("你好", "zh_CN-slow-low", "slow/1"))
    deadline = time.monotonic() + DEADLINE
    while not engine._running or len(engine._models) < 2:
        assert engine.step() == [] and time.monotonic() < deadline
    for name in ("slow/1", "slow/0", "nobody/0"):
        threading.Thread(target=engine.cancel, args=(name,)).start()
    while engine.busy():
        assert engine.step() == [] and time.monotonic() < deadline
    assert engine.free() == 2 and len(desk.sound(segment("你好", ZH)).samples)


def test_models_that_nobody_uses_go(tmp_path: Path, desk_of: Callable[..., Desk]) -> None:
    folder = tmp_path / "piper"
    names = [voice.put(folder, f"zh_CN-v{number}-low").name.removesuffix(".onnx") for number in range(4)]
    desk = desk_of(folder, voices="2")
    for name in (*names, *reversed(names)):
        desk.sound(segment("你好", name))
        assert len(desk.engine._models) <= 2
    desk.engine.warm(VoiceRef("builtin", names[3]))
    desk.engine.warm(VoiceRef("builtin", "nobody"))
    desk.sound(segment("你好", names[0]))


@pytest.mark.parametrize("wish", ["0", "-1", "two", ""])
def test_a_number_of_models_that_is_none_is_refused(package: Path, hub: Path, wish: str) -> None:
    with pytest.raises(BadConfig, match="is no number from 1 up"):
        Desk(hub, voices=wish)


def test_what_is_wrong_with_a_segment_costs_that_segment_only(desk: Desk) -> None:
    assert "it has no voice 'nobody'" in desk.fault(segment("你好", "nobody"))
    assert "nothing to speak" in desk.fault(segment("。", ZH))
    two = (VoiceRef("builtin", ZH, 0.5), VoiceRef("builtin", EN, 0.5))
    assert "no blend" in desk.fault(Segment("a/0", "", "你好", 2, "zh", two))
    assert "speed 9" in desk.fault(segment("你好", ZH, speed=9.0))
    assert len(desk.sound(segment("你好", ZH)).samples)


def test_a_sound_that_a_voice_lacks_is_named_and_never_left_out(
    tmp_path: Path, desk_of: Callable[..., Desk]
) -> None:
    folder = tmp_path / "piper"
    path = voice.put(folder, ZH)
    told = voice.config()
    del told["phoneme_id_map"]["χ"], told["phoneme_id_map"]["ˈ"]  # a sound; and a stress, which is none
    path.with_name(f"{path.name}.json").write_text(json.dumps(told))
    desk = desk_of(folder)
    assert "the voice has no sound for 'χ'" in desk.fault(segment("你好", ZH))
    assert desk.phonemes("妈妈", ZH) == "mɑ5mɑ1"


def test_a_broken_model_costs_its_own_segments_only(tmp_path: Path, desk_of: Callable[..., Desk]) -> None:
    folder = tmp_path / "piper"
    voice.put(folder, ZH)
    damaged = voice.put(folder, "zh_CN-aaa-high")  # it comes first, and looks whole
    data = damaged.read_bytes()
    damaged.write_bytes(data.replace(b"RandomNormalLike", b"RandomNormalLove"))
    voice.put(folder, "zh_CN-lost-low", espeak="tlh-none")
    other = voice.put(folder, "zh_CN-other-low", speakers=2)
    told = json.loads(other.with_name(f"{other.name}.json").read_text())
    other.with_name(f"{other.name}.json").write_text(json.dumps({**told, "num_speakers": 1}))
    desk = desk_of(folder)
    assert "zh_CN-aaa-high is damaged" in desk.fault(segment("你好", "zh_CN-aaa-high"))
    assert "no model of Piper" in desk.fault(segment("你好", "zh_CN-other-low"))
    assert "its phonemes cannot be found" in desk.fault(segment("你好", "zh_CN-lost-low"))
    assert desk.phonemes("你好", ZH) == "ni2χˈɑu2"
    shutil.rmtree(folder, ignore_errors=True)
    assert desk.phonemes("妈", ZH)  # it was read before


def test_without_a_voice_it_says_how_to_fetch_one(tmp_path: Path, package: Path) -> None:
    for made in (lambda: None, lambda: voice.put(tmp_path, ZH).write_bytes(b"no")):
        made()
        with pytest.raises(BadConfig, match="models fetch piper"):
            Desk(tmp_path)
