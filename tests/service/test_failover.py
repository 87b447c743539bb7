"""Failover between two test engines: what goes to the backup, in which voice, and how the first comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.app import build_service
from index_tts_ui.breaker import Breaker
from index_tts_ui.config import Config
from index_tts_ui.errors import BadConfig, Invalid, NotFound, NotReady
from index_tts_ui.sample_voices import STATEMENT
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Emotion, Ended, Event, Owner, SegmentReady, SpeechRequest, Started
from tests.recordings import MINE, recording

ME = Owner("me")
DEAF = "step_ms=1,backup.deaf=1"  # the backup speaks what fails the first engine
SAD = Emotion(vector=(0, 0, 0.5, 0, 0, 0, 0, 0))


@contextlib.asynccontextmanager
async def serving(
    home: Path, options: str = DEAF, wait: bool = True, **settings: Any
) -> AsyncIterator[SpeechService]:
    """A cloning engine with one voice, Anna, and a backup that clones none."""
    given = {"engine": "tone-clone", "backup": "tone", **settings}
    service = build_service(Config(home=str(home), engine_options=options, **given))
    service.host.start()
    try:
        await service.add_voice(recording(), "Anna", statement=MINE, owner=ME)
        async with asyncio.timeout(60):
            while wait and service.status().state != "ready":
                await asyncio.sleep(0.01)
            yield service
    finally:
        await service.close()


async def until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait for it."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"after {seconds:g} s still not: {what}") from None


async def spoken(service: SpeechService, request: SpeechRequest) -> list[Event]:
    """All of a request's events."""
    handle = await service.submit(request, ME)
    async with asyncio.timeout(60):
        return [event async for event in handle.events()]


def engines(events: list[Event]) -> list[str]:
    """Who started to speak it, in order."""
    return [event.engine for event in events if isinstance(event, Started)]


def error(events: list[Event]) -> str:
    """The code that it ended with; "" where all was spoken, each segment once and in order."""
    end = events[-1]
    assert isinstance(end, Ended)
    if end.error is None:
        heard = [event.index for event in events if isinstance(event, SegmentReady)]
        last = [event for event in events if isinstance(event, Started)][-1]
        assert heard == list(range(len(last.segments)))
    return "" if end.error is None else end.error.code


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("mute", "long", "oom", "fail")]


@pytest.mark.parametrize("command", ["nan", "crash", *SLOW])
def test_what_the_first_engine_fails_at_the_backup_speaks(tmp_path: Path, command: str) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            assert [one.state for one in service.status().backends] == ["ready", "asleep"]
            events = await spoken(service, SpeechRequest(f"Some words [[{command}]]. And more of them."))
            assert engines(events) == ["tone-clone", "tone"] and error(events) == ""
            notice = [event for event in events if isinstance(event, Started)][-1].notice
            assert notice is not None and "'tone' speaks this in the voice 'tone-b'" in notice.message()
            assert "tone-b" in notice.message("zh") and "朗读" in notice.message("zh")
            good = await spoken(service, SpeechRequest("Some other words."))
            assert engines(good) == ["tone-clone"] and error(good) == ""

    asyncio.run(go())


@pytest.mark.slow
def test_a_hang_is_ended_and_the_backup_speaks(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, timeout=0.5) as service:
            events = await spoken(service, SpeechRequest("Some words [[hang]]."))
            assert engines(events) == ["tone-clone", "tone"] and error(events) == ""

    asyncio.run(go())


def test_nobodys_voice_is_taken_for_another_unless_the_request_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            clip = (await service.add_clip(recording(3))).key
            ask = SpeechRequest("One [[fail]].", voice="Anna")
            assert error(await spoken(service, ask)) == "engine_failed"
            assert error(await spoken(service, replace(ask, voice=f"clip:{clip}"))) == "engine_failed"
            assert engines(await spoken(service, replace(ask, fallback="any"))) == ["tone-clone", "tone"]
            # named by no person: a stock name, or none at all
            stock = await spoken(service, replace(ask, stand_in="tone-a"))
            assert engines(stock) == ["tone-clone", "tone"]
            assert isinstance(stock[-2], SegmentReady)
            started = [event for event in stock if isinstance(event, Started)][-1]
            assert started.notice is not None and started.notice.facts["voice"] == "tone-a"
            # an emotion that the backup lacks
            sad = replace(ask, voice="", emotion=SAD)
            assert error(await spoken(service, sad)) == "engine_failed"
            plain = await spoken(service, replace(sad, fallback="any"))
            started = [event for event in plain if isinstance(event, Started)][-1]
            assert started.notice is not None and started.notice.code == "backup_speaks_plainly"

    asyncio.run(go())


