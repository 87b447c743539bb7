"""Deadlines: which requests have waited or run for longer than they may, and what they are told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from .errors import DeadlineExceeded, Overloaded, TTSError
from .job import Job
from .lane import Lane
from .returned import Returned
from .room import Limits


class Deadlines:
    """Looks at the scheduler's own ``jobs``, ``lanes`` and ``returned``; ``clock`` is monotonic."""

    def __init__(
        self,
        limits: Limits,
        jobs: Mapping[str, Job],
        lanes: Sequence[Lane],
        returned: Returned,
        clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._jobs = jobs
        self._lanes = lanes
        self._returned = returned
        self._clock = clock

    @property
    def rest(self) -> float:
        """Seconds until any worker takes something again; 0 where one does now, or none is there to ask."""
        return min((lane.rest for lane in self._lanes if lane.serving), default=0.0)

    def check_rest(self) -> None:
        """Raises Overloaded where all workers rest for longer than a request may wait."""
        if self.rest > self._limits.queue_timeout:
            raise self._busy()

    def missed(self, live: float) -> Iterator[tuple[Job, TTSError]]:
        """Requests to be given up. ``live``: the reading of the clock that stands still without a worker."""
        now, limits = self._clock(), self._limits
        for job in list(self._jobs.values()):
            if job.timeout is not None and now - job.created > job.timeout:
                yield job, DeadlineExceeded("request_timeout", seconds=job.timeout)
            elif self._waits(job) and self._left(job, live) < 0:
                late = DeadlineExceeded("queue_timeout", seconds=limits.queue_timeout)
                yield job, self._busy() if self.rest else late
        for job in self._returned.overdue(limits.queue_timeout):
            yield job, self._busy()

    def waiting(self, live: float) -> Iterator[tuple[Job, float]]:
        """Requests that may not wait for ever, and for how many seconds more each may."""
        return ((job, self._left(job, live)) for job in self._jobs.values() if self._waits(job))

    def _left(self, job: Job, live: float) -> float:
        return self._limits.queue_timeout - (live - job.queued_live)

    @staticmethod
    def _waits(job: Job) -> bool:
        return job.started is None and not job.background

    def stuck(self) -> Iterator[tuple[Job, TTSError]]:
        """Requests with a segment that a worker has had for too long."""
        for lane in self._lanes:
            for flight in lane.overdue(self._limits.segment_timeout):
                seconds = self._limits.segment_timeout * lane.patience
                if not flight.void:
                    yield flight.job, DeadlineExceeded("segment_timeout", seconds=seconds)

    def _busy(self) -> Overloaded:
        return Overloaded("workers_busy", retry_after=max(1, math.ceil(self.rest)))
