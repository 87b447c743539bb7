"""What a request that was given up still costs the engine, counted in its steps."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from index_tts_ui.errors import Cancelled
from index_tts_ui.job import Job
from index_tts_ui.scheduler import Limits, Scheduler

from .bench import ended, job, listen, running, until

ROOM = Limits(100, segment_timeout=30, queue_timeout=60)


def steps_after(path: Path, segments: set[str]) -> dict[str, int]:
    """Of each of ``segments`` that the engine was told to drop: the steps it still was in afterwards."""
    found: dict[str, int] = {}
    for line in path.read_text("utf-8").splitlines():
        kind, *names = line.split()
        if kind == "cancel" and names[0] in segments:
            found.setdefault(names[0], 0)
        for name in names if kind == "step" else ():
            if name in found:
                found[name] += 1
    return found


def stepped(path: Path) -> set[str]:
    """All segments that ever were in a step."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {name for line in lines if line.startswith("step") for name in line.split()[1:]}


async def _give_up(scheduler: Scheduler, request: Job, how: str) -> None:
    if how == "by hand":
        scheduler.cancel(request, Cancelled("cancelled", reason="test"))
    elif how == "all":
        scheduler.cancel_all(lambda: Cancelled("cancelled", reason="test"))
    error = ended(await listen(request, 20)).error
    assert error is not None


@pytest.mark.parametrize("how", ["by hand", "all", "its deadline", "its segment's"])
def test_the_engine_works_at_most_one_step_more_for_what_was_given_up(how: str, tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    limits = Limits(100, segment_timeout=0.4, queue_timeout=60) if how == "its segment's" else ROOM
    timeout = 0.4 if how == "its deadline" else None

    async def go() -> None:
        async with running(f"step_ms=15,steps={steps}", rows=4, limits=limits) as (scheduler, _):
            request = job(". ".join(["a" * 55] * 8), timeout=timeout)
            ids = {segment.id for segment in request.segments}
            scheduler.submit(request)
            await until(lambda: len(stepped(steps) & ids) == 4, 20, "it never ran on all rows")
            await _give_up(scheduler, request, how)
            await until(lambda: scheduler.running == 0, 10, "the worker kept what was given up")
            after = job("b" * 5, owner="other")  # the engine steps on
            scheduler.submit(after)
            assert ended(await listen(after)).error is None
            found = steps_after(steps, ids)
            assert len(found) >= 4, "what ran was not cancelled in the engine"
            assert max(found.values()) <= 1, found
            assert stepped(steps) & ids <= set(found), "a segment ran on, or ran later"

    asyncio.run(go())


def test_what_waited_when_it_was_given_up_is_never_stepped(tmp_path: Path) -> None:
    steps = tmp_path / "steps"

    async def go() -> None:
        async with running(f"step_ms=5,ahead=0,steps={steps}", rows=1, limits=ROOM) as (scheduler, _):
            first, second = job("a" * 40, owner="x"), job("b" * 40, owner="y")
            for request in (first, second):
                scheduler.submit(request)
            scheduler.cancel(second, Cancelled("cancelled", reason="test"))
            assert ended(await listen(first)).error is None
            assert not stepped(steps) & {segment.id for segment in second.segments}

    asyncio.run(go())
