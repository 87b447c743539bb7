"""What the scheduler's tests share: a real worker process with the tone engine, and its requests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence

from index_tts_ui.engines.tone import ToneFrontend
from index_tts_ui.host import WorkerHost, WorkerPlan
from index_tts_ui.job import Job
from index_tts_ui.pool import WorkerPool
from index_tts_ui.scheduler import Limits, Scheduler
from index_tts_ui.speech import Ended, Event, Owner, Segment, SegmentReady, VoiceRef

_numbers = itertools.count(1)


@contextlib.asynccontextmanager
async def running(
    extra: str = "", rows: int = 16, limits: Limits | None = None, memory_mb: int = 0
) -> AsyncIterator[tuple[Scheduler, WorkerHost]]:
    """A scheduler with one live worker."""
    async with pooled(extra, rows, limits, memory_mb) as (scheduler, pool):
        yield scheduler, pool.hosts[0]


@contextlib.asynccontextmanager
async def pooled(
    extra: str = "",
    rows: int = 16,
    limits: Limits | None = None,
    memory_mb: int = 0,
    devices: Sequence[str] = ("cpu",),
    keep_alive: float = 0.0,
) -> AsyncIterator[tuple[Scheduler, WorkerPool]]:
    """A scheduler with a live worker for each of ``devices``."""
    scheduler = Scheduler(limits or Limits(max_waiting=10_000, segment_timeout=30, queue_timeout=60))
    arguments = ["--engine", "tone", "--model-dir", ".", "--max-rows", str(rows), "--extra", extra]
    plans = [
        WorkerPlan([*arguments, "--device", device], memory_mb=memory_mb, device=device) for device in devices
    ]
    pool = WorkerPool(scheduler, plans, keep_alive)
    pool.start()
    try:
        await until(
            lambda: all(host.state in ("ready", "down") for host in pool.hosts), 30, "no worker became ready"
        )
        yield scheduler, pool
    finally:
        await pool.stop()


async def until(true: object, seconds: float, message: str) -> None:
    """Wait for ``true()`` with a deadline."""
    async with asyncio.timeout(seconds):
        try:
            while not true():  # type: ignore[operator]
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            raise TimeoutError(message) from None


def job(text: str, owner: str = "a", timeout: float | None = None) -> Job:
    """A request for ``text``, split as the tone frontend does."""
    number = next(_numbers)
    segments = [
        Segment(
            f"j{number}/{index}",
            piece.text,
            piece.spoken,
            piece.tokens,
            "en",
            (VoiceRef("builtin", "tone-a"),),
        )
        for index, piece in enumerate(ToneFrontend().split(text))
    ]
    return Job(f"j{number}", f"r{number}", Owner(owner), segments, len(text), timeout)


async def listen(request: Job, seconds: float = 60) -> list[Event]:
    """All its events, with a deadline."""
    async with asyncio.timeout(seconds):
        return [event async for event in request.events()]


def indices(events: list[Event]) -> list[int]:
    """The delivered segments, in the order they came."""
    return [event.index for event in events if isinstance(event, SegmentReady)]


def ended(events: list[Event]) -> Ended:
    """The last event, which must be the only end."""
    ends = [event for event in events if isinstance(event, Ended)]
    assert len(ends) == 1 and events[-1] is ends[0]
    return ends[0]
