"""JobDesk: all that is asked about jobs. Callers see only their own; what speaks them runs in ``keeper``."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import Conflict, EngineFailed, Invalid, NotFound, TooLarge, TTSError
from ..service import SpeechService
from ..speech import Owner
from .asked import refusal, wrong_lines
from .callback import check_url
from .database import Database
from .job_table import JobTable
from .keeper import Keeper
from .record import ACTIVE, Job, Line, NewJob, Segment
from .segment_table import SegmentTable
from .sound import Placed, placed
from .sources import MOST_LINES

T = TypeVar("T")
FOLLOW_SECONDS = 0.3  # between looks for somebody who follows a job
KEY_MOST = 255  # characters of an idempotency key
TITLE_MOST = 200


class JobDesk:
    """Use it on the event loop, between ``start`` and ``stop``. ``folder`` holds all of it.

    ``still_holds``: whether an owner's key is still good; the jobs of others are stopped.
    """

    jobs: JobTable
    segments: SegmentTable

    def __init__(
        self, service: SpeechService, folder: Path, still_holds: Callable[[str], bool] = lambda owner: True
    ) -> None:
        self._service = service
        self._config = service.config
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tts-jobs")
        self._db: Database | None = None
        self._keeper = Keeper(service, self, still_holds)

    async def start(self) -> None:
        """Open the tables, and begin to speak what is in them."""
        db = self._db = await self.ask(Database, self._folder / "jobs.sqlite3")
        self.jobs, self.segments = JobTable(db), SegmentTable(db)
        self._keeper.start()

    async def stop(self) -> None:
        """What is not settled stays pending."""
        await self._keeper.stop()
        if self._db is not None:
            await self.ask(self._db.close)
        self._thread.shutdown(wait=False)

    # ---- what the keeper needs, too

    async def ask(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call a method of the tables in their thread. Raises EngineFailed where the disk fails."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, lambda: function(*args, **named))
        except sqlite3.Error as error:
            raise EngineFailed("disk_full", reason=str(error)) from error

    def folder(self, job_id: str = "") -> Path:
        """Where a job's sound is; without one, where all jobs are."""
        return self._folder / job_id

    async def forget(self, job_id: str) -> None:
        """The job is gone, with its sound."""
        await self.ask(self.jobs.delete, job_id)
        await self._service.in_pool(lambda: shutil.rmtree(self.folder(job_id), ignore_errors=True))

    # ---- making one

    async def create(self, new: NewJob, owner: Owner) -> tuple[Job, bool]:
        """The job, and whether it is new: an idempotency key that was used leads to the job it made.

        Raises:
            Invalid, NotFound: what a request with these values would be told.
            TooLarge: too many lines or characters.
            Conflict: the idempotency key was used for another job.
            Overloaded: too many unfinished jobs of this owner.
        """
        self._check_size(new)
        if new.callback_url:
            check_url(new.callback_url, self._config.listed("callback_hosts"))
        for _, error in self.wrong(new, owner):
            raise error
        new = replace(new, title=" ".join(new.title.split())[:TITLE_MOST])
        plain = json.dumps(asdict(replace(new, idempotency_key="")), sort_keys=True)
        fingerprint = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
        job_id = f"job-{secrets.token_hex(10)}"
        made = await self.ask(self.jobs.create, job_id, owner, new, fingerprint, self._config.jobs_per_owner)
        self._keeper.wake()
        return made

    def _check_size(self, new: NewJob) -> None:
        key = new.idempotency_key
        if len(key) > KEY_MOST or not key.isprintable():
            reason = f"must be 1 to {KEY_MOST} visible characters"
            raise Invalid("bad_value", param="Idempotency-Key", reason=reason)
        if not new.lines or not any(line.text.strip() for line in new.lines):
            raise Invalid("empty_text", param="input")
        characters, limit = sum(len(line.text) for line in new.lines), self._config.jobs_max_text
        if characters > limit:
            raise Invalid("text_too_long", param="input", length=characters, limit=limit)
        if len(new.lines) > MOST_LINES:
            raise TooLarge("too_many_lines", param="lines", count=len(new.lines), limit=MOST_LINES)

    def wrong(self, new: NewJob, owner: Owner) -> Iterator[tuple[int, TTSError]]:
        """(index of the line, why it cannot be spoken so), of each such line."""
        return wrong_lines(self._service, new, owner)

    # ---- looking

    async def get(self, owner: Owner, job_id: str) -> Job:
        """Raises NotFound, also for other people's."""
        job = await self.ask(self.jobs.find, job_id) if len(job_id) <= 64 else None
        if job is None or job.owner != owner.key:
            raise NotFound("job_not_found", id=job_id[:64])
        return job

    async def page(self, owner: Owner, limit: int, before: str = "") -> list[Job]:
        """The owner's jobs, the newest first."""
        return await self.ask(self.jobs.page, owner.key, limit, before)

    async def lines(self, job: Job, first: int, limit: int) -> tuple[list[Line], list[Segment]]:
        """Some of its lines, and their segments."""
        lines = await self.ask(self.segments.lines, job.id, first, limit)
        if not lines:
            return [], []
        return lines, await self.ask(self.segments.find, job.id, lines[0].index, lines[-1].index)

    async def counts(self) -> tuple[dict[str, int], int]:
        """Jobs of everybody by state, and lines that wait."""
        return await self.ask(self.jobs.counts)

    def eta(self, job: Job) -> float | None:
        """Seconds until it is done at the pace it has had; None where that is not known."""
        pace = self._keeper.pace(job.id)
        left = max(0, job.characters - job.spoken_characters)
        return round(left / pace, 1) if pace and job.state == "running" else None

    async def follow(self, job: Job, since: int = 0) -> AsyncIterator[tuple[Job, list[Segment]]]:
        """The job whenever it changes, with the segments that did. ``since``: a revision.

        To the end of the job, or of this server: whoever follows goes on with the next one.
        """
        known = since
        found: Job | None = job
        while found is not None:
            if found.revision > known:
                yield found, await self.ask(self.segments.find, job.id, 1, 1 << 30, known)
                known = found.revision
            if found.ended or self._service.status().state == "draining":
                return
            await asyncio.sleep(FOLLOW_SECONDS)
            if await self.ask(self.jobs.revision, job.id) != known:
                found = await self.ask(self.jobs.find, job.id)

    async def sound(self, job: Job, partial: bool = False, line: int | None = None) -> list[Placed]:
        """Its segments on one line of time; ``line``: of that one alone.

        Raises Conflict where it is not finished, unless ``partial``; NotFound where there is no sound.
        """
        if not partial and line is None and job.state not in ("done", "failed"):
            raise Conflict("job_unfinished", id=job.id, state=job.state)
        first, last = (1, 1 << 30) if line is None else (line, line)
        lines = {found.index: found for found in await self.ask(self.segments.lines, job.id)}
        segments = await self.ask(self.segments.find, job.id, first, last)
        if line is not None:
            if line not in lines:
                raise NotFound("job_line_not_found", param="line", line=line)
            lines = {line: replace(lines[line], start=None)}
        parts = placed(segments, lines, job.gap)
        if not parts:
            raise NotFound("job_silent", id=job.id)
        return parts

    # ---- changing

    async def pause(self, owner: Owner, job_id: str) -> Job:
        """What is being spoken is finished, and nothing else begins. Raises Conflict where it has ended."""
        return await self._move(owner, job_id, ("queued", "running", "paused"), "paused")

    async def resume(self, owner: Owner, job_id: str) -> Job:
        """Go on. Raises Conflict where it has ended."""
        job = await self.get(owner, job_id)
        if job.state in ("queued", "running"):
            return job
        return await self._move(owner, job_id, ("paused",), "queued")

    async def cancel(self, owner: Owner, job_id: str) -> Job:
        """Give it up; what is spoken stays until it is deleted. Raises Conflict where it has ended."""
        job = await self.get(owner, job_id)
        if job.state == "cancelled":
            return job
        moved = await self._move(owner, job_id, ACTIVE, "cancelled")
        self._service.records.metrics.job_ended("cancelled")
        self._keeper.stop_job(job_id)
        return moved

    async def delete(self, owner: Owner, job_id: str) -> None:
        """With its sound."""
        job = await self.get(owner, job_id)
        await self.ask(self.jobs.move, job.id, ACTIVE, "cancelled")
        self._keeper.stop_job(job.id)
        await self.forget(job.id)

    async def retry(
        self,
        owner: Owner,
        job_id: str,
        line: int | None,
        segment: int | None,
        text: str,
        seed: int | None,
        take: Mapping[str, Any],
    ) -> Job:
        """Speak again: a segment, a line, or, where neither is named, all that failed.

        ``text`` replaces the segment's or the line's, ``take`` how the line is spoken. Without ``seed`` what was
        spoken gets a new one, since the old one would give the same sound. Raises NotFound, Invalid, Conflict.
        """
        job = await self.get(owner, job_id)
        if job.state == "cancelled":
            raise Conflict("job_state", state=job.state)
        if len(text) > self._config.max_text:
            raise Invalid("text_too_long", param="text", length=len(text), limit=self._config.max_text)
        which = await self._chosen(job, line, segment)
        if (text or take) and line is not None and segment is None:
            await self._rewrite(job, line, text, take if seed is None else {**take, "seed": seed}, owner)
        else:
            seeds = {
                place: secrets.randbits(31) if seed is None and found.state == "done" else seed
                for place, found in enumerate(which)
            }
            await self.ask(self.segments.again, job.id, which, text, seeds)
        self._keeper.wake()
        return await self.get(owner, job_id)

    async def _rewrite(self, job: Job, index: int, text: str, take: Mapping[str, Any], owner: Owner) -> None:
        (line,) = await self.ask(self.segments.lines, job.id, index, 1)
        mixed = {**line.take, **take}
        error = refusal(self._service, {**job.take, **job.cast.get(line.speaker, {}), **mixed}, owner)
        if error is not None:
            raise error
        await self.ask(self.segments.rewrite, job.id, index, text or line.text, mixed)

    async def _chosen(self, job: Job, line: int | None, segment: int | None) -> Sequence[Segment]:
        if line is None:
            return [one for one in await self.ask(self.segments.find, job.id) if one.state == "failed"]
        found = await self.ask(self.segments.find, job.id, line, line)
        chosen = [one for one in found if segment is None or one.index == segment]
        if not chosen:
            raise NotFound("job_line_not_found", param="line", line=line)
        return chosen

    async def _move(self, owner: Owner, job_id: str, allowed: Sequence[str], state: str) -> Job:
        job = await self.get(owner, job_id)
        if not await self.ask(self.jobs.move, job.id, allowed, state):
            raise Conflict("job_state", state=(await self.get(owner, job_id)).state)
        self._keeper.wake()
        return await self.get(owner, job_id)