def test_a_sample_voice_is_the_backups_own_voice(tmp_path: Path) -> None:
    """Kokoro made it: it speaks on in that voice, and no other voice of that name does."""

    async def go() -> None:
        service = build_service(Config(home=str(tmp_path), engine="tone-clone", backup="kokoro"))
        try:
            await service.add_voice(recording(1), "Heart", statement=STATEMENT, owner=ME)
            await service.add_voice(recording(2), "Michael", statement=MINE, owner=ME)
            for name, expected in (("Heart", "af_heart"), ("Michael", "")):
                refs = service.voice_store.resolve(name)
                stored = service.failover._stored(refs)
                assert stored is not None
                from index_tts_ui.sample_voices import source_of

                assert source_of(stored) == expected
        finally:
            await service.close()

    asyncio.run(go())


@pytest.mark.slow
def test_after_its_first_sound_a_request_stays_where_it_is(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, DEAF + ",rows=1,ahead=0") as service:
            events = await spoken(service, SpeechRequest("Some good words. And then [[fail]] it."))
            assert engines(events) == ["tone-clone"] and error(events) == "engine_failed"

    asyncio.run(go())


@pytest.mark.slow
def test_bad_segments_say_nothing_of_the_engine(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            primary = service.failover.backends[0]
            primary.breaker = Breaker(primary.breaker._clock, limit=1)
            for _ in range(2):
                events = await spoken(service, SpeechRequest("One [[fail]]."))
                assert engines(events) == ["tone-clone", "tone"]
            assert primary.breaker.state == "closed"

    asyncio.run(go())


@pytest.mark.slow
def test_a_bad_result_is_tried_once_more_with_another_seed(tmp_path: Path) -> None:
    async def go() -> None:
        record = tmp_path / "received.jsonl"
        async with serving(tmp_path, f"record={record}", backup="none") as service:
            assert error(await spoken(service, SpeechRequest("One [[nan]].", seed=7))) == "bad_samples"
            assert [line.split('"seed": ')[1][0] for line in record.read_text().splitlines()] == ["7", "8"]

    asyncio.run(go())


@pytest.mark.slow
def test_a_request_on_its_way_to_the_backup_can_be_cancelled(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, DEAF + ",backup.load_ms=3000") as service:
            handle = await service.submit(SpeechRequest("One [[fail]].", id="mine"), ME)
            await until(lambda: len(service.failover.backends[1].scheduler.jobs) == 1, "it is the backup's")
            assert service.find(ME, "mine").turn == 1
            service.cancel(ME, "mine", "test")
            async with asyncio.timeout(5):
                events = [event async for event in handle.events()]
            assert error(events) == "cancelled"
            await until(lambda: not service.failover.busy, "nothing is left of it")

    asyncio.run(go())


def test_a_dying_engine_gets_nothing_for_a_while_and_is_then_tried(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            primary, backup = service.failover.backends
            primary.breaker = Breaker(primary.breaker._clock, limit=2, rest=1.5)
            for _ in range(2):
                assert error(await spoken(service, SpeechRequest("One [[oom]]."))) == ""
            assert service.failover.stands_in and service.status().ready
            # whose voice is theirs alone waits for the trial; all others need not wait
            anna = asyncio.create_task(spoken(service, SpeechRequest("Anna speaks.", voice="Anna")))
            events = await spoken(service, SpeechRequest("Anybody speaks."))
            assert engines(events) == ["tone"] and not anna.done()
            assert service.status().backends[0].breaker == "open"
            assert engines(await anna) == ["tone-clone"]
            assert primary.breaker.state == "closed" and not service.failover.stands_in
            assert engines(await spoken(service, SpeechRequest("Anybody."))) == ["tone-clone"]
            assert backup.scheduler.running == primary.scheduler.running == 0

    asyncio.run(go())


@pytest.mark.slow
def test_what_waits_behind_a_dying_engine_moves_to_the_backup(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, "step_ms=20,rows=1,ahead=0,backup.deaf=1") as service:
            primary = service.failover.backends[0]
            primary.breaker = Breaker(primary.breaker._clock, limit=1, rest=60)
            first = asyncio.create_task(spoken(service, SpeechRequest("Ten words or more [[oom]].")))
            await until(lambda: service.status().running, "the first runs")
            others = [asyncio.create_task(spoken(service, SpeechRequest(f"Word {n}."))) for n in range(3)]
            assert engines(await first) == ["tone-clone", "tone"]
            told = await asyncio.gather(*others)
            assert [error(events) for events in told] == [""] * 3
            # the engine took one more before it told of the failure
            assert sorted(engines(events)[0] for events in told)[:2] == ["tone", "tone"]

    asyncio.run(go())


def test_an_engine_that_cannot_be_loaded_leaves_the_service_to_the_backup_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index_tts_ui.host.PATIENCE", 2)
    broken = tmp_path / "broken"
    broken.touch()

    async def go() -> None:
        async with serving(tmp_path, f"broken={broken},backup.deaf=1", wait=False) as service:
            early = asyncio.create_task(spoken(service, SpeechRequest("Early.", wait_ready=True)))
            await until(lambda: service.failover.stands_in, "the backup stands in")
            assert engines(await early) == ["tone"] and error(await early) == ""
            assert engines(await spoken(service, SpeechRequest("Late."))) == ["tone"]
            status = service.status()
            assert status.ready and service.gave_up is None
            assert [one.state for one in status.backends] == ["down", "ready"]
            assert "broken" in status.backends[0].reason
            with pytest.raises(NotReady):
                await service.submit(SpeechRequest("Hers.", voice="Anna"), ME)
            broken.unlink()
            await until(lambda: service.status().state == "ready", "the first engine is back")
            assert engines(await spoken(service, SpeechRequest("Again."))) == ["tone-clone"]

    asyncio.run(go())


@pytest.mark.slow
def test_where_neither_engine_can_be_had_the_service_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index_tts_ui.host.PATIENCE", 1)
    (tmp_path / "broken").touch()

    async def go() -> None:
        both = f"broken={tmp_path}/broken,backup.broken={tmp_path}/broken"
        async with serving(tmp_path, both, wait=False) as service:
            handle = await service.submit(SpeechRequest("Early.", wait_ready=True), ME)
            await until(lambda: service.gave_up is not None, "it gives up")
            assert service.gave_up == 1 and not service.status().ready
            async with asyncio.timeout(10):
                events = [event async for event in handle.events()]
            assert error(events) == "engine_down"

    asyncio.run(go())


def test_without_any_voice_who_names_none_is_spoken_by_the_backup_that_stands_in(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path) as service:
            await service.delete_voice("anna")
            with pytest.raises(Invalid) as refused:
                await service.submit(SpeechRequest("Anybody."), ME)
            assert refused.value.code == "no_voice"
            primary = service.failover.backends[0]
            primary.breaker = Breaker(primary.breaker._clock, limit=1, rest=60)
            primary.breaker.failed()
            assert service.failover.stands_in
            service.check(SpeechRequest("Anybody."), ME)
            for stand_in in (None, "tone-b"):
                events = await spoken(service, SpeechRequest("Anybody.", stand_in=stand_in))
                assert engines(events) == ["tone"] and error(events) == ""
            with pytest.raises(NotFound):
                await service.submit(SpeechRequest("Hers.", voice="Anna"), ME)

    asyncio.run(go())


def test_a_backup_that_is_no_engine_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="backup"):
        build_service(Config(home=str(tmp_path), engine="tone", backup="nothing"))
