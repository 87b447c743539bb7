"""The scheduler against a real worker process: order, bounds, cancelling, deadlines, deaths."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from index_tts_ui import links
from index_tts_ui.engines.tone import RATE, _tone
from index_tts_ui.errors import Cancelled, DeadlineExceeded, EngineFailed, Overloaded
from index_tts_ui.scheduler import Limits
from index_tts_ui.speech import SegmentReady, Started

from .bench import ended, indices, job, listen, running, until


def test_a_request_is_delivered_whole_and_in_order() -> None:
    async def go() -> None:
        async with running("step_ms=1") as (scheduler, _):
            request = job("One. Two two. Three three three. Four.")
            scheduler.submit(request)
            events = await listen(request)
            assert indices(events) == [0, 1, 2, 3]
            assert ended(events).error is None
            assert any(isinstance(event, Started) and len(event.segments) == 4 for event in events)
            sound = [event.audio for event in events if isinstance(event, SegmentReady)]
            expected = np.concatenate([_tone(unit, RATE * 60 // 1000) for unit in "Three three three."])
            np.testing.assert_array_equal(sound[2].samples, expected)
            assert not scheduler.jobs and scheduler.running == 0

    asyncio.run(go())


def test_each_of_many_users_gets_their_own_words() -> None:
    async def go() -> None:
        async with running("step_ms=1") as (scheduler, _):
            texts = ["".join(random.Random(n).choices("abcdefghij", k=20)) for n in range(60)]
            requests = [job(text, owner=f"user{n % 7}") for n, text in enumerate(texts)]
            for request in requests:
                scheduler.submit(request)
            for text, events in zip(texts, await asyncio.gather(*map(listen, requests)), strict=True):
                expected = np.concatenate([_tone(unit, RATE * 60 // 1000) for unit in text])
                (sound,) = [event.audio for event in events if isinstance(event, SegmentReady)]
                np.testing.assert_array_equal(sound.samples, expected)

    asyncio.run(go())


def test_a_short_request_slips_in_between_the_segments_of_a_long_one() -> None:
    async def go() -> None:
        async with running("step_ms=5,ahead=0", rows=1) as (scheduler, _):
            book = job("This is one sentence. " * 100)
            scheduler.submit(book)
            reader = asyncio.create_task(listen(book))
            await until(lambda: book.delivered >= 3, 20, "the long request never began")
            before = book.delivered
            short = job("Short one.")
            scheduler.submit(short)
            await listen(short)
            assert book.delivered - before <= 2
            scheduler.cancel(book, Cancelled("cancelled", reason="seen"))
            assert isinstance(ended(await reader).error, Cancelled)

    asyncio.run(go())


def test_a_full_queue_refuses_at_once_and_the_accepted_finish() -> None:
    async def go() -> None:
        limits = Limits(max_waiting=10, segment_timeout=30, queue_timeout=60)
        async with running("step_ms=5,ahead=0", rows=1, limits=limits) as (scheduler, host):
            await until(lambda: host._lane.credit > 0, 5, "nothing was granted")
            requests = [job("Hello there.", owner=str(n)) for n in range(20)]
            accepted = []
            for request in requests:
                try:
                    scheduler.submit(request)
                    accepted.append(request)
                except Overloaded as error:
                    assert error.retry_after is not None and 1 <= error.retry_after <= 120
            assert len(accepted) == 11  # one runs, ten wait
            for events in await asyncio.gather(*map(listen, accepted)):
                assert ended(events).error is None

    asyncio.run(go())


def test_a_cancel_stops_what_runs_and_frees_its_place() -> None:
    async def go() -> None:
        async with running("step_ms=20", rows=1) as (scheduler, _):
            long = job("a" * 60)
            scheduler.submit(long)
            reader = asyncio.create_task(listen(long))
            await until(lambda: scheduler.running == 1, 5, "it never ran")
            scheduler.cancel(long, Cancelled("cancelled", reason="test"))
            assert indices(await reader) == []
            await until(lambda: scheduler.running == 0, 2, "the worker kept the cancelled segment")
            short = job("b")
            scheduler.submit(short)
            assert ended(await listen(short)).error is None

    asyncio.run(go())


@pytest.mark.parametrize(
    ("limits", "text", "timeout", "code"),
    [
        (Limits(100, segment_timeout=0.3, queue_timeout=60), "a" * 60, None, "segment_timeout"),
        (Limits(100, segment_timeout=60, queue_timeout=60), "a" * 60, 0.3, "request_timeout"),
    ],
)
def test_a_deadline_ends_the_request(limits: Limits, text: str, timeout: float | None, code: str) -> None:
    async def go() -> None:
        async with running("step_ms=20", rows=1, limits=limits) as (scheduler, _):
            request = job(text, timeout=timeout)
            scheduler.submit(request)
            error = ended(await listen(request, 10)).error
            assert isinstance(error, DeadlineExceeded) and error.code == code
            await until(lambda: scheduler.running == 0, 2, "it ran on")

    asyncio.run(go())


def test_the_wait_for_the_first_segment_is_bounded() -> None:
    async def go() -> None:
        limits = Limits(100, segment_timeout=60, queue_timeout=0.3)
        async with running("step_ms=30,ahead=0", rows=1, limits=limits) as (scheduler, _):
            first, second = job("a" * 60, owner="x"), job("b", owner="y")
            scheduler.submit(first)
            scheduler.submit(second)
            error = ended(await listen(second, 10)).error
            assert isinstance(error, DeadlineExceeded) and error.code == "queue_timeout"
            assert ended(await listen(first)).error is None

    asyncio.run(go())


def test_a_killed_worker_loses_nothing() -> None:
    async def go() -> None:
        async with running("step_ms=3", rows=4) as (scheduler, host):
            requests = [
                job("Some words here. And some more there. The end.", owner=str(n)) for n in range(10)
            ]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: sum(request.delivered for request in requests) >= 5, 20, "nothing was spoken")
            old = host.pid
            assert old is not None
            os.kill(old, signal.SIGKILL)
            for events in await asyncio.gather(*map(listen, requests)):
                assert indices(events) == [0, 1, 2]
                assert ended(events).error is None
            assert host.pid != old and host.restarts == 1

    asyncio.run(go())


@pytest.mark.parametrize("command", ["[[crash]]", "[[exit]]", "[[kill]]"])
def test_only_the_segment_that_kills_the_worker_fails(command: str) -> None:
    async def go() -> None:
        async with running("step_ms=1") as (scheduler, _):
            good = [job("Harmless words.", owner=str(n)) for n in range(8)]
            bad = job(f"Bad {command} words.")
            for request in [*good[:4], bad, *good[4:]]:
                scheduler.submit(request)
            error = ended(await listen(bad)).error
            assert isinstance(error, EngineFailed) and error.code == "segment_killed_engine"
            for events in await asyncio.gather(*map(listen, good)):
                assert ended(events).error is None and indices(events) == [0]

    asyncio.run(go())


@pytest.mark.parametrize(("told", "deaths"), [("more each time", 2), ("nothing", 2), ("the same", 16)])
def test_a_kill_by_the_kernel_counts_more_than_one_by_somebody(
    told: str, deaths: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``[[kill]]`` is a SIGKILL either way; what the kernel counted for memory tells them apart."""
    count = itertools.count()
    answers = {"more each time": lambda: next(count), "nothing": lambda: None, "the same": lambda: 5}
    monkeypatch.setattr(links, "kernel_oom_kills", answers[told])

    async def go() -> None:
        async with running("step_ms=1") as (scheduler, _):
            bad = job("Bad [[kill]] words.")
            scheduler.submit(bad)
            error = ended(await listen(bad)).error
            assert isinstance(error, EngineFailed) and error.code == "segment_killed_engine"
            assert bad.attempts == {0: deaths}

    asyncio.run(go())


