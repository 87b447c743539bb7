"""Clips on their way to an upstream: brought once, again where that failed, and to nobody's cost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.errors import Invalid, NotFound
from index_tts_ui.remote import voicing
from index_tts_ui.remote.answers import Failed
from index_tts_ui.remote.client import Client
from index_tts_ui.remote.meeting import meet
from index_tts_ui.remote.voicing import Voicing
from index_tts_ui.speech import Segment, VoiceRef

from .fake import Asked, Fake, Reply, as_json, ours, told, wav
from .place import asked, job, placed, segment, spoken_by, until
from .test_link import error_of

SHA = "ab" * 32
CLIP = (VoiceRef("clip", SHA),)
TOLD = "clip:" + "ef" * 32


def cloned(folder: Path, fake: Fake, *segments: Segment) -> list[str]:
    """The last parts of what ``fake`` was asked for while they were spoken, one after the other."""

    async def work(client: Client, given: Any) -> list[str]:
        about = (await meet(client, given)).about
        fake.asked.clear()
        speaking = Voicing(client, given, about, folder)
        for one in segments:
            try:
                await speaking.speak(one)
            except Failed:
                pass
        await speaking.close()
        return [one.path.rpartition("/")[2] for one in fake.asked]

    found: list[str] = asked(fake, work)
    return found


def test_a_clip_that_could_not_be_brought_is_brought_the_next_time(tmp_path: Path) -> None:
    (tmp_path / f"{SHA}.wav").write_bytes(wav())
    fake = ours(Fake())
    fake.routes["/v1/audio/clips"] = told(500)
    one = segment(voices=CLIP)
    assert cloned(tmp_path, fake, one, one) == ["clips", "clips"]
    fake.routes["/v1/audio/clips"] = (201, *as_json({"id": TOLD})[1:])
    assert cloned(tmp_path, fake, one, one) == ["clips", "speech", "speech"]
    fake.routes["/v1/audio/clips"] = as_json({"id": "somewhere"})
    assert cloned(tmp_path, fake, one) == ["clips"]


def test_few_clips_are_kept_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicing, "KEPT", 1)
    names = ("ab" * 32, "cd" * 32)
    for name in names:
        (tmp_path / f"{name}.wav").write_bytes(wav())
    fake = ours(Fake())
    fake.routes["/v1/audio/clips"] = as_json({"id": TOLD})
    first, second = (segment(voices=(VoiceRef("clip", name),)) for name in names)
    assert cloned(tmp_path, fake, first, second, first) == ["clips", "speech"] * 3


def test_who_gives_up_takes_no_clip_from_the_others(tmp_path: Path) -> None:
    (tmp_path / f"{SHA}.wav").write_bytes(wav())
    gate = asyncio.Event()

    class Slow(Fake):
        async def _reply(self, request: Asked, reader: asyncio.StreamReader) -> Reply | None:
            if request.path == "/v1/audio/clips":
                await gate.wait()
            return await super()._reply(request, reader)

    fake = ours(Slow())
    fake.routes["/v1/audio/clips"] = as_json({"id": TOLD})

    async def work(client: Client, given: Any) -> list[str]:
        speaking = Voicing(client, given, (await meet(client, given)).about, tmp_path)
        fake.asked.clear()
        first, second = (asyncio.create_task(speaking.speak(segment(voices=CLIP))) for _ in range(2))
        await until(lambda: fake.asked, 5, "no clip was sent")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        gate.set()
        assert (await second).seconds > 0
        await speaking.close()
        return [one.path.rpartition("/")[2] for one in fake.asked]

    assert asked(fake, work) == ["clips", "speech"]


def test_a_clip_that_is_nowhere_is_the_segments_own_fault(tmp_path: Path) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake())) as (scheduler, pool):
            request = job("Only one.")
            request.segments = [
                Segment(one.id, one.text, one.spoken, one.tokens, one.language, CLIP)
                for one in request.segments
            ]
            error = error_of(await spoken_by(scheduler, request))
            assert isinstance(error, (Invalid, NotFound)) and error.code == "clip_not_found"
            assert error.facts["clip"].startswith(SHA[:8]) and request.retries == {}
            assert error_of(await spoken_by(scheduler, job("Another."))) is None
            assert pool.workers()[0].stats["rows"] == 0, "its place is free again"

    asyncio.run(go())


def test_a_clip_that_is_on_its_way_is_left_with_the_link(tmp_path: Path) -> None:
    """``placed`` finds what would be left."""
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / f"{SHA}.wav").write_bytes(wav())

    class Stuck(Fake):
        async def _reply(self, request: Asked, reader: asyncio.StreamReader) -> Reply | None:
            if request.path == "/v1/audio/clips":
                await reader.read(1)
                return None
            return await super()._reply(request, reader)

    async def go() -> None:
        fake = ours(Stuck())
        async with placed(tmp_path, fake, seconds=60) as (scheduler, _):
            request = job("Only one.")
            request.segments = [
                Segment(one.id, one.text, one.spoken, one.tokens, "en", (VoiceRef("clip", SHA),))
                for one in request.segments
            ]
            scheduler.submit(request)
            await until(lambda: fake.asked[-1].path == "/v1/audio/clips", 5, "no clip was sent")
            scheduler.cancel(request, Invalid("empty_text"))
            await until(lambda: scheduler.running == 0, 5, "still running")

    asyncio.run(go())
