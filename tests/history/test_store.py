"""The history on disk: real recordings, real files, no server."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_tts_ui.database import Database
from index_tts_ui.errors import Cancelled, Conflict, EngineFailed, NotFound, TTSError
from index_tts_ui.history import Entry, History, entry_table, preset_table
from index_tts_ui.outputs import OutputStore, Recording
from index_tts_ui.speech import (
    Audio,
    Emotion,
    Ended,
    Event,
    Owner,
    SegmentReady,
    SpeechRequest,
    Started,
    Usage,
)

ANN, BEN = Owner("key:ann"), Owner("key:ben", roles=frozenset(["speak"]))
MINUTE_MB = 2 * 24_000 * 60 / (1 << 20)  # of sound, 2.7


class Place:
    """A history and its outputs in one folder, as a server would have them."""

    def __init__(self, home: Path, days: float = 30.0, keep_mb: int = 100, hours: float = 24.0) -> None:
        self.file = home / "history.sqlite3"
        self.outputs = OutputStore(home / "outputs", hours, 100)
        self.history = History(self.file, self.outputs, days, keep_mb)

    async def speak(
        self,
        text: str,
        owner: Owner = ANN,
        seconds: float = 1.0,
        error: TTSError | None = None,
        **fields: Any,
    ) -> Recording:
        """A result, from the request to its end."""
        request = SpeechRequest(text, **fields)
        recording = self.outputs.create(24_000, "req-1")
        self.history.follow(recording, request, owner, {})

        async def events() -> AsyncIterator[Event]:
            yield Started("tone", (text,))
            if error is None:
                yield SegmentReady(0, Audio(24_000, np.zeros(round(24_000 * seconds), np.float32)))
            yield Ended(Usage(len(text), 9, 1, seconds, 0.1, 0.5, 0.7), error)

        await recording.follow(events(), lambda: None, attended=False)
        self.outputs.forget(recording.id)  # as a while later: its files stand for it
        self.history.ended(recording)
        return recording

    async def found(self, owner: Owner = ANN, words: str = "", **more: Any) -> list[Entry]:
        """The owner's entries."""
        asked = {"limit": 100, "words": words, "favourite": False, "before": "", **more}
        return [entry for entry, _ in await self.history.page(owner, **asked)]

    def age(self, days: float) -> None:
        """Everything happened so many days ago."""
        with sqlite3.connect(self.file) as db:
            db.execute("UPDATE entries SET created = created - ?", (days * 86_400,))
        db.close()
        for path in self.outputs.folder.iterdir():
            then = time.time() - days * 86_400
            os.utime(path, (then, then))


Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a scene in a fresh place."""

    def run(scene: Callable[[Place], Coroutine[Any, Any, None]], **settings: Any) -> None:
        async def whole() -> None:
            place = Place(tmp_path, **settings)
            await scene(place)
            place.history.close()

        asyncio.run(whole())

    return run


def test_a_file_of_an_older_version_is_taken_over(play: Play, tmp_path: Path) -> None:
    db = Database(tmp_path / "history.sqlite3", entry_table.SCHEMA + preset_table.SCHEMA)
    row = ("h-1", ANN.key, time.time(), "o", "Old.", "Old.", "{}", "tone", *(1,) * 6, "", None, 0, 0.0)
    with db.change() as open_db:
        open_db.execute(f"INSERT INTO entries VALUES ({', '.join('?' * len(row))})", row)
    db.close()

    async def scene(place: Place) -> None:
        await place.speak("New.", voice="a")
        assert [(entry.text, entry.voice_name) for entry in await place.found()] == [
            ("New.", ""),
            ("Old.", ""),
        ]

    play(scene)


def test_an_entry_tells_what_was_asked_and_what_it_cost(play: Play) -> None:
    async def scene(place: Place) -> None:
        emotion = Emotion(vector=(0.5,) + (0.0,) * 7, weight=0.6)
        fields = {"voice": "a", "speed": 1.2, "seed": 7, "emotion": emotion, "params": {"top_k": 5}}
        recording = await place.speak("One.\n\nTwo. " + "x" * 100, seconds=2.0, **fields)
        (entry,) = await place.found()
        assert entry.output == recording.id
        assert entry.title == "One. Two. " + "x" * 69 + "…"
        assert entry.settings == {
            **{"voice": "a", "speed": 1.2, "language": "", "seed": 7, "top_k": 5},
            "emotion": {"vector": [0.5, 0, 0, 0, 0, 0, 0, 0], "weight": 0.6, "random": False},
        }
        costs = (entry.characters, entry.segments, entry.audio_seconds, entry.engine_seconds)
        assert costs == (111, 1, 2.0, 0.5)
        assert (entry.engine, entry.error, entry.favourite) == ("tone", None, False)

    play(scene)


def test_what_failed_is_told_with_its_reason_in_both_languages(play: Play) -> None:
    async def scene(place: Place) -> None:
        await place.speak("Aloud.", error=Cancelled("cancelled", reason="Stop was pressed"))
        (entry,) = await place.found()
        assert entry.error and entry.error["code"] == "cancelled"
        assert entry.error["message"] != entry.error["message_zh"]
        assert (await place.history.page(ANN, 1, "", False, ""))[0][1] is False, "there is no sound"

    play(scene)


def test_words_are_found_in_any_order_and_taken_literally(play: Play) -> None:
    async def scene(place: Place) -> None:
        for text in ("100% of it, a_b", "100 of it, aXb", "清晨的湖面像一面镜子"):
            await place.speak(text)
        assert [entry.text for entry in await place.found(words="IT 100")] == [
            "100 of it, aXb",
            "100% of it, a_b",
        ]
        assert len(await place.found(words="100%")) == 1
        assert len(await place.found(words="a_b")) == 1
        assert len(await place.found(words="湖面 镜子")) == 1
        assert await place.found(words="\\") == []

    play(scene)


def test_pages_follow_each_other_without_a_gap_or_a_repetition(play: Play) -> None:
    async def scene(place: Place) -> None:
        for number in range(7):
            await place.speak(f"Number {number}.")
        seen: list[str] = []
        while page := await place.found(limit=3, before=seen[-1] if seen else ""):
            seen += [entry.id for entry in page]
        assert len(seen) == len(set(seen)) == 7
        assert seen == [entry.id for entry in await place.found()]

    play(scene)


def test_nobody_sees_or_changes_what_is_anothers(play: Play) -> None:
    async def scene(place: Place) -> None:
        await place.speak("Mine.")
        (entry,) = await place.found()
        assert await place.found(BEN) == []
        for asked in (
            place.history.get(BEN, entry.id),
            place.history.change(BEN, entry.id, favourite=True),
            place.history.delete(BEN, entry.id),
        ):
            with pytest.raises(NotFound):
                await asked
        assert await place.history.clear(BEN) == 0
        assert [one.favourite for one in await place.found()] == [False]
        await place.speak("His.", BEN)
        assert await place.found(before=(await place.found(BEN))[0].id) == [], "no cursor of another's"

    play(scene)


def test_a_favourite_stays_with_its_sound_and_the_others_go(play: Play) -> None:
    async def scene(place: Place) -> None:
        kept, gone = await place.speak("Keep me."), await place.speak("Let me go.")
        entry = (await place.found(words="keep"))[0]
        _, there = await place.history.change(ANN, entry.id, favourite=True)
        assert there
        place.age(days=2)
        place.outputs.clean()
        await place.history.clean()
        states = {entry.output: there for entry, there in await place.history.page(ANN, 9, "", False, "")}
        assert states == {kept.id: True, gone.id: False}, "the other's text stays for its days"
        place.age(days=40)
        place.outputs.clean()
        await place.history.clean()
        assert [one.id for one in await place.found()] == [entry.id]
        assert place.outputs.get(kept.id).samples == 24_000
        await place.history.change(ANN, entry.id, favourite=False)
        place.outputs.clean()
        with pytest.raises(NotFound):
            place.outputs.get(kept.id)

    play(scene)


def test_favourites_keep_so_much_sound_and_no_more(play: Play) -> None:
    async def scene(place: Place) -> None:
        for text in ("First.", "Second."):
            await place.speak(text, seconds=60)
        second, first = await place.found()
        await place.history.change(ANN, first.id, favourite=True)
        with pytest.raises(Conflict, match="4 MB"):
            await place.history.change(ANN, second.id, favourite=True)
        await place.history.change(ANN, first.id, favourite=True)  # it is one already
        await place.history.change(ANN, first.id, favourite=False)
        await place.history.change(ANN, second.id, favourite=True)

    assert MINUTE_MB < 4 < 2 * MINUTE_MB
    play(scene, keep_mb=4)


def test_what_was_deleted_comes_back_within_the_hour_and_is_gone_after_it(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(place: Place) -> None:
        recording = await place.speak("Oh no.")
        (entry,) = await place.found()
        await place.history.change(ANN, entry.id, deleted=True)
        assert await place.found() == []
        await place.history.clean()
        _, there = await place.history.change(ANN, entry.id, deleted=False)
        assert there and await place.found() == [entry]
        await place.history.change(ANN, entry.id, deleted=True)
        monkeypatch.setattr("index_tts_ui.history.store.UNDO_SECONDS", -1.0)
        await place.history.clean()
        with pytest.raises(NotFound):
            await place.history.change(ANN, entry.id, deleted=False)
        assert list(place.outputs.folder.glob(f"{recording.id}*")) == []

    play(scene)


def test_all_but_favourites_go_with_their_sounds(play: Play) -> None:
    async def scene(place: Place) -> None:
        kept = await place.speak("Star.")
        (star,) = await place.found()
        await place.history.change(ANN, star.id, favourite=True)
        for text in ("One.", "Two."):
            await place.speak(text)
        await place.speak("Another's.", BEN)
        assert await place.history.clear(ANN) == 2
        assert [entry.output for entry in await place.found()] == [kept.id]
        assert len(await place.found(BEN)) == 1
        assert len(list(place.outputs.folder.glob("*.pcm"))) == 2

    play(scene)


def test_without_days_nothing_is_written_down(play: Play) -> None:
    async def scene(place: Place) -> None:
        await place.speak("Secret.")
        assert await place.found() == []

    play(scene, days=0)


def test_the_oldest_of_too_many_go_but_never_a_favourite(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(place: Place) -> None:
        monkeypatch.setattr(entry_table, "MOST_EACH", 3)
        await place.speak("Star.")
        (star,) = await place.found()
        await place.history.change(ANN, star.id, favourite=True)
        for number in range(5):
            await place.speak(f"{number}.")
        assert [entry.text for entry in await place.found()] == ["4.", "3.", "2.", "Star."]

    play(scene)


def test_a_damaged_file_is_put_aside_and_the_next_result_is_written_down(play: Play) -> None:
    async def scene(place: Place) -> None:
        await place.speak("Before.")
        kept = await place.speak("Star.")
        star = (await place.found(words="star"))[0]
        await place.history.change(ANN, star.id, favourite=True)
        place.history._forget()
        for path in place.file.parent.glob("history.sqlite3*"):
            path.write_bytes(b"not a database" * 999)
        await place.speak("After.")
        assert [entry.text for entry in await place.found()] == ["After."]
        assert len(list(place.file.parent.glob("history.sqlite3.broken-*"))) == 1
        place.age(days=2)
        await place.history.clean()
        place.outputs.clean()
        assert place.outputs.get(kept.id), "the sound of the lost favourite waits for whoever mends the file"

    play(scene)


def test_a_file_that_cannot_be_written_costs_the_history_and_not_the_sound(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(place: Place) -> None:
        place.file.mkdir()  # no file can be there
        recording = await place.speak("Still heard.")
        with pytest.raises(EngineFailed):
            await place.found()
        assert place.outputs.get(recording.id).samples == 24_000
        assert "missing in the history" in caplog.text

    play(scene)


def test_an_exemption_that_no_favourite_stands_for_is_taken_back(play: Play) -> None:
    async def scene(place: Place) -> None:
        recording = await place.speak("Crashed between two writes.")
        assert await place.found()
        mark = place.outputs.folder / f"{recording.id}.keep"
        mark.touch()
        await place.history.clean()
        assert mark.exists(), "it may be of a favourite that is being written"
        place.age(days=0.1)
        await place.history.clean()
        assert not mark.exists()

    play(scene)


def test_presets_are_their_owners_unless_they_are_shared(play: Play) -> None:
    async def scene(place: Place) -> None:
        history = place.history
        calm = await history.add_preset(ANN, "Calm", {"voice": "a"}, False)
        await history.add_preset(BEN, "Calm", {"voice": "b"}, False)
        with pytest.raises(Conflict, match="Calm"):
            await history.add_preset(ANN, "Calm", {}, False)
        assert [preset.settings["voice"] for preset in await history.presets(BEN)] == ["b"]
        await history.change_preset(ANN, calm.id, shared=True, settings={"voice": "c"})
        assert [preset.settings["voice"] for preset in await history.presets(BEN)] == ["b", "c"]
        for asked in (history.change_preset(BEN, calm.id, name="Mine"), history.delete_preset(BEN, calm.id)):
            with pytest.raises(NotFound):
                await asked
        await history.delete_preset(ANN, calm.id)
        assert await history.presets(ANN) == []

    play(scene)


def test_the_clips_of_favourites_and_presets_are_wanted(play: Play) -> None:
    async def scene(place: Place) -> None:
        voice, felt, other = ("a" * 64, "b" * 64, "c" * 64)
        await place.history.add_preset(ANN, "Own", {"voice": f"clip:{voice}"}, False)
        await place.speak("One.", voice="x", emotion=Emotion(clip=felt))
        (entry,) = await place.found()
        await place.speak("Two.", voice=f"clip:{other}")
        assert await place.history.clips() == {voice}
        await place.history.change(ANN, entry.id, favourite=True)
        assert await place.history.clips() == {voice, felt}

    play(scene)
