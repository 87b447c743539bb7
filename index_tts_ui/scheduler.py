"""The bounded, fair queue: it sends a segment only against a credit, and delivers each exactly once.

Everything here runs on the event loop; there are no locks. The scheduler hears one
generation of a worker at a time (``links.Listener``, by way of ``host.WorkerHost``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import DeadlineExceeded, EngineFailed, Overloaded, TTSError, segment_error
from .job import Flight, Job
from .links import Death, WorkerLink
from .policy import FairQueue
from .speech import Audio

log = logging.getLogger("tts.scheduler")

UNREAD_LIMIT = 90.0  # seconds of sound a slow reader may leave unread before its request pauses
STRIKES = 2.0  # deaths alone at which a segment is given up
# a SIGKILL from outside says next to nothing about the segment, yet cannot be let go on for ever
OUTSIDE_STRIKE = 1 / 8
RETRIES = 1  # of a failure that the engine calls retryable


@dataclass(frozen=True)
class Limits:
    """The scheduler's bounds; seconds."""

    max_waiting: int
    segment_timeout: float
    queue_timeout: float


class Scheduler:
    """See the module. ``engine`` names what speaks; ``rows`` is how many segments it works on at once."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.engine = ""
        self.rows = 1
        self.jobs: dict[str, Job] = {}
        self._clock = clock
        self._queue = FairQueue()
        self._suspects: list[tuple[Job, int]] = []  # run again alone, after a worker's death
        self._flights: dict[str, Flight] = {}
        self._link: WorkerLink | None = None
        self._granted = 0
        self._sent = 0
        self._live_before = 0.0
        self._live_since: float | None = None
        self._token_seconds = 0.02  # of engine time per token; a running mean
        self._exclusive = False
        self._held = False
        self._hung = False
        self._step_began: float | None = None  # of the worker's step, by its last beat

    # ---- the door

    @property
    def waiting(self) -> int:
        """Requests that have segments yet to be sent."""
        return sum(job.waiting for job in self.jobs.values())

    @property
    def running(self) -> int:
        """Segments that the worker has."""
        return len(self._flights)

    def check_room(self) -> None:
        """Raises Overloaded where the queue is full."""
        waiting = self.waiting
        if waiting >= self.limits.max_waiting:
            seconds = max(1, min(120, round(self._backlog_seconds())))
            raise Overloaded("queue_full", waiting=waiting, retry_after=seconds)

    def submit(self, job: Job) -> None:
        """Take a request in. Raises Overloaded, at once, where the queue is full."""
        self.check_room()
        job.queued_live = self._live()
        job.on_read = self._pump
        self.jobs[job.id] = job
        self._queue.add(job.id, job.owner.key)
        self._pump()
        if job.started is None:
            self.tell_positions()

    def cancel(self, job: Job, error: TTSError) -> None:
        """Give a request up: what waits is dropped, what runs is stopped."""
        if job.ended:
            return
        self._drop(job)
        job.end(error)
        self._pump()

    def cancel_all(self, error: Callable[[], TTSError]) -> int:
        """Give every request up; returns how many."""
        jobs = list(self.jobs.values())
        for job in jobs:
            self.cancel(job, error())
        return len(jobs)

    def tell_positions(self) -> None:
        """Tell every request that has not started where it stands."""
        seconds = 0.0
        position = 0
        for job_id in self._queue.order():
            job = self.jobs[job_id]
            if job.started is None:
                job.tell_position(position, seconds if self._link else None)
                position += 1
            if job.waiting and job.next_index < len(job.segments):
                seconds += job.segments[job.next_index].tokens * self._token_seconds / self.rows

    def tick(self) -> None:
        """Call it often: bounds are enforced and positions told here."""
        now, live = self._clock(), self._live()
        for job in list(self.jobs.values()):
            self._enforce(job, now, live)
        self._enforce_run(now, live)
        self.tell_positions()

    def stuck_since(self) -> float | None:
        """The oldest cancel that the worker has not acknowledged (monotonic), if any."""
        pending = [
            flight.cancelled_at for flight in self._flights.values() if flight.cancelled_at is not None
        ]
        return min(pending, default=None)

    @property
    def hung(self) -> bool:
        """Whether one step holds several segments past their bound: the worker must go, and each
        is then tried alone, so that only the one to blame fails."""
        return self._hung

    # ---- the worker's side

    def hold(self) -> None:
        """Send this worker nothing more: it goes once what it has is spoken. Requests wait for the next."""
        self._held = True

    def attach(self, link: WorkerLink, engine: str, rows: int) -> None:
        """A worker is ready; it grants credits next."""
        self._link, self._granted, self._sent, self._held = link, 0, 0, False
        self.engine, self.rows = engine, max(1, rows)
        self._live_since = self._clock()

    def grant(self, total: int) -> None:
        """The worker takes up to ``total`` segments, this generation."""
        self._granted = max(self._granted, total)
        self._pump()

    def finished(self, segment_id: str, attempt: int, audio: Audio, engine_seconds: float) -> None:
        """A segment is spoken."""
        flight = self._land(segment_id, attempt)
        if flight is None or flight.job.ended:
            return
        job, index = flight.job, flight.index
        self._learn(job.segments[index].tokens, engine_seconds)
        job.settle(index, audio, engine_seconds)
        self._forget_if_over(job)
        self._pump()

    def failed(self, segment_id: str, attempt: int, code: str, message: str, retryable: bool) -> None:
        """A segment is not spoken; a cancel is acknowledged the same way."""
        flight = self._land(segment_id, attempt)
        if flight is not None and not flight.job.ended:
            self._retry_or_fail(flight, code, message, retryable)
        self._pump()

    def beat(self, busy_s: float) -> None:
        """The worker lives; its step under way has lasted ``busy_s``, 0 if none is."""
        self._step_began = self._clock() - busy_s if busy_s > 0 else None

    def detach(self, death: Death) -> None:
        """The worker is gone: its segments run again, one at a time, so that a killer shows itself."""
        if self._live_since is not None:
            self._live_before, self._live_since = self._live(), None
        self._link, self._hung, self._step_began = None, False, None
        lost = [flight for flight in self._flights.values() if not flight.job.ended]
        alone = len(self._flights) == 1
        self._flights.clear()
        self._exclusive = False
        for flight in lost:
            flight.job.in_flight.discard(flight.index)
            self._suspect(flight, death, alone)

    # ---- inside

    def _live(self) -> float:
        running = 0.0 if self._live_since is None else self._clock() - self._live_since
        return self._live_before + running

    def _pump(self) -> None:
        """Send while there are credits: suspects alone, everybody else by the policy."""
        while self._link and self._sent < self._granted and not (self._exclusive or self._held):
            if self._suspects:
                if self._flights:
                    return  # let the others land first
                self._send(*self._suspects.pop(0), exclusive=True)
                continue
            job_id = self._queue.pick(self._may)
            if job_id is None:
                return
            job = self.jobs[job_id]
            index = job.next_index
            job.next_index += 1
            self._queue.charge(job_id, max(1, job.segments[index].tokens))
            if job.next_index == len(job.segments):
                self._queue.remove(job_id)
            self._send(job, index, exclusive=False)

    def _may(self, job_id: str) -> bool:
        job = self.jobs[job_id]
        return job.unread_seconds < UNREAD_LIMIT

    def _send(self, job: Job, index: int, exclusive: bool) -> None:
        assert self._link is not None
        segment = job.segments[index]
        attempt = job.attempts[index] = job.attempts.get(index, 0) + 1
        if exclusive:
            job.again.remove(index)
        job.in_flight.add(index)
        self._exclusive = exclusive
        self._sent += 1
        self._flights[segment.id] = Flight(job, index, attempt, self._live())
        self._link.admit(segment, attempt, exclusive)
        job.tell_started(self.engine)

    def _land(self, segment_id: str, attempt: int) -> Flight | None:
        flight = self._flights.get(segment_id)
        if flight is None or flight.attempt != attempt:
            return None
        del self._flights[segment_id]
        flight.job.in_flight.discard(flight.index)
        self._exclusive = False  # an exclusive segment is the only one there is
        return flight

    def _retry_or_fail(self, flight: Flight, code: str, message: str, retryable: bool) -> None:
        job, index = flight.job, flight.index
        tried = job.retries.get(index, 0)
        if retryable and tried < RETRIES:
            job.retries[index] = tried + 1
            self._run_again(job, index)
            return
        log.warning("segment %s failed: %s %s", job.segments[index].id, code, message)
        self._drop(job)
        job.end(segment_error(code, message))

    def _suspect(self, flight: Flight, death: Death, alone: bool) -> None:
        job, index = flight.job, flight.index
        if alone:
            job.strikes[index] = job.strikes.get(index, 0.0) + (OUTSIDE_STRIKE if death.outside else 1.0)
        if job.ended:
            return
        if job.strikes.get(index, 0.0) >= STRIKES:
            self._drop(job)
            text = job.segments[index].text
            job.end(EngineFailed("segment_killed_engine", text=text if len(text) <= 60 else text[:59] + "…"))
            return
        self._run_again(job, index)

    def _run_again(self, job: Job, index: int) -> None:
        job.again.append(index)
        self._suspects.append((job, index))

    def _drop(self, job: Job) -> None:
        """Take a request out of every list; what the worker has of it is cancelled there."""
        self._queue.remove(job.id)
        self._suspects = [suspect for suspect in self._suspects if suspect[0] is not job]
        for index in job.in_flight:
            segment_id = job.segments[index].id
            flight = self._flights.get(segment_id)
            if flight is not None and self._link is not None:
                flight.cancelled_at = self._clock()
                self._link.cancel(segment_id)
        self.jobs.pop(job.id, None)

    def _forget_if_over(self, job: Job) -> None:
        if job.ended:
            self._drop(job)

    def _enforce(self, job: Job, now: float, live: float) -> None:
        if job.timeout is not None and now - job.created > job.timeout:
            self.cancel(job, DeadlineExceeded("request_timeout", seconds=job.timeout))
        elif job.started is None and live - job.queued_live > self.limits.queue_timeout:
            self.cancel(job, DeadlineExceeded("queue_timeout", seconds=self.limits.queue_timeout))

    def _enforce_run(self, now: float, live: float) -> None:
        bound = self.limits.segment_timeout
        overdue = [
            flight
            for flight in self._flights.values()
            if flight.cancelled_at is None and live - flight.sent_live > bound
        ]
        frozen = self._step_began is not None and now - self._step_began > bound / 2
        if len(self._flights) > 1 and frozen:
            self._hung = bool(overdue)
            return
        for flight in overdue:
            self.cancel(flight.job, DeadlineExceeded("segment_timeout", seconds=bound))

    def _learn(self, tokens: int, engine_seconds: float) -> None:
        seen = engine_seconds / max(1, tokens)
        self._token_seconds += 0.1 * (seen - self._token_seconds)

    def _backlog_seconds(self) -> float:
        tokens = sum(
            segment.tokens for job in self.jobs.values() for segment in job.segments[job.next_index :]
        )
        return tokens * self._token_seconds / self.rows
