"""The desk and what goes on behind it, in this process, with a real worker of the tone engine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from index_tts_ui.jobs import Job, JobDesk, NewJob, NewLine, sound
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Owner

from ..service.test_service import serving

ANNA, BERT = Owner("anna"), Owner("bert")
TAKE = {"voice": "tone-a", "speed": 1.0}


@contextlib.asynccontextmanager
async def speaking(
    home: Path, options: str, **settings: object
) -> AsyncIterator[tuple[SpeechService, JobDesk]]:
    """A service, and a desk that has started."""
    async with serving(home, options, **settings) as service:
        desk = JobDesk(service, service.config.jobs)
        await desk.start()
        try:
            yield service, desk
        finally:
            await desk.stop()


def new(*texts: str) -> NewJob:
    """A job of these lines."""
    return NewJob(tuple(NewLine(text) for text in texts), TAKE)


async def until(desk: JobDesk, job: Job, condition: Callable[[Job], bool]) -> Job:
    """Wait for the job to be so."""
    async with asyncio.timeout(30):
        while not condition(found := await desk.get(Owner(job.owner), job.id)):
            await asyncio.sleep(0.02)
    return found


def test_a_short_job_of_another_owner_does_not_wait_for_a_long_one(tmp_path: Path) -> None:
    async def go() -> None:
        async with speaking(tmp_path, "rows=1,step_ms=2,ahead=0") as (_, desk):
            long, _ = await desk.create(new(*["Some twenty characters."] * 60), ANNA)
            await until(desk, long, lambda job: job.done >= 2)
            short, _ = await desk.create(new("Short one.", "Short two."), BERT)
            await until(desk, short, lambda job: job.ended)
            found = await desk.get(ANNA, long.id)
            assert found.done < 30 and desk.eta(found)
            await desk.cancel(ANNA, long.id)

    asyncio.run(go())


def test_a_full_disk_pauses_the_job_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failing = sound.keep, [True]

    def keep(*arguments: object) -> None:
        if failing[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sound, "keep", keep)

    async def go() -> None:
        async with speaking(tmp_path, "step_ms=0") as (_, desk):
            job, _ = await desk.create(new("One.", "Two."), ANNA)
            paused = await until(desk, job, lambda job: job.state == "paused")
            assert paused.error and paused.error["code"] == "disk_full" and paused.done == 0
            failing[0] = False
            await desk.resume(ANNA, job.id)
            done = await until(desk, job, lambda job: job.ended)
            assert (done.state, done.done, done.error) == ("done", 2, None)

    asyncio.run(go())


def test_a_stop_does_not_wait_for_jobs_but_finishes_what_the_engine_has(tmp_path: Path) -> None:
    async def go() -> None:
        async with speaking(tmp_path, "rows=1,step_ms=100,ahead=0") as (service, desk):
            job, _ = await desk.create(new(*["Eight ch"] * 40), ANNA)
            before = await until(desk, job, lambda job: job.done >= 1)
            assert await service.drain(20) == 0, "nothing had to be cut off"
            found = await desk.get(ANNA, job.id)
            assert found.state == "running" and found.failed == 0
            assert found.done <= before.done + 1, "only what had begun"

    asyncio.run(go())


def test_who_follows_a_paused_job_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async def go() -> None:
        async with speaking(tmp_path, "step_ms=0") as (service, desk):
            job, _ = await desk.create(new("One."), ANNA)
            await desk.pause(ANNA, job.id)
            told = desk.follow(await desk.get(ANNA, job.id))
            assert (await anext(told))[0].state == "paused"
            await service.drain(0)
            async with asyncio.timeout(5):
                assert [item async for item in told] == []

    asyncio.run(go())


def test_finished_jobs_go_after_their_time_or_when_there_are_too_many(tmp_path: Path) -> None:
    async def go() -> None:
        async with speaking(tmp_path, "step_ms=0", jobs_mb=1) as (_, desk):
            old, full, kept = [(await desk.create(new(f"Job {n}."), ANNA))[0] for n in range(3)]
            for job in (old, full, kept):
                await until(desk, job, lambda job: job.ended)
            (desk.folder(full.id) / "more.pcm").write_bytes(bytes(2 << 20))
            (desk.folder() / "job-nobody").mkdir()
            assert desk._db is not None

            def age() -> None:
                with desk._db.change() as db:  # type: ignore[union-attr]
                    for job, days in ((old, 30.0), (full, 2.0), (kept, 1.0)):
                        then = time.time() - days * 86_400
                        db.execute("UPDATE jobs SET finished = ? WHERE id = ?", (then, job.id))

            await desk.ask(age)
            await desk._keeper._clean()
            assert [job.id for job in await desk.page(ANNA, 10)] == [kept.id]
            assert {path.name for path in desk.folder().glob("job-*")} == {kept.id}

    asyncio.run(go())


def test_a_job_that_is_cancelled_leaves_nothing_running(tmp_path: Path) -> None:
    async def go() -> None:
        async with speaking(tmp_path, "rows=4,step_ms=50") as (service, desk):
            job, _ = await desk.create(new(*["A rather long line to speak."] * 20), ANNA)
            async with asyncio.timeout(20):
                while not service.status().running:
                    await asyncio.sleep(0.01)
            await desk.cancel(ANNA, job.id)
            async with asyncio.timeout(5):
                while service.status().running or service.status().waiting:
                    await asyncio.sleep(0.01)
            found = await desk.get(ANNA, job.id)
            assert (found.state, found.failed) == ("cancelled", 0)

    asyncio.run(go())
