"""The bounded, fair queue: it sends a segment only against a credit, and delivers each exactly once.

Everything here runs on the event loop; there are no locks. Each worker is a ``lane.Lane``; a segment is
bound to one as late as can be: when it is sent, to the worker with the most free credit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from .deadlines import Deadlines
from .errors import EngineFailed, TTSError, segment_error
from .guard import Guard
from .job import Flight, Job
from .lane import Lane
from .links import Death
from .outlook import Outlook
from .pace import Pace
from .policy import FairQueue
from .returned import CODES, Returned
from .room import Limits, Room
from .speech import Audio, Owner
from .suspects import Suspects

log = logging.getLogger("tts.scheduler")

UNREAD_LIMIT = 90.0  # seconds of sound a slow reader may leave unread before its request pauses
STRIKES = 2.0  # deaths alone at which a segment is given up
# a SIGKILL from outside says next to nothing about the segment, yet cannot be let go on for ever
OUTSIDE_STRIKE = 1 / 8
DUE = 0.25  # of the longest wait: who was not served for so long comes before others (see FairQueue)
QUIET = 60.0  # seconds without an interactive request after which background ones may take all rows
RETRIES = 1  # of a failure that the engine calls retryable


class Scheduler:
    """See the module; a ``lane.Desk``. ``engine`` names what speaks. ``on_work`` is called at each
    new request: somebody may have to be woken."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.engine = ""
        self.jobs: dict[str, Job] = {}
        self.on_work: Callable[[], None] = lambda: None
        self.on_landed: Callable[[Flight, str], None] = lambda flight, code: None  # code "": as sound
        self.guard = Guard()
        self._clock = clock
        self._queue = FairQueue(DUE * limits.queue_timeout)
        self._pace = Pace()
        self._outlook = Outlook(self._pace)
        self._room = Room(limits, self._pace, clock, self._rows)
        self._heard = float("-inf")  # when the last interactive request came
        self._lanes: list[Lane] = []
        self._suspects = Suspects(self._lanes, self._send)
        self._returned = Returned(self._lanes, self._send, clock)
        self._deadlines = Deadlines(limits, self.jobs, self._lanes, self._returned, clock)
        self._live_before = 0.0
        self._live_since: float | None = None

    def open_lane(self) -> Lane:
        """A place for one more worker."""
        lane = Lane(self, self._clock)
        self._lanes.append(lane)
        return lane

    def close_lane(self, lane: Lane) -> None:
        """Its worker is gone, and none comes after it."""
        if lane in self._lanes:
            self._lanes.remove(lane)

    # ---- the door

    @property
    def waiting(self) -> int:
        """Requests that have segments yet to be sent."""
        return sum(job.waiting for job in self.jobs.values())

    @property
    def crowded(self) -> bool:
        """Whether as many requests wait as rows speak: who comes now waits for a turn of each at least."""
        return self.waiting >= max(1, self._rows())

    @property
    def running(self) -> int:
        """Segments that the workers have."""
        return sum(len(lane.flights) for lane in self._lanes)

    def check_room(self, owner: Owner, background: bool = False) -> None:
        """Raises Overloaded where the queue, or the owner's share of it, is full, or too long to be waited for."""
        self._room.check(owner, background)
        self._deadlines.check_rest()
        if not background:
            now, rows = self._clock(), self._rows()
            self._room.check_wait(
                lambda owners, tokens: self._outlook.wait(now, owner.key, self._queue, owners, tokens, rows)
            )

    def submit(self, job: Job) -> None:
        """Take a request in. Raises Overloaded, at once, where the queue is full."""
        self.check_room(job.owner, job.background)
        self._enter(job)
        self.on_work()
        self._pump()

    def _enter(self, job: Job) -> None:
        key, weight, now = job.owner.key, job.owner.weight, self._clock()
        if not job.background:
            self._heard = now
        job.queued_live = self._live()
        job.on_read = self._pump
        self._outlook.saw(now, job, self._queue)
        self.jobs[job.id] = job
        self._queue.add(job.id, key, weight, job.background, now=now)
        self._room.enter(
            job.id, key, len(job.segments), sum(max(1, segment.tokens) for segment in job.segments)
        )

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

    def fail(self, job: Job, error: TTSError) -> None:
        """End it, unless nothing of it was heard yet and another engine takes it over."""
        self._drop(job)
        if job.delivered or not self.guard.rescues(job, error):
            job.end(error)

    def fail_all(self, error: Callable[[], TTSError]) -> None:
        """No engine speaks them: each request ends, unless another engine takes it over."""
        for job in list(self.jobs.values()):
            self.fail(job, error())

    def tell_positions(self) -> None:
        """Tell every request that has not started where it stands, now."""
        self._look(self._outlook.tell_now)

    def tick(self) -> None:
        """Call it often: bounds are enforced and positions told here."""
        for job, error in self._deadlines.missed(self._live()):
            self.cancel(job, error)
        for job, error in self._deadlines.stuck():
            self.fail(job, error)
            self.guard.failed()
        self._pump()  # the guard may have changed its mind
        self._look(self._outlook.tell)
        self._send_away()

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
        if fault := self.guard.fault(job.segments[index], audio):
            job.reseed(index)
            self.refused(flight, fault, "", retryable=True)
            return
        self.guard.spoke()
        flight.sound = audio.seconds
        self.on_landed(flight, "")
        self._pace.spoken(self._clock(), job.segments[index].tokens, engine_seconds, audio.seconds)
        job.settle(index, audio, engine_seconds)
        self._forget_if_over(job)
        self._pump()

    def refused(self, flight: Flight, code: str, message: str, retryable: bool) -> None:
        """See ``lane.Desk``."""
        self.on_landed(flight, code)
        if not self._returned.take(flight, code):
            self._retry_or_fail(flight, code, message, retryable)
        self._pump()

    def left(self, lost: Sequence[Flight], death: Death, alone: bool) -> None:
        """Its segments run again, one at a time, so that a killer shows itself."""
        if self._live_since is not None and not any(lane.live for lane in self._lanes):
            self._live_before, self._live_since = self._live(), None
        if lost and not death.outside:
            self.guard.failed()
        for flight in lost:
            self._suspect(flight, death, alone)
        self._pump()

    # ---- inside

    def _look(self, tell: Callable[..., object]) -> None:
        keeping, horizon = self._people_about(), self._room.horizon
        tell(self._clock(), self.jobs, self._queue, self._lanes, keeping, horizon)

    def _send_away(self) -> None:
        """Those who would wait in vain can come back all the sooner; not while more workers are about to help."""
        if any(lane.returning for lane in self._lanes):
            return
        waiting = self._deadlines.waiting(self._live())
        for job, wait, late in self._outlook.hopeless(self._clock(), waiting, self._rows()):
            self.cancel(job, self._room.too_long(self.limits.queue_timeout + late, wait))

    def _live(self) -> float:
        running = 0.0 if self._live_since is None else self._clock() - self._live_since
        return self._live_before + running

    def _rows(self) -> int:
        """Segments that are spoken at once, by all workers."""
        return sum(lane.rows for lane in self._lanes if lane.serving)

    def _pump(self) -> None:
        """Send while there are credits: suspects alone, everybody else by the policy."""
        self._suspects.pump(lambda: self.guard.allows(self.running))
        self._returned.pump(lambda: self.guard.allows(self.running), self._suspects.clearing)
        while len(self._queue) and self.guard.allows(self.running) and (lane := self._freest()) is not None:
            if not self._send_next(lane):
                break
        self._pace.load(self._clock(), len(self._queue) > 0 and self._freest() is None, self._rows())

    def _send_next(self, lane: Lane) -> bool:
        """The segment whose turn it is goes to ``lane``; False where none may."""
        now = self._clock()
        job_id = self._queue.pick(lambda job_id: self._may(job_id, lane), now)
        if job_id is None:
            return False
        job = self.jobs[job_id]
        index = job.next_index
        job.next_index += 1
        tokens = max(1, job.segments[index].tokens)
        self._queue.charge(job_id, tokens, now)
        self._room.sent(job_id, tokens)
        if job.next_index == len(job.segments):
            self._queue.remove(job_id)
            self._room.leave(job_id)
        self._send(lane, job, index, exclusive=False)
        return True

    def _freest(self) -> Lane | None:
        """The lane with the most free credit, but for one that is to become empty."""
        best, most = None, 0
        for lane in self._lanes:
            credit = lane.credit
            if credit > most and lane is not self._suspects.clearing:
                best, most = lane, credit
        return best

    def _may(self, job_id: str, lane: Lane) -> bool:
        """Whether a request's next segment may go to ``lane``: not where its reader is slow, nor into the rows
        that background requests leave open while people are about."""
        job = self.jobs[job_id]
        if job.unread_seconds >= UNREAD_LIMIT:
            return False
        keeps = job.background and self._people_about() and lane.kept
        return not keeps or lane.occupied < lane.rows - lane.kept

    def _people_about(self) -> bool:
        return self._clock() - self._heard < QUIET

    def _send(self, lane: Lane, job: Job, index: int, exclusive: bool) -> None:
        lane.send(job, index, exclusive)
        job.tell_started(self.engine)

    def _retry_or_fail(self, flight: Flight, code: str, message: str, retryable: bool) -> None:
        job, index = flight.job, flight.index
        tried = job.retries.get(index, 0)
        if retryable and code not in CODES and tried < RETRIES:
            job.retries[index] = tried + 1
            self._suspects.add(job, index)
            return
        about = {"request": job.request_id}
        log.warning("segment %s failed: %s %s", job.segments[index].id, code, message, extra=about)
        if retryable:  # else it is the segment's fault, as far as the engine can tell
            self.guard.failed()
        self.fail(job, segment_error(code, message))

    def _suspect(self, flight: Flight, death: Death, alone: bool) -> None:
        job, index = flight.job, flight.index
        if flight.void or (death.gone and self._returned.acquit(flight)):
            return
        if alone:
            job.strikes[index] = job.strikes.get(index, 0.0) + (OUTSIDE_STRIKE if death.outside else 1.0)
        if job.strikes.get(index, 0.0) >= STRIKES:
            text = job.segments[index].text
            text = text if len(text) <= 60 else text[:59] + "…"
            self.fail(job, EngineFailed("segment_killed_engine", text=text))
            return
        self._suspects.add(job, index)

    def _drop(self, job: Job) -> None:
        """Take a request out of every list; what the worker has of it is cancelled there."""
        self._queue.remove(job.id)
        self._room.leave(job.id)
        self._suspects.drop(job)
        self._returned.drop(job)
        for index in job.in_flight:
            for lane in self._lanes:
                lane.cancel(job.segments[index].id)
        self.jobs.pop(job.id, None)

    def _forget_if_over(self, job: Job) -> None:
        if job.ended:
            self._drop(job)
