"""What is kept of an output on disk: its segments' takes, which of them counts, and what is cleaned away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index_tts_ui.errors import Conflict, EngineFailed, NotFound
from index_tts_ui.outputs import OutputStore, Recording
from index_tts_ui.outputs.takes import TAKES, Takes, from_json, to_json
from index_tts_ui.speech import (
    Audio,
    Emotion,
    Ended,
    Event,
    Owner,
    Piece,
    SegmentReady,
    SpeechRequest,
    Started,
    Usage,
)

RATE = 1000
ME = Owner("key:me")
ASKED = SpeechRequest(
    "", voice="anna", speed=1.5, emotion=Emotion(vector=(0.5,) * 8), seed=7, params={"top_p": 0.5}
)
PAUSES = (0.1, 0.2, 0.3)


class Spoken:
    """What a handle knows of three segments, the second by another voice."""

    def __init__(self) -> None:
        self.levels = [(0.0, 0.0), (3.0, 1.0), (4.0, 2.0)]
        self.pieces = [
            Piece(f"text {index}", "", 1, "en", pause, "bob" if index == 1 else "")
            for index, pause in enumerate(PAUSES)
        ]


def sound(value: float, samples: int = 50) -> np.ndarray:
    return np.full(samples, value, np.float32)


def kept(folder: Path, spoken: int = 3) -> Recording:
    """An output of three segments, of which ``spoken`` have sound."""
    return asyncio.run(_kept(folder, spoken))


async def _kept(folder: Path, spoken: int) -> Recording:
    async def events() -> AsyncIterator[Event]:
        yield Started("tone", tuple(piece.text for piece in Spoken().pieces))
        for index in range(spoken):
            yield SegmentReady(index, Audio(RATE, sound(0.1 * (index + 1), 100 + index)))
        error = None if spoken == 3 else EngineFailed("engine_failed", reason="on command")
        yield Ended(Usage(3, 3, 3, 0.0, 0.0, 0.0, 0.0), error)

    store = OutputStore(folder, 1, 1)
    recording = store.create(RATE, "req")
    recording.made_by(ME, ASKED, Spoken())
    await recording.follow(events(), lambda: None, attended=False)
    return OutputStore(folder, 1, 1).get(recording.id)


async def last(recording: Recording) -> Event:
    return [event async for event in recording.events()][-1]


def whole(recording: Recording) -> np.ndarray:
    return np.concatenate(list(recording.chunks()))


def test_a_take_replaces_its_segment_alone_and_keeps_the_silence_behind_it(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    before = whole(recording)
    take = recording.add_take(1, sound(0.9), recording.basis(1), "tone")
    assert np.array_equal(whole(recording), before), "it does not count before it is chosen"
    recording.choose(1, take.number)
    after = whole(recording)
    assert np.array_equal(after[:100], before[:100]) and np.array_equal(after[-102:], before[-102:])
    np.testing.assert_allclose(after[100:150], 0.9, atol=1e-4)
    assert not after[150:350].any() and len(after) == 100 + 50 + 200 + 102
    recording.choose(1, 1)
    assert np.array_equal(whole(recording), before)


def test_takes_and_the_choice_are_there_for_whoever_opens_it_next(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    recording.choose(2, recording.add_take(2, sound(0.9), recording.basis(2), "tone").number)
    again = OutputStore(tmp_path, 1, 1).get(recording.id)
    assert np.array_equal(whole(again), whole(recording))
    assert [segment.chosen for segment in again.segments()] == [1, 1, 2]
    assert again.owned_by(ME) and not again.owned_by(Owner("key:other"))
    assert [again.level(index) for index in range(3)] == Spoken().levels


def test_a_segment_is_asked_for_as_it_was_made(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    first, second = recording.basis(0), recording.basis(1)
    assert (first.text, first.voice, first.emotion, first.params) == (
        "text 0",
        "anna",
        ASKED.emotion,
        ASKED.params,
    )
    assert second.voice == "bob", "a mark in the text gave it to another voice"
    assert from_json(to_json(ASKED), "") == ASKED


def test_what_failed_half_way_is_completed_segment_by_segment(tmp_path: Path) -> None:
    recording = kept(tmp_path, spoken=1)
    assert recording.error is not None and recording.error.code == "engine_failed"
    assert not recording.whole and recording.segments()[1].chosen is None and len(whole(recording)) == 100
    for index in (1, 2):
        recording.add_take(index, sound(0.5), recording.basis(index), "tone")
    assert recording.whole
    assert len(whole(recording)) == 100 + 50 + 200 + 50, "the last one has no pause behind it"
    ended = asyncio.run(last(recording))
    assert isinstance(ended, Ended) and ended.error is None
    recording.remove(1, 1)
    assert recording.segments()[1].chosen is None


def test_the_first_take_stays_and_takes_are_limited(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    for _ in range(8):
        number = recording.add_take(0, sound(0.5), recording.basis(0), "tone").number
    with pytest.raises(Conflict, match="no more takes"):
        recording.check_room(0)
    recording.check_room(1)
    recording.choose(0, number)
    recording.remove(0, number)
    assert recording.segments()[0].chosen == 1
    with pytest.raises(Conflict, match="first take"):
        recording.remove(0, 1)
    with pytest.raises(NotFound):
        recording.choose(0, number)
    recording.most_bytes = 100
    with pytest.raises(Conflict, match="no more takes"):
        recording.check_room(1)


def test_takes_that_are_added_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    about = {"text": "", "pause": 0.0, "request": {}, "created": 0.0}
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: Takes(tmp_path / "x").add(0, 2, b"\0\0", about), range(24)))
    assert sorted(numbers) == list(range(2, 26))
    assert [take.number for take in Takes(tmp_path / "x").made()[0]] == list(range(2, 26))


def test_a_damaged_take_is_put_aside_and_the_rest_is_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording = kept(tmp_path)
    before = whole(recording)
    for _ in range(2):
        recording.choose(0, recording.add_take(0, sound(0.5), recording.basis(0), "tone").number)
    folder = tmp_path / f"{recording.id}{TAKES}"
    (folder / "0-3.json").write_text("{")
    (folder / "0-2.pcm").write_bytes(b"\0")
    (folder / "0.choice").write_text("?")
    assert np.array_equal(whole(recording), before)
    assert caplog.text.count("put aside") == 2 and len(list(folder.glob("*.damaged"))) == 2


def test_takes_go_with_their_output_unless_it_is_exempt(tmp_path: Path) -> None:
    old, exempt = [kept(tmp_path) for _ in range(2)]
    for recording in (old, exempt):
        recording.add_take(0, sound(0.5), recording.basis(0), "tone")
    stray = Takes(tmp_path / f"stray{TAKES}")
    stray.choose(0, 1)
    (tmp_path / f"{exempt.id}.keep").touch()
    for path in tmp_path.glob("*.pcm"):
        os.utime(path, (time.time() - 7200,) * 2)
    assert OutputStore(tmp_path, 1, 10).clean() == 1
    assert [path.name for path in tmp_path.glob(f"*{TAKES}")] == [f"{exempt.id}{TAKES}"]


def test_an_output_that_is_worked_at_is_not_the_oldest(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    os.utime(recording.path, (time.time() - 7200,) * 2)
    recording.add_take(0, sound(0.5), recording.basis(0), "tone")
    assert OutputStore(tmp_path, 1, 10).clean() == 0


def test_takes_count_towards_the_room_of_all_outputs(tmp_path: Path) -> None:
    recording = kept(tmp_path)
    recording.add_take(0, sound(0.5, 600_000), recording.basis(0), "tone")
    assert OutputStore(tmp_path, 1, 1).clean() == 1
