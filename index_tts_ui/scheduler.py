"""The bounded, fair queue: it sends a segment only against a credit, and delivers each exactly once.

Everything here runs on the event loop; there are no locks. Each worker is a ``lane.Lane``; a segment is
bound to one as late as can be: when it is sent, to the worker with the most free credit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import DeadlineExceeded, EngineFailed, Overloaded, TTSError, segment_error
from .job import Flight, Job
from .lane import Lane
from .links import Death
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
    """See the module; a ``lane.Desk``. ``engine`` names what speaks. ``on_work`` is called at each
    new request: somebody may have to be woken."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.engine = ""
        self.jobs: dict[str, Job] = {}
        self.on_work: Callable[[], None] = lambda: None
        self._clock = clock
        self._queue = FairQueue()
        self._lanes: list[Lane] = []
        self._suspects: list[tuple[Job, int]] = []  # run again alone, after a worker's death
        self._clearing: Lane | None = None  # gets nothing until it is empty, for the suspects
        self._live_before = 0.0
        self._live_since: float | None = None
        self._token_seconds = 0.02  # of engine time per token; a running mean

    def open_lane(self) -> Lane:
        """A place for one more worker."""
        lane = Lane(self, self._clock)
        self._lanes.append(lane)
        return lane

    # ---- the door

    @property
    def waiting(self) -> int:
        """Requests that have segments yet to be sent."""
        return sum(job.waiting for job in self.jobs.values())

    @property
    def running(self) -> int:
        """Segments that the workers have."""
        return sum(len(lane.flights) for lane in self._lanes)

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
        self.on_work()
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
        rows = self._rows()
        for job_id in self._queue.order():
            job = self.jobs[job_id]
            if job.started is None:
                job.tell_position(position, seconds if rows else None)
                position += 1
            if job.waiting and job.next_index < len(job.segments):
                seconds += job.segments[job.next_index].tokens * self._token_seconds / max(1, rows)

    def tick(self) -> None:
        """Call it often: bounds are enforced and positions told here."""
        now, live = self._clock(), self._live()
        for job in list(self.jobs.values()):
            self._enforce(job, now, live)
        for lane in self._lanes:
            for flight in lane.overdue(self.limits.segment_timeout):
                seconds = self.limits.segment_timeout * lane.patience
                self.cancel(flight.job, DeadlineExceeded("segment_timeout", seconds=seconds))
        self.tell_positions()

    # ---- the workers' side: lane.Desk

    def joined(self, engine: str) -> None:
        """See ``lane.Desk``."""
        self.engine = engine
        if self._live_since is None:
            self._live_since = self._clock()

    def freed(self) -> None:
        """See ``lane.Desk``."""
        self._pump()

    def spoken(self, flight: Flight, audio: Audio, engine_seconds: float) -> None:
        """See ``lane.Desk``."""
        job, index = flight.job, flight.index
        self._learn(job.segments[index].tokens, engine_seconds)
        job.settle(index, audio, engine_seconds)
        self._forget_if_over(job)
        self._pump()

    def refused(self, flight: Flight, code: str, message: str, retryable: bool) -> None:
        """See ``lane.Desk``."""
        self._retry_or_fail(flight, code, message, retryable)
        self._pump()

    def left(self, lost: Sequence[Flight], death: Death, alone: bool) -> None:
        """Its segments run again, one at a time, so that a killer shows itself."""
        if self._live_since is not None and not any(lane.live for lane in self._lanes):
            self._live_before, self._live_since = self._live(), None
        for flight in lost:
            self._suspect(flight, death, alone)
        self._pump()

    # ---- inside

    def _live(self) -> float:
        running = 0.0 if self._live_since is None else self._clock() - self._live_since
        return self._live_before + running

    def _rows(self) -> int:
        """Segments that are spoken at once, by all workers."""
        return sum(lane.rows for lane in self._lanes if lane.serving)

    def _pump(self) -> None:
        """Send while there are credits: suspects alone, everybody else by the policy."""
        if self._suspects or self._clearing:
            self._pump_suspects()
        while (lane := self._freest()) is not None:
            job_id = self._queue.pick(self._may)
            if job_id is None:
                return
            job = self.jobs[job_id]
            index = job.next_index
            job.next_index += 1
            self._queue.charge(job_id, max(1, job.segments[index].tokens))
            if job.next_index == len(job.segments):
                self._queue.remove(job_id)
            self._send(lane, job, index, exclusive=False)

    def _freest(self) -> Lane | None:
        """The lane with the most free credit, but for one that is to become empty."""
        best, most = None, 0
        for lane in self._lanes:
            credit = lane.credit
            if credit > most and lane is not self._clearing:
                best, most = lane, credit
        return best

    def _pump_suspects(self) -> None:
        """Each goes alone to a worker that has nothing else. One that killed a worker before waits for
        that worker to be replaced rather than be tried on another."""
        empty = [lane for lane in self._lanes if lane.credit > 0 and not lane.flights]
        coming = any(lane.coming for lane in self._lanes)
        for suspect in list(self._suspects) if empty else ():
            job, index = suspect
            if coming and job.strikes.get(index, 0.0) >= 1:
                continue
            self._suspects.remove(suspect)
            job.again.remove(index)
            self._send(empty.pop(), job, index, exclusive=True)
            if not empty:
                break
        self._clearing = self._to_clear() if self._suspects else None

    def _to_clear(self) -> Lane | None:
        """Which lane to empty for the suspects: none where one will be empty by itself, since its worker
        is coming back or speaks a suspect already; those of the other workers are then not held up."""
        if any(lane.coming or lane.exclusive for lane in self._lanes):
            return None
        if self._clearing is not None and self._clearing.serving:
            return self._clearing  # another choice each time might empty none of them
        serving = [lane for lane in self._lanes if lane.serving]
        return min(serving, key=lambda lane: len(lane.flights), default=None)

    def _may(self, job_id: str) -> bool:
        job = self.jobs[job_id]
        return job.unread_seconds < UNREAD_LIMIT

    def _send(self, lane: Lane, job: Job, index: int, exclusive: bool) -> None:
        lane.send(job, index, exclusive)
        job.tell_started(self.engine)

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
            for lane in self._lanes:
                lane.cancel(job.segments[index].id)
        self.jobs.pop(job.id, None)

    def _forget_if_over(self, job: Job) -> None:
        if job.ended:
            self._drop(job)

    def _enforce(self, job: Job, now: float, live: float) -> None:
        if job.timeout is not None and now - job.created > job.timeout:
            self.cancel(job, DeadlineExceeded("request_timeout", seconds=job.timeout))
        elif job.started is None and live - job.queued_live > self.limits.queue_timeout:
            self.cancel(job, DeadlineExceeded("queue_timeout", seconds=self.limits.queue_timeout))

    def _learn(self, tokens: int, engine_seconds: float) -> None:
        seen = engine_seconds / max(1, tokens)
        self._token_seconds += 0.1 * (seen - self._token_seconds)

    def _backlog_seconds(self) -> float:
        tokens = sum(
            segment.tokens for job in self.jobs.values() for segment in job.segments[job.next_index :]
        )
        return tokens * self._token_seconds / max(1, self._rows())
