"""Courier: tells whoever asked for it that a job has ended, again and again until it is taken or given up."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import TTSError
from .callback import WAITS, CallbackFailed, deliver, read_key
from .cutter import Tables
from .record import Job

log = logging.getLogger("tts.jobs")
LOOK_SECONDS = 1.0
AT_ONCE = 4  # deliveries


class Courier:
    """``key``: the file with the key that signs."""

    def __init__(self, tables: Tables, key: Path, hosts: Sequence[str]) -> None:
        self._tables = tables
        self._key = key
        self._hosts = hosts
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tts-callback")
        self._under_way: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except TTSError as error:
                    log.error("callbacks cannot go out now: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._tasks:
                task.cancel()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        for job in await self._tables.ask(self._tables.jobs.calls_due):
            if job.id not in self._under_way:
                self._under_way.add(job.id)
                task = asyncio.create_task(self._call(job), name=f"callback-{job.id}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _call(self, job: Job) -> None:
        tries, state, wait = job.callback_tries + 1, "sent", 0.0
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._deliver, job)
        except (CallbackFailed, OSError) as error:
            state = "pending" if tries <= len(WAITS) else "failed"
            wait = WAITS[min(tries, len(WAITS)) - 1]
            log.warning("callback of job %s (try %d): %s", job.id, tries, error)
        try:
            await self._tables.ask(self._tables.jobs.called, job, state, tries, wait)
        except TTSError as error:
            log.error("callback of job %s: %s", job.id, error)
        finally:
            self._under_way.discard(job.id)

    def _deliver(self, job: Job) -> None:
        # the same id each time: a receiver that has it knows the message already
        call_id = f"{job.id}.{int((job.finished or 0) * 1000)}"
        deliver(job.callback_url, self._hosts, read_key(self._key), call_id, message(job))


def message(job: Job) -> bytes:
    """What is sent: the job, without its text."""
    names = ("id", "title", "state", "lines", "segments", "failed", "characters", "audio_seconds")
    data = {name: getattr(job, name) for name in names} | {"created": job.created, "finished": job.finished}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.finished))
    return json.dumps({"type": f"job.{job.state}", "timestamp": stamp, "data": data}).encode()
