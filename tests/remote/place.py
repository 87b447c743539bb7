"""What the tests of remote workers share: a scheduler whose workers are fakes, and its requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from index_tts_ui.job import Job
from index_tts_ui.plan import WorkerPlan
from index_tts_ui.pool import WorkerPool
from index_tts_ui.remote.catalogue import Catalogue
from index_tts_ui.remote.client import Client
from index_tts_ui.remote.link import Terms, factory
from index_tts_ui.remote.upstreams import Upstream
from index_tts_ui.room import Limits
from index_tts_ui.scheduler import Scheduler
from index_tts_ui.speech import Segment
from tests.scheduler.bench import job, listen, until

from .fake import Fake

T = TypeVar("T")
__all__ = ["job", "listen", "placed", "spoken_by", "until", "upstream"]


def upstream(fake: Fake, name: str, **fields: Any) -> Upstream:
    """How it is configured."""
    return Upstream(name, fake.url, **fields)


@contextlib.asynccontextmanager
async def placed(
    folder: Path,
    *fakes: Fake,
    seconds: float = 5.0,
    queue_timeout: float = 30.0,
    ready: bool = True,
    **fields: Any,
) -> AsyncIterator[tuple[Scheduler, WorkerPool]]:
    """A scheduler with one worker for each of ``fakes``, called a, b, ...; nothing is left behind at its end."""
    before = asyncio.all_tasks()
    for fake in fakes:
        await fake.start()
    given = [upstream(fake, "abc"[index], **fields) for index, fake in enumerate(fakes)]
    catalogue = Catalogue(given, folder / "known.json")
    scheduler = Scheduler(Limits(max_waiting=1000, segment_timeout=seconds, queue_timeout=queue_timeout))
    plans = [
        WorkerPlan(
            device=one.name,
            link=factory(Terms(one, "remote", seconds, folder / "clips"), catalogue),
            returns=True,
        )
        for one in given
    ]
    pool = WorkerPool(scheduler, plans)
    pool.start()
    try:
        if ready:
            await until(lambda: all(host.state == "ready" for host in pool.hosts), 10, "not all are ready")
        yield scheduler, pool
    finally:
        await pool.stop()
        await until(lambda: all(fake.open == 0 for fake in fakes), 5, "a connection is left")
        for fake in fakes:
            await fake.stop()
    await until(
        lambda: not asyncio.all_tasks() - before, 5, f"tasks are left: {asyncio.all_tasks() - before}"
    )


async def spoken_by(scheduler: Scheduler, request: Job, seconds: float = 20) -> list[Any]:
    """All events of a request."""
    scheduler.submit(request)
    return await listen(request, seconds)


def segment(**fields: Any) -> Segment:
    """One of its own."""
    from index_tts_ui.speech import VoiceRef

    given: dict[str, Any] = {"voices": (VoiceRef("builtin", "vivian"),), "text": "Hello.", "language": "en"}
    given |= fields
    return Segment("s/0", given.pop("text"), "", 5, given.pop("language"), given.pop("voices"), **given)


def asked(fake: Fake, work: Callable[[Client, Upstream], Awaitable[T]], **fields: Any) -> T:
    """What ``work`` gives, while ``fake`` serves it, configured as ``fields`` say."""

    async def go() -> T:
        await fake.start()
        given = upstream(fake, "a", **fields)
        client = Client(given, 24_000)
        try:
            return await work(client, given)
        finally:
            await client.close()
            await fake.stop()

    return asyncio.run(go())
