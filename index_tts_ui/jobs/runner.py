"""Runner: speaks the jobs' segments through the service, a few at a time, fairly across owners.

One process at a time does so, the one that holds the lock: in a handover the next server waits for it.
Nothing that runs is written down: what was not settled when a process died is simply pending.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import Cancelled, Invalid, NotReady, Overloaded, TTSError
from ..service import Handle, SpeechService
from ..speech import Ended, Owner, SegmentReady, SpeechRequest, Started, Usage
from . import sound
from .cutter import Cutter, Tables
from .fitting import hastened
from .record import Segment, said, to_request

log = logging.getLogger("tts.jobs")
EVERYBODY = ""
LOOK_SECONDS = 1.0  # between looks at the tables: another process may have changed them
HOLD_MOST = 5.0  # seconds to leave a full queue alone
SHARE = 4  # of the queue's places, at most one in so many is a job's


@dataclass
class _Run:
    """A segment on its way."""

    segment: Segment
    owner: Owner
    task: asyncio.Task[None] | None = None
    handle: Handle | None = None
    started: bool = False  # the engine has some of it
    unwanted: bool = False

    def give_up(self, reason: str) -> None:
        """It stays pending, unless its job is over."""
        self.unwanted = True
        if self.handle is not None:
            self.handle.cancel(reason)


@dataclass(frozen=True)
class _Spoken:
    """What came back."""

    samples: np.ndarray
    rate: int
    engine: str
    usage: Usage


class Runner:
    """``run`` it while the lock is held; ``wake`` it after a change."""

    def __init__(self, service: SpeechService, tables: Tables) -> None:
        config = service.config
        self._service = service
        self._tables = tables
        self._cutter = Cutter(service, tables)
        self._most = max(1, config.max_waiting // SHARE)
        self._runs: dict[tuple[str, int, int, int], _Run] = {}
        self._bell = asyncio.Event()
        service.on_drain(self._bell.set)
        self._held: dict[str, float] = {}  # owner's key, or EVERYBODY -> until when nothing of theirs begins
        self._paces: dict[str, tuple[float, int]] = {}  # job -> since when it runs here, characters since

    def pace(self, job_id: str) -> float | None:
        """Characters a second of a job that runs here; None where that is not known yet."""
        since, characters = self._paces.get(job_id, (0.0, 0))
        return characters / (time.monotonic() - since) if characters else None

    def wake(self) -> None:
        """Something changed."""
        self._bell.set()

    def stop_job(self, job_id: str) -> None:
        """What runs of it is no longer wanted."""
        for run in self._runs.values():
            if run.segment.job == job_id:
                run.give_up("its job was cancelled")

    async def run(self) -> None:
        """Until the service drains; then what runs ends, and nothing new begins."""
        try:
            while not self._draining:
                self._bell.clear()
                try:
                    await self._fill()
                except TTSError as error:
                    log.error("jobs cannot go on now: %s", error)
                    self._hold(EVERYBODY, HOLD_MOST)
                await self._rest()
            self._give_up_waiting(self._runs.values())
            while self._runs:
                await asyncio.wait([run.task for run in self._runs.values() if run.task])
        finally:
            await self._abandon()

    def _give_up_waiting(self, runs: Iterable[_Run]) -> None:
        """What the engine has begun may end; nobody should wait for more."""
        for run in runs:
            if not run.started:
                run.give_up("it waits for another time")

    async def _abandon(self) -> None:
        tasks = [run.task for run in self._runs.values() if run.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _draining(self) -> bool:
        return self._service.draining

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            pass

    # ---- what is next

    @property
    def _window(self) -> int:
        """Segments under way: enough that no row waits for the next one, not so many that they wait long."""
        rows = int(self._service.host.info.get("max_rows", 1)) * max(1, len(self._service.status().workers))
        return min(self._most, 2 * rows + 1)

    async def _fill(self) -> None:
        """Begin segments until the window is full or nothing is left."""
        ask, jobs = self._tables.ask, self._tables.jobs
        runnable = dict(await ask(jobs.runnable))
        self._held = {key: until for key, until in self._held.items() if until > time.monotonic()}
        await self._stop_unwanted(runnable)
        now = time.monotonic()
        self._paces = {job_id: self._paces.get(job_id, (now, 0)) for job_id in runnable}
        while len(self._runs) < self._window and self._service.status().ready:
            free = {job_id: owner for job_id, owner in runnable.items() if self._is_free(owner)}
            if not free:
                return
            job_id = self._fairest(free)
            segment = await self._next(job_id, free[job_id])
            if segment is not None:
                self._begin(segment, free[job_id])
                continue
            del runnable[job_id]
            if not any(run.segment.job == job_id for run in self._runs.values()):
                await self._finish(job_id)

    async def _finish(self, job_id: str) -> None:
        # what died between a line's sound and its measure is measured now
        if await self._tables.ask(self._tables.segments.fit, job_id):
            self.wake()
        elif await self._tables.ask(self._tables.jobs.finish, job_id):
            state = await self._tables.ask(self._tables.jobs.state, job_id)
            log.info("job %s has ended: %s", job_id, state)
            self._service.records.metrics.job_ended(state or "")

    def _is_free(self, owner: Owner) -> bool:
        now = time.monotonic()
        return all(self._held.get(key, 0.0) <= now for key in (EVERYBODY, owner.key))

    async def _stop_unwanted(self, runnable: dict[str, Owner]) -> None:
        """Another process may have cancelled, deleted or paused a job; of a paused one, what has begun may end."""
        for job_id in {run.segment.job for run in self._runs.values()} - runnable.keys():
            if await self._tables.ask(self._tables.jobs.state, job_id) in (None, "cancelled"):
                self.stop_job(job_id)
            else:
                self._give_up_waiting(run for run in self._runs.values() if run.segment.job == job_id)

    def _fairest(self, runnable: dict[str, Owner]) -> str:
        """Of the owner with the fewest segments under way, the job with the fewest; the oldest of equals."""
        of_job = Counter(run.segment.job for run in self._runs.values())
        of_owner = Counter(run.owner.key for run in self._runs.values())
        return min(runnable, key=lambda job_id: (of_owner[runnable[job_id].key], of_job[job_id]))

    async def _next(self, job_id: str, owner: Owner) -> Segment | None:
        """Its first pending segment that is not under way; a line is cut when its turn comes."""
        ask, segments = self._tables.ask, self._tables.segments
        while True:
            for segment in await ask(segments.pending, job_id, len(self._runs) + 1):
                if segment.key not in self._runs:
                    return segment
            line = await ask(segments.unsplit, job_id)
            if line is None:
                return None
            await self._cutter.cut(job_id, line, owner)

    # ---- one segment

    def _begin(self, segment: Segment, owner: Owner) -> None:
        run = _Run(segment, owner)
        self._runs[segment.key] = run
        run.task = asyncio.create_task(self._speak(run), name=f"job-{segment.job}")
        run.task.add_done_callback(lambda task: self._ended(segment, task))

    def _ended(self, segment: Segment, task: asyncio.Task[None]) -> None:
        self._runs.pop(segment.key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job %s: segment %s could not be settled: %r", segment.job, segment.key, error)
            self._hold(EVERYBODY, HOLD_MOST)
        self._bell.set()

    async def _speak(self, run: _Run) -> None:
        """Speak it and settle it. What is not its own fault leaves it pending."""
        segment = run.segment
        try:
            request = await self._request(segment)
            if request is not None:
                await self._keep(segment, await self._spoken(run, request))
        except TTSError as error:
            await self._refused(run, error)
        except OSError as error:
            log.error("job %s: its sound cannot be kept: %s", segment.job, error)
            full = said(TTSError("disk_full", reason=error.strerror or "write failed"))
            await self._tables.ask(self._tables.jobs.move, segment.job, ("queued", "running"), "paused", full)
        except Exception:  # the edge of a task: left pending, a bug would be tried for ever
            log.exception("job %s: a bug at line %d", segment.job, segment.line)
            await self._refused(run, TTSError("internal"))

    async def _keep(self, segment: Segment, spoken: _Spoken) -> None:
        """The file first, then the row that makes it count."""
        folder = self._tables.folder(segment.job)
        await self._service.in_pool(sound.keep, folder, segment, spoken.samples)
        facts = {"rate": spoken.rate, "engine": spoken.engine, "engine_seconds": spoken.usage.engine_seconds}
        settle = self._tables.segments.settle
        if not await self._tables.ask(settle, segment, "done", samples=len(spoken.samples), **facts):
            (folder / segment.file_name).unlink(missing_ok=True)
            return
        self._service.records.metrics.job_segment("done")
        if segment.job in self._paces:
            since, characters = self._paces[segment.job]
            self._paces[segment.job] = (since, characters + len(segment.text))
        for tries in range(segment.tries):
            (folder / replace(segment, tries=tries).file_name).unlink(missing_ok=True)
        await self._tables.ask(self._tables.segments.fit, segment.job, segment.line, segment.line)

    async def _request(self, segment: Segment) -> SpeechRequest | None:
        """What to ask for; None where the job is gone."""
        ask = self._tables.ask
        lines = await ask(self._tables.segments.lines, segment.job, segment.line, 1)
        take = await ask(self._tables.jobs.take, segment.job, lines[0]) if lines else None
        if take is None:
            return None
        await ask(self._tables.jobs.move, segment.job, ("queued",), "running")
        take["speed"] = hastened(take.get("speed", 1.0), lines[0])
        more: dict[str, Any] = {} if segment.seed is None else {"seed": segment.seed}
        if segment.voice:  # of a mark: it was named, and nobody stands in for it
            more |= {"voice": segment.voice, "stand_in": None}
        request_id = f"{segment.job}.{segment.line}.{segment.index}.{segment.tries}"
        return to_request(take, segment.text, id=request_id, **more)

    async def _spoken(self, run: _Run, request: SpeechRequest) -> _Spoken:
        """Raises the request's error."""
        handle = run.handle = await self._service.submit(request, run.owner)
        if run.unwanted or self._draining:
            run.give_up("it waits for another time")
        parts: list[np.ndarray] = []
        rate, engine = handle.rate, ""
        async for event in handle.events():
            if isinstance(event, Started):
                engine, run.started = event.engine, True
            elif isinstance(event, SegmentReady):
                rate = event.audio.rate
                parts.append(event.audio.samples)
            elif isinstance(event, Ended):
                if event.error is not None:
                    raise event.error
                return _Spoken(np.concatenate(parts), rate, engine, event.usage)
        raise TTSError("internal")

    async def _refused(self, run: _Run, error: TTSError) -> None:
        """Later, where the service has no time for it now; else it failed, and the job goes on."""
        segment = run.segment
        state = await self._tables.ask(self._tables.jobs.state, segment.job)
        stopping = isinstance(error, Cancelled) and (run.unwanted or self._draining)
        if state in (None, "cancelled") or stopping:
            return
        if isinstance(error, Overloaded):
            self._hold(run.owner.key, min(HOLD_MOST, error.retry_after or 1))
        elif isinstance(error, NotReady) or error.code == "queue_timeout":
            self._hold(EVERYBODY, 1)
        elif isinstance(error, Invalid) and error.code in ("nothing_to_speak", "empty_text"):
            await self._tables.ask(self._tables.segments.settle, segment, "empty")
        else:
            log.warning("job %s: line %d could not be spoken: %s", segment.job, segment.line, error)
            await self._tables.ask(self._tables.segments.settle, segment, "failed", error=said(error))
            self._service.records.metrics.job_segment("failed")

    def _hold(self, key: str, seconds: float) -> None:
        """Not all at once again, where many wait."""
        self._held[key] = time.monotonic() + seconds * (0.8 + 0.4 * random.random())