def test_the_kernels_count_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "VMSTAT", tmp_path / "vmstat")
    assert links.kernel_oom_kills() is None
    links.VMSTAT.write_text("pgfault 1\noom_kill 42\n")
    assert links.kernel_oom_kills() == 42


def test_a_hung_worker_is_ended_and_the_rest_is_served() -> None:
    async def go() -> None:
        limits = Limits(100, segment_timeout=1.5, queue_timeout=60)
        async with running("step_ms=1,ahead=0", rows=2, limits=limits) as (scheduler, host):
            bad, good = job("[[hang]]"), job("Fine. Fine. Fine.")
            scheduler.submit(bad)
            scheduler.submit(good)
            bad_end, good_end = await asyncio.gather(listen(bad, 30), listen(good, 30))
            assert isinstance(ended(bad_end).error, DeadlineExceeded)
            assert host.restarts >= 1
            again = job("Fine.")
            scheduler.submit(again)
            assert ended(await listen(again)).error is None
            assert ended(good_end).error is None, "a neighbour in the batch was blamed"

    asyncio.run(go())


def test_a_leaking_worker_is_replaced_and_nothing_is_lost() -> None:
    async def go() -> None:
        async with running("step_ms=2", rows=4, memory_mb=400) as (scheduler, host):
            stop = asyncio.Event()

            async def user(name: int) -> int:
                served = 0
                while not stop.is_set():
                    request = job("Some words. And more. [[leak]] And these.", owner=str(name))
                    scheduler.submit(request)
                    events = await listen(request, 60)
                    assert ended(events).error is None and indices(events) == [0, 1, 2]
                    assert set(request.attempts.values()) == {1}, (
                        "a segment ran twice: the end was not gentle"
                    )
                    served += 1
                return served

            users = [asyncio.create_task(user(n)) for n in range(6)]
            await until(lambda: host.restarts >= 2 or any(u.done() for u in users), 60, "it was not replaced")
            stop.set()
            assert min(await asyncio.gather(*users)) > 0
            assert "passed worker_memory_mb (400)" in host.reason

    asyncio.run(go())


