"""Several real workers behind one scheduler: deaths, devices that fail, rest and waking."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import psutil
import pytest

from index_tts_ui.engines.base import is_device_failure
from index_tts_ui.errors import EXIT_DEVICE, EngineFailed, NotReady
from index_tts_ui.pool import WorkerPool
from index_tts_ui.speech import Queued

from .bench import ended, indices, job, listen, pooled, until

TWO = ("cuda:0", "cuda:1")


def _children() -> set[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return {one for one in children if one.status() != psutil.STATUS_ZOMBIE}


async def _speak(scheduler: object, text: str = "Some words. And more. The end.", owner: str = "a") -> None:
    request = job(text, owner=owner)
    scheduler.submit(request)  # type: ignore[attr-defined]
    events = await listen(request, 60)
    assert ended(events).error is None, ended(events).error
    assert indices(events) == list(range(len(request.segments)))


def test_both_workers_speak_one_long_text_and_it_comes_in_order() -> None:
    async def go() -> None:
        async with pooled("step_ms=4,ahead=0", rows=2, devices=TWO) as (scheduler, pool):
            # a worker that is ready says what it takes a moment later
            await until(lambda: [lane.credit for lane in scheduler._lanes] == [2, 2], 30, "no credit")
            request = job("This is one sentence. " * 24)
            scheduler.submit(request)
            reader = asyncio.create_task(listen(request))
            seen = [0, 0]
            while not reader.done():
                for index, worker in enumerate(pool.workers()):
                    seen[index] = max(seen[index], worker.running)
                await asyncio.sleep(0.005)
            assert indices(reader.result()) == list(range(24))
            assert seen == [2, 2], "each worker was given as much as it takes"
            assert [worker.device for worker in pool.workers()] == list(TWO)
            assert {host.stats["device"] for host in pool.hosts} == set(TWO)

    asyncio.run(go())


async def _under_load(pool: WorkerPool, scheduler: object, kills: int) -> None:
    """One of the two is killed again and again while users ask; the other must not notice."""
    dice = random.Random(kills)
    stop = asyncio.Event()
    served = 0

    async def user(name: int) -> None:
        nonlocal served
        while not stop.is_set():
            await _speak(scheduler, owner=str(name))
            served += 1

    users = [asyncio.create_task(user(number)) for number in range(8)]
    victim, other = pool.hosts
    pid = other.pid
    for _ in range(kills):
        await until(
            lambda: victim.state == "ready" or any(one.done() for one in users), 60, "no worker came back"
        )
        await asyncio.sleep(dice.uniform(0.02, 0.1))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        await until(lambda: victim.state != "ready", 20, "its death was not seen")
        assert pool.state == "ready", "one worker is enough"
        goal = served + 4
        await until(
            lambda goal=goal: served >= goal or any(one.done() for one in users),
            60,
            "nobody was served meanwhile",
        )
    stop.set()
    await asyncio.gather(*users)
    assert victim.restarts == kills and (other.restarts, other.pid) == (0, pid)


def test_a_killed_worker_costs_the_other_nothing_and_no_segment_is_lost() -> None:
    async def go() -> None:
        async with pooled("step_ms=2,char_ms=5,load_ms=300", rows=4, devices=TWO) as (scheduler, pool):
            await _under_load(pool, scheduler, 3)

    asyncio.run(go())


@pytest.mark.slow
def test_fifty_kills_of_one_worker_cost_the_other_nothing() -> None:
    async def go() -> None:
        async with pooled("step_ms=1,char_ms=5", rows=4, devices=TWO) as (scheduler, pool):
            await _under_load(pool, scheduler, 50)

    asyncio.run(go())


def test_only_the_segment_whose_device_fails_each_time_is_given_up() -> None:
    async def go() -> None:
        async with pooled("step_ms=1", devices=TWO) as (scheduler, pool):
            bad, good = job("Bad [[device]] words."), [job("Fine.", owner=str(n)) for n in range(6)]
            for request in [*good[:3], bad, *good[3:]]:
                scheduler.submit(request)
            error = ended(await listen(bad)).error
            assert isinstance(error, EngineFailed) and error.code == "segment_killed_engine"
            for events in await asyncio.gather(*map(listen, good)):
                assert ended(events).error is None and indices(events) == [0]
            assert any("the device failed: DeviceFailed" in host.reason for host in pool.hosts)
            assert any(host._death and host._death.exit_code == EXIT_DEVICE for host in pool.hosts)
            assert sum(host.restarts for host in pool.hosts) in (2, 3)

    asyncio.run(go())


def test_a_device_that_is_not_there_is_given_up_and_the_other_serves() -> None:
    async def go() -> None:
        async with pooled("refuse=cuda:7", devices=("cuda:0", "cuda:7")) as (scheduler, pool):
            await _speak(scheduler)
            missing = pool.workers()[1]
            assert (missing.state, missing.restarts) == ("down", 1) and "there is no cuda:7" in missing.reason
            assert pool.state == "ready" and pool.gave_up is None

    asyncio.run(go())


def test_where_no_device_can_be_had_it_is_over_with_78() -> None:
    async def go() -> None:
        async with pooled("refuse=cuda:7", devices=("cuda:7",)) as (_, pool):
            await until(lambda: pool.gave_up is not None, 10, "it was not given up")
            assert pool.gave_up == 78 and pool.state == "down" and "there is no cuda:7" in pool.reason

    asyncio.run(go())


@pytest.mark.slow
def test_six_failed_loads_of_all_end_it_and_nobody_waits_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index_tts_ui.host.BACKOFF_FIRST", 0.001)
    monkeypatch.setattr("index_tts_ui.host.PATIENCE", 2)

    async def go() -> None:
        async with pooled("step_ms=1", devices=("a", "b")) as (scheduler, pool):
            for host in pool.hosts:  # from here on their loads fail
                host._plan.arguments.append("--no-such-flag")  # type: ignore[attr-defined]
            first, second = pool.hosts
            assert first.pid is not None and second.pid is not None
            os.kill(first.pid, signal.SIGKILL)
            await until(lambda: first.exhausted, 60, "its loads did not fail")
            assert pool.gave_up is None and pool.state == "ready"
            await _speak(scheduler)
            waiting = job("Fine.")
            os.kill(second.pid, signal.SIGKILL)
            await until(lambda: pool.state != "ready", 20, "its death was not seen")
            scheduler.submit(waiting)
            assert isinstance(ended(await listen(waiting, 60)).error, NotReady)
            assert pool.gave_up == 1

    asyncio.run(go())


def test_idle_workers_end_and_the_next_request_wakes_them_and_waits() -> None:
    async def go() -> None:
        others = _children()  # what earlier tests keep running
        async with pooled("step_ms=1,load_ms=500", devices=TWO, keep_alive=0.4) as (scheduler, pool):
            await _speak(scheduler)
            assert len(_children() - others) == 2
            await until(lambda: pool.state == "asleep", 20, "it did not fall asleep")
            await until(lambda: not _children() - others, 10, "a worker, and its memory, stayed")
            assert [worker.state for worker in pool.workers()] == ["asleep"] * 2
            request = job("One. Two.")
            scheduler.submit(request)
            assert pool.state == "waking" and scheduler.waiting == 1
            await until(lambda: 0 < pool.fraction < 1, 20, "the load's progress is not told")
            events = await listen(request, 60)
            assert isinstance(events[0], Queued) and (events[0].position, events[0].eta) == (0, None)
            assert indices(events) == [0, 1] and ended(events).error is None
            assert pool.state == "ready" and pool.restarts == 0

    asyncio.run(go())


@pytest.mark.slow
def test_work_keeps_it_awake_and_a_request_on_the_threshold_of_sleep_is_served() -> None:
    async def go() -> None:
        async with pooled("step_ms=15", keep_alive=0.15) as (scheduler, pool):
            awake = pool.hosts[0].pid
            await _speak(scheduler, "a" * 40)  # far longer than that
            assert pool.hosts[0].pid == awake
            for pause in (0.0, 0.1, 0.15, 0.2, 0.25):
                await asyncio.sleep(pause)
                await _speak(scheduler, "a")
            await until(lambda: pool.state == "asleep", 20, "it did not fall asleep")
            await _speak(scheduler, "a")  # while the old worker is on its way out
            assert pool.restarts == 0

    asyncio.run(go())


@pytest.mark.slow
def test_the_worker_that_loads_after_a_rest_may_die_like_any_other() -> None:
    async def go() -> None:
        async with pooled("step_ms=1,load_ms=1500", keep_alive=0.1) as (scheduler, pool):
            await until(lambda: pool.state == "asleep", 20, "it did not fall asleep")
            old = pool.hosts[0].pid
            speaking = asyncio.create_task(_speak(scheduler))
            await until(lambda: pool.hosts[0].pid not in (None, old), 20, "it did not wake")
            os.kill(pool.hosts[0].pid or 0, signal.SIGKILL)
            await speaking
            assert pool.restarts == 1

    asyncio.run(go())


class AcceleratorError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (AcceleratorError("CUDA error: device-side assert triggered\nand a page of advice"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("CUDA error"), False),
    ],
)
def test_a_failure_of_the_device_is_told_from_a_defect(error: Exception, is_one: bool) -> None:
    assert is_device_failure(error) is is_one


def test_the_worker_is_told_of_clips_and_memory() -> None:
    from index_tts_ui import config, crew

    loaded = config.load(
        {"home": "/h", "engine": "tone", "device": "a,b", "device_memory_mb": "6000", "keep_alive": "60"}, {}
    )
    plans = crew.plans(loaded, "tone", None)
    assert [plan.device for plan in plans] == ["a", "b"]
    line = " ".join(plans[1].arguments)
    for told in (f"--clips {Path('/h/voices/clips')} ", "--memory-mb 6000 ", "--device b"):
        assert told in line
