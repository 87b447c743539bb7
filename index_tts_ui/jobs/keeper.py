"""Keeper: what goes on behind the desk. The process that holds the lock speaks, calls back and cleans up."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import Forbidden, TTSError
from ..service import SpeechService
from .courier import Courier
from .cutter import Tables
from .record import ACTIVE, said
from .runner import Runner
from .sound import is_whole

log = logging.getLogger("tts.jobs")
LOCK_SECONDS = 0.5  # between tries to get the lock
CLEAN_SECONDS = 300.0
KEYS_SECONDS = 1.0  # between looks whether the owners of running jobs still have their keys


class Keeper:
    """``start`` it, ``stop`` it; the rest reaches what runs in this process, if it is this one that speaks."""

    def __init__(self, service: SpeechService, tables: Tables, still_holds: Callable[[str], bool]) -> None:
        self._service = service
        self._config = service.config
        self._tables = tables
        self._still_holds = still_holds
        self._runner = Runner(service, tables)
        self._task: asyncio.Task[None] | None = None
        self.wake = self._runner.wake
        self.stop_job = self._runner.stop_job
        self.pace = self._runner.pace

    def start(self) -> None:
        """In the background."""
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        """At once; what runs is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        fd = await self._locked(self._tables.folder() / "lock")
        beside = [
            asyncio.create_task(work)
            for work in (self._clean_up(), self._courier().run(), self._watch_keys())
        ]
        try:
            await self._recover()
            await self._runner.run()
        except TTSError as error:
            log.error("jobs do not run: %s", error)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            os.close(fd)

    def _courier(self) -> Courier:
        key = self._tables.folder() / "callback.key"
        return Courier(self._tables, key, self._config.listed("callback_hosts"))

    async def _locked(self, path: Path) -> int:
        """The lock's descriptor. A dead process holds nothing, so nothing needs to be cleared away."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return fd
                await asyncio.sleep(LOCK_SECONDS)
        except BaseException:
            os.close(fd)
            raise

    async def _recover(self) -> None:
        """What the tables call spoken must be there: after a power cut a file may be missing."""
        ask, tables = self._tables.ask, self._tables
        for job_id in await ask(tables.jobs.unfinished):
            for segment in await ask(tables.segments.find, job_id):
                if segment.state == "done" and not is_whole(tables.folder(job_id), segment):
                    log.warning("job %s: %s is not whole, and is spoken again", job_id, segment.file_name)
                    await ask(tables.segments.lost, segment)

    # ---- whose key is gone

    async def _watch_keys(self) -> None:
        """Whoever has lost their key has no claim on the engine any more: their jobs end, and say why."""
        ask, jobs = self._tables.ask, self._tables.jobs
        while True:
            try:
                for job_id, owner in await ask(jobs.runnable):
                    if self._still_holds(owner.key):
                        continue
                    log.warning("job %s is stopped: its owner's key was revoked or has expired", job_id)
                    await ask(jobs.move, job_id, ACTIVE, "cancelled", said(Forbidden("key_revoked")))
                    self.stop_job(job_id)
            except TTSError as error:
                log.warning("the owners of jobs could not be looked up: %s", error)
            await asyncio.sleep(KEYS_SECONDS)

    # ---- retention

    async def _clean_up(self) -> None:
        while True:
            try:
                await self._clean()
            except (TTSError, OSError) as error:
                log.warning("old jobs could not be deleted: %s", error)
            await asyncio.sleep(CLEAN_SECONDS)

    async def _clean(self) -> None:
        """Delete what ended too long ago, then the oldest until the rest fits; and sound without a job."""
        ask, tables = self._tables.ask, self._tables
        sizes = await self._service.in_pool(_sizes, tables.folder())
        known = await ask(tables.jobs.ids)  # looked up after the folders: a new one is in both
        for job_id in sizes.keys() - known:
            await tables.forget(job_id)
        total = sum(sizes[job_id] for job_id in sizes.keys() & known)
        before = time.time() - self._config.jobs_hours * 3600
        for job_id, finished in await ask(tables.jobs.finished):
            if finished < before or total > self._config.jobs_mb << 20:
                log.info("job %s is deleted: it ended long ago, or others need the room", job_id)
                total -= sizes.get(job_id, 0)
                await tables.forget(job_id)


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each job's folder."""
    return {
        job.name: sum(file.stat().st_size for file in job.iterdir())
        for job in folder.glob("job-*")
        if job.is_dir()
    }
