"""After trouble: what one user's bad text, a full or dead server, or a bug of ours costs the others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.errors import EngineFailed, Invalid
from index_tts_ui.remote import voicing
from index_tts_ui.speech import Segment

from .fake import Asked, Fake, Reply, as_json, ours, sound, speaks, told
from .place import job, listen, placed, spoken_by, until
from .test_link import error_of, never, replying

SHA = "ab" * 32


def cloud(fake: Fake) -> Fake:
    """``fake`` as a server of which nothing is known but its models: it is asked once in half a minute."""
    fake.routes["/v1/models"] = as_json({"data": [{"id": "tts-1", "owned_by": "cloud"}]})
    return fake


def test_texts_that_are_refused_bring_no_rest(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(replying(told(400, "odd"))))
        async with placed(tmp_path, fake, concurrency=4) as (scheduler, pool):
            for _ in range(5):
                assert isinstance(error_of(await spoken_by(scheduler, job("Only one."))), Invalid)
            assert pool.workers()[0].stats["window"] == 4 and "rest_s" not in pool.workers()[0].stats
            fake.speak = speaks
            assert error_of(await spoken_by(scheduler, job("Only one."))) is None

    asyncio.run(go())


@pytest.mark.slow
def test_sound_opens_the_window_again(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(replying(told(429, retry_after="0.1"), sound())))
        async with placed(tmp_path, fake, concurrency=2) as (scheduler, pool):
            assert error_of(await spoken_by(scheduler, job("Only one."))) is None
            for _ in range(3):
                assert error_of(await spoken_by(scheduler, job("Only one."))) is None
            await until(lambda: pool.workers()[0].stats["window"] == 2, 5, "it stays narrow")

    asyncio.run(go())


def test_failures_with_sound_between_them_bring_no_rest(tmp_path: Path) -> None:
    async def go() -> None:
        bad = told(500, "once in a while")
        fake = ours(Fake(replying(*[bad, sound()] * 5)))
        async with placed(tmp_path, fake, concurrency=1) as (scheduler, pool):
            for _ in range(5):
                assert error_of(await spoken_by(scheduler, job("Only one."))) is None
                assert "rest_s" not in pool.workers()[0].stats

    asyncio.run(go())


@pytest.mark.slow
def test_a_rest_ends_by_itself_also_where_nobody_is_asked(tmp_path: Path) -> None:
    async def go() -> None:
        fake = cloud(Fake(replying(told(429, retry_after="0.3"), sound())))
        async with placed(tmp_path, fake, concurrency=1) as (scheduler, _):
            assert error_of(await spoken_by(scheduler, job("Only one."), 8)) is None

    asyncio.run(go())


def test_the_death_of_one_that_is_seldom_asked_is_noticed_by_its_silence(tmp_path: Path) -> None:
    async def go() -> None:
        fake = cloud(Fake(never))
        async with placed(tmp_path, fake, seconds=60, concurrency=1) as (scheduler, pool):
            request = job("Only one.")
            scheduler.submit(request)
            await until(lambda: fake.spoken, 5, "nothing was sent")
            await fake.stop()
            await until(lambda: pool.hosts[0].state == "restarting", 8, "nobody noticed")
            scheduler.cancel(request, Invalid("empty_text"))

    asyncio.run(go())


def test_one_that_drains_is_sent_nothing_more(tmp_path: Path) -> None:
    async def go() -> None:
        gate = asyncio.Event()

        async def waits(asked: Asked) -> Reply:
            await gate.wait()
            return sound()

        leaving, other = ours(Fake(waits)), ours(Fake(waits))
        async with placed(tmp_path, leaving, other, concurrency=4) as (scheduler, pool):
            first = [job("Only one.") for _ in range(2)]
            for request in first:
                scheduler.submit(request)
            await until(lambda: len(leaving.spoken) == len(other.spoken) == 1, 5, "not all were sent")
            ours(leaving, ready=False, state="draining")
            link: Any = pool.hosts[0]._link
            link._watch.doubt.set()
            await until(lambda: not link._state.ready, 5, "not noticed")
            more = [job("Only one.") for _ in range(3)]
            for request in more:
                scheduler.submit(request)
            await until(lambda: len(other.spoken) == 4, 5, "the other one does not get them")
            assert len(leaving.spoken) == 1
            gate.set()
            for request in (*first, *more):
                assert error_of(await listen(request)) is None and request.retries == {}

    asyncio.run(go())


@pytest.mark.slow
def test_a_bug_of_ours_ends_the_request_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = voicing.body

    def bad(segment: Segment, *more: Any) -> dict[str, Any]:
        if "bug" in segment.text:
            raise ZeroDivisionError
        return good(segment, *more)

    monkeypatch.setattr(voicing, "body", bad)

    async def go() -> None:
        async with placed(tmp_path, ours(Fake()), concurrency=1) as (scheduler, pool):
            error = error_of(await spoken_by(scheduler, job("A bug."), 10))
            assert isinstance(error, EngineFailed) and "ZeroDivisionError" in error.message()
            await until(lambda: error_free(pool), 5, "it rests for ever")
            assert error_of(await spoken_by(scheduler, job("Only one."), 10)) is None

    def error_free(pool: Any) -> bool:
        return bool(pool.workers()[0].stats["rows"] == 0)

    asyncio.run(go())


def test_the_first_reason_of_an_end_is_the_one_that_is_told(tmp_path: Path) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake())) as (_, pool):
            reasons: list[str] = []
            pool.on_ended(lambda device, reason: reasons.append(reason))
            link: Any = pool.hosts[0]._link
            link.kill("it fell silent")
            link.kill("closed")
            await until(lambda: reasons, 5, "no end is told")
            assert reasons == ["it fell silent"]

    asyncio.run(go())


def test_what_one_has_is_known_as_soon_as_it_is_met(tmp_path: Path) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake(), ("tone-a", "anna"))) as (_, pool):
            link: Any = pool.hosts[0]._link
            assert [voice.id for voice in link._catalogue.voices()] == ["tone-a", "anna"]

    asyncio.run(go())
