"""Steward: what an operator may do to the running service: see and cancel requests, unload and reload the model."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import Cancelled, Conflict, NotFound, TTSError
from .failover import Failover
from .job import Job

log = logging.getLogger("tts.steward")


@dataclass(frozen=True)
class UnderWay:
    """A request that has not ended, for people. ``engine``: where it is; "" where it shares another's sound."""

    job: Job
    engine: str
    age: float  # seconds


class Steward:
    """``active``: the service's requests by owner and id; ``end`` stops one."""

    def __init__(
        self,
        active: Mapping[tuple[str, str], Job],
        failover: Failover,
        end: Callable[[Job, TTSError], None],
    ) -> None:
        self._active = active
        self._failover = failover
        self._end = end

    # ---- requests

    def requests(self, owner: str | None = None) -> list[UnderWay]:
        """Those under way, the oldest first; ``owner``: of that key alone."""
        jobs = [job for job in self._active.values() if not job.ended and owner in (None, job.owner.key)]
        now = time.monotonic()
        jobs.sort(key=lambda job: job.created)
        return [UnderWay(job, self._engine_of(job), round(now - job.created, 3)) for job in jobs]

    def load(self, owner: str) -> int:
        """What of a status's ``waiting`` and ``running`` is one owner's: requests that wait, segments that run."""
        jobs = [job for job in self._active.values() if not job.ended and job.owner.key == owner]
        return sum(job.waiting + len(job.in_flight) for job in jobs)

    def cancel(self, job_id: str) -> Job:
        """Cancel anybody's request by its internal id. Raises NotFound."""
        job = next((job for job in self._active.values() if job.id == job_id and not job.ended), None)
        if job is None:
            raise NotFound("request_not_found", id=job_id[:128])
        log.warning("an administrator cancels a request", extra={"request": job.request_id})
        self._end(job, Cancelled("cancelled", reason="by an administrator"))
        return job

    def _engine_of(self, job: Job) -> str:
        backends = self._failover.backends
        return next((one.engine for one in backends if job.id in one.scheduler.jobs), "")

    # ---- the model

    def unload(self) -> None:
        """Let the engine rest until the next request. Raises Conflict while there is work, or it is loading."""
        if self._failover.busy:
            raise Conflict("model_busy", count=len(self.requests()))
        primary, *others = self._failover.backends
        primary.pool.unload()
        for backup in others:
            if backup.pool.begun and backup.pool.state == "ready":
                backup.pool.unload()
        log.warning("an administrator unloads the model: it comes back with the next request")

    def reload(self) -> None:
        """Load the model anew, one worker after the other, each once it has spoken what it has.

        Raises Conflict where the service is ending.
        """
        self._failover.backends[0].pool.reload()
        log.warning("an administrator reloads the model")
