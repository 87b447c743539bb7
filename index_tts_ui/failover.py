"""Failover: which requests a backup engine may speak, in which voice, and how one gets there.

Only a request of which nothing was heard goes there, whole, its text split again by the backup's frontend.
Somebody's voice is never spoken by another one unless the request says ``fallback=any``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from .backend import Backend, segments
from .errors import DeadlineExceeded, EngineFailed, Invalid, Notice, NotReady, TTSError
from .job import Job
from .library import StoredVoice, VoiceLibrary
from .sample_voices import source_of
from .speech import Cast, SpeechRequest, VoiceInfo, VoiceRef

log = logging.getLogger("tts.failover")
Rescuable = (EngineFailed, DeadlineExceeded, NotReady)  # what is not the request's own fault
InPool = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Part:
    """A request as the backup speaks it; ``plain``: without the emotion that was asked for."""

    request: SpeechRequest
    cast: Cast
    plain: bool


class Failover:
    """Between ``primary`` and ``backup``, if there is one. ``in_pool`` runs something off the event loop."""

    def __init__(
        self, primary: Backend, backup: Backend | None, library: VoiceLibrary, in_pool: InPool
    ) -> None:
        self.backends = (primary,) if backup is None else (primary, backup)
        self._primary = primary
        self._backup = backup
        self._library = library
        self._in_pool = in_pool
        self._moving: dict[asyncio.Task[None], Job] = {}
        if backup is not None:
            primary.rescue = self._rescue
            primary.on_open = lambda: _soon(self._evacuate)
            primary.pool.on_failing = self._has_backup
            backup.pool.on_failing = lambda: not primary.pool.failing

    # ---- asked by the service

    @property
    def stands_in(self) -> bool:
        """Whether the backup speaks for the primary now."""
        backup = self._backup
        return backup is not None and backup.able and not self._primary.able

    @property
    def gave_up(self) -> int | None:
        """The exit code to end with, once no backend can be had."""
        codes = [backend.pool.gave_up for backend in self.backends]
        return None if None in codes else codes[0]

    @property
    def busy(self) -> bool:
        """Whether any request is under way."""
        return bool(self._moving) or any(one.scheduler.jobs for one in self.backends)

    @property
    def moving(self) -> int:
        """Requests between two backends."""
        return len(self._moving)

    async def take(self, job: Job) -> bool:
        """Give a new request to the backup, where that stands in and may speak it. Raises Overloaded, Invalid."""
        part = self._part(job) if self.stands_in else None
        if part is None:
            return False
        await self._place(job, part, "down" if self._primary.pool.failing else "failing")
        return True

    def cancel(self, job: Job, error: TTSError) -> None:
        """Give a request up, wherever it is."""
        home = next((one for one in self.backends if job.id in one.scheduler.jobs), self._primary)
        home.scheduler.cancel(job, error)

    def cancel_all(self, error: Callable[[], TTSError]) -> int:
        """Give every request up; returns how many."""
        between = [job for job in self._moving.values() if not job.ended]
        for job in between:
            job.end(error())
        return len(between) + sum(one.scheduler.cancel_all(error) for one in self.backends)

    async def stop(self) -> None:
        """End all workers."""
        for task in list(self._moving):
            task.cancel()
        await asyncio.gather(
            *self._moving, *(one.pool.stop() for one in self.backends), return_exceptions=True
        )

    # ---- heard from the backends

    def _rescue(self, job: Job, error: TTSError) -> bool:
        part = self._part(job) if isinstance(error, Rescuable) else None
        if part is None:
            return False
        log.warning("request %s goes to the backup: %s", job.request_id, error)
        job.leave()
        task = asyncio.create_task(self._move(job, part, error), name=f"move-{job.request_id}")
        self._moving[task] = job
        task.add_done_callback(self._moved)
        return True

    def _evacuate(self) -> None:
        """The primary gets nothing for a while: what waits there and may be spoken elsewhere need not wait."""
        scheduler = self._primary.scheduler
        for job in list(scheduler.jobs.values()):
            if not job.delivered and not job.in_flight and self._part(job) is not None:
                scheduler.fail(job, EngineFailed("engine_failed", reason="failing"))

    def _has_backup(self) -> bool:
        """Asked while no worker of the primary can be had: whether the backup's can."""
        assert self._backup is not None
        self._backup.pool.start()
        return not self._backup.pool.failing

    # ---- moving

    def _moved(self, task: asyncio.Task[None]) -> None:
        del self._moving[task]
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("a request could not be given to the backup", exc_info=bug)

    async def _move(self, job: Job, part: Part, error: TTSError) -> None:
        try:
            await self._place(job, part, error.code)
        except TTSError as refused:
            log.warning("request %s is not taken by the backup: %s", job.request_id, refused)
        finally:
            if job.turn and not job.ended and self._backup and job.id not in self._backup.scheduler.jobs:
                job.end(error)

    async def _place(self, job: Job, part: Part, reason: str) -> None:
        """Raises Overloaded; Invalid where the backup finds nothing to speak in it."""
        assert self._backup is not None
        self._backup.scheduler.check_room(job.owner, job.background)
        loudest = {name: max(refs, key=lambda ref: ref.weight).key for name, refs in part.cast.items()}
        languages = {info.id: info.language for info in self._backup.frontend.voices()}
        tongues = {name: languages[voice] for name, voice in loudest.items()}
        pieces = await self._in_pool(self._backup.split, part.request, tongues)
        if not pieces:
            raise Invalid("nothing_to_speak", param="input")
        if job.ended:
            return
        job.segments = segments(job.id, part.request, pieces, part.cast)
        code = "backup_speaks_plainly" if part.plain else "backup_speaks"
        job.notice = Notice(
            code,
            backup=self._backup.engine,
            engine=self._primary.engine,
            voice=loudest[pieces[0].voice],
            reason=reason,
        )
        self._backup.submit(job)

    # ---- whether, and in which voice

    def _part(self, job: Job) -> Part | None:
        backup, request = self._backup, job.request
        if backup is None or request is None or not backup.able:
            return None
        if {segment.language for segment in job.segments} - set(backup.spec.languages):
            return None
        plain = request.emotion is not None and not backup.can("emotion")
        cast = self._cast(job, request)
        if not cast or (plain and request.fallback != "any"):
            return None
        kept = {*backup.spec.parameters, "pause_ms"}
        params = {name: value for name, value in request.params.items() if name in kept}
        emotion = None if plain else request.emotion
        return Part(replace(request, emotion=emotion, params=params), cast, plain)

    def _cast(self, job: Job, request: SpeechRequest) -> Cast:
        """Who speaks it on the backup; empty where a part of it is somebody's voice."""
        found = {}
        for name, refs in job.cast.items():
            # of what a mark names none is anybody's
            unnamed = not name and (not request.voice or request.stand_in is not None)
            said = next((one for one in job.segments if one.voice == name), job.segments[0])
            stand_in = request.stand_in if not name else ""
            found[name] = self._voices(
                refs, said.language, stand_in or "", unnamed, request.fallback == "any"
            )
        return found if all(found.values()) else {}

    def _voices(
        self, refs: tuple[VoiceRef, ...], language: str, stand_in: str, anybody: bool, any_will_do: bool
    ) -> tuple[VoiceRef, ...]:
        """Who speaks for ``refs``; nobody where it is somebody's voice, unless ``any_will_do``."""
        assert self._backup is not None
        there = {info.id: info for info in self._backup.frontend.voices()}
        if refs and all(ref.kind == "builtin" and ref.key in there for ref in refs):
            return refs
        stored = self._stored(refs)
        source = source_of(stored) if stored and self._backup.engine == "kokoro" else ""
        named = next((name for name in (stand_in, source) if name in there), "")
        if not named and (anybody or any_will_do):
            gender = stored.gender if stored and not anybody else ""
            named = _anybody(list(there.values()), language, gender)
        return (VoiceRef("builtin", named),) if named else ()

    def _stored(self, refs: tuple[VoiceRef, ...]) -> StoredVoice | None:
        clips = {ref.key for ref in refs if ref.kind == "clip"}
        return next((voice for voice in self._library.shelf.voices if voice.clip in clips), None)


def _soon(action: Callable[[], None]) -> None:
    """Not within the scheduler's own work."""
    asyncio.get_running_loop().call_soon(action)


def _anybody(voices: list[VoiceInfo], language: str, gender: str) -> str:
    """The first voice of that language and gender, or of one of them, or at all."""

    def unlike(info: VoiceInfo) -> tuple[bool, bool]:
        return not info.language.startswith(language), bool(gender) and info.gender != gender

    return min(voices, key=unlike).id if voices else ""