def test_the_kernel_would_take_the_worker_before_the_server() -> None:
    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    async def go() -> None:
        async with running("") as (_, host):
            assert host.pid is not None
            assert score(host.pid) >= min(1000, score(os.getpid()) + 500)

    asyncio.run(go())


def test_a_ceiling_below_what_the_engine_needs_is_said_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> None:
        async with running("step_ms=1", memory_mb=5) as (scheduler, host):
            await until(lambda: "worker_memory_mb" in caplog.text, 20, "nothing was said")
            request = job("Fine.")
            scheduler.submit(request)
            assert ended(await listen(request)).error is None
            assert host.restarts == 0

    asyncio.run(go())


def test_running_out_of_memory_is_retried_alone_then_fails_alone() -> None:
    async def go() -> None:
        async with running("step_ms=1") as (scheduler, host):
            bad, good = job("[[oom]]"), job("Fine.", owner="b")
            scheduler.submit(bad)
            scheduler.submit(good)
            error = ended(await listen(bad)).error
            assert isinstance(error, EngineFailed) and error.code == "out_of_memory"
            assert bad.attempts == {0: 2}
            assert ended(await listen(good)).error is None and host.restarts == 0

    asyncio.run(go())


def test_a_slow_reader_pauses_only_its_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index_tts_ui.scheduler.UNREAD_LIMIT", 3.0)

    async def go() -> None:
        async with running("", rows=2) as (scheduler, _):
            slow, fast = job("Sentence here. " * 50), job("Sentence here. " * 50, owner="b")
            scheduler.submit(slow)
            scheduler.submit(fast)
            assert indices(await listen(fast)) == list(range(50))
            assert slow.delivered < 20, "the unread request was not paused"
            assert indices(await listen(slow)) == list(range(50))

    asyncio.run(go())


def test_the_worker_dies_with_its_server() -> None:
    async def go() -> int:
        async with running("step_ms=1000", rows=1) as (scheduler, host):
            scheduler.submit(job("a" * 20))
            await until(lambda: scheduler.running == 1, 5, "it never ran")
            assert host.pid is not None
            return host.pid

    pid = asyncio.run(go())
    assert not psutil.pid_exists(pid)


async def _chaos(kills: int, rows: int) -> None:
    """Random SIGKILLs while users keep asking; one segment is a killer of its own."""
    dice = random.Random(kills)
    async with running("char_ms=5,row_ms=0.1,step_ms=0.5", rows=rows) as (scheduler, host):
        stop = asyncio.Event()
        killer = job("x[[crash]]y", owner="killer")
        scheduler.submit(killer)
        finished = 0

        async def user(name: int) -> None:
            nonlocal finished
            while not stop.is_set():
                request = job("First sentence. Second one. Third.", owner=str(name))
                scheduler.submit(request)
                events = await listen(request, 120)
                assert ended(events).error is None, ended(events).error
                assert indices(events) == [0, 1, 2]
                finished += 1

        users = [asyncio.create_task(user(n)) for n in range(rows)]
        killer_ends = asyncio.create_task(listen(killer, 120))
        for _ in range(kills):
            await until(
                lambda: host.state == "ready" or any(u.done() for u in users), 30, "no worker came back"
            )
            await asyncio.sleep(dice.uniform(0, 0.12))
            if host.pid is not None and host.state == "ready":
                try:
                    os.kill(host.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # the killer was quicker
            await asyncio.sleep(0.02)
        stop.set()
        await asyncio.gather(*users)
        error = ended(await killer_ends).error
        assert isinstance(error, EngineFailed) and error.code == "segment_killed_engine"
        assert finished > 0 and not scheduler.jobs


def test_random_kills_lose_no_segment() -> None:
    asyncio.run(_chaos(25, 16))


@pytest.mark.slow
def test_a_thousand_random_kills_lose_no_segment() -> None:
    asyncio.run(_chaos(1000, 16))
