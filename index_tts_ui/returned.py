"""Segments that a worker handed back through no fault of theirs: they go out again, first and not alone.

A worker that is busy after all (``links.BUSY``) costs a segment nothing but the wait; one that failed by itself
(``links.ASTRAY``, ``LATE``) is avoided while another may take the segment, and counts as one of its tries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .job import Flight, Job
from .lane import Lane
from .links import ASTRAY, BUSY, LATE

LOSSES = 1  # of its machine that do not count against a segment
TRIES = {ASTRAY: 3, LATE: 2}  # of one segment, in all, the last of which ends so
CODES = (BUSY, *TRIES)


@dataclass
class _Waiting:
    job: Job
    index: int
    avoid: object  # a lane that failed it, if any


class Returned:
    """``lanes`` are the scheduler's own; ``send(lane, job, index, alone)`` gives one to a worker; ``clock`` is
    monotonic."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        send: Callable[[Lane, Job, int, bool], None],
        clock: Callable[[], float],
    ) -> None:
        self._lanes = lanes
        self._send = send
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._waited: dict[tuple[str, int], float] = {}  # seconds, by job and index; until the job is over
        self._looked = clock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, flight: Flight, code: str) -> bool:
        """Have it sent again; False where it was tried too often and is to fail, or came back for another reason."""
        if code not in CODES:
            return False
        job, index = flight.job, flight.index
        if code in TRIES:
            tried = job.retries[index] = job.retries.get(index, 0) + 1
            if tried >= TRIES[code]:
                return False
        self._again(job, index, flight.lane if code in TRIES else None)
        return True

    def acquit(self, flight: Flight) -> bool:
        """Have it sent again, as its worker's machine is gone; False where that happened to it before: it may be
        what machines die of."""
        losses = flight.job.losses
        if losses.get(flight.index, 0) >= LOSSES:
            return False
        losses[flight.index] = losses.get(flight.index, 0) + 1
        self._again(flight.job, flight.index, None)
        return True

    def drop(self, job: Job) -> None:
        """Nobody waits for a request's any more."""
        if self._waited:
            self._waiting = [one for one in self._waiting if one.job is not job]
            self._waited = {key: seconds for key, seconds in self._waited.items() if key[0] != job.id}

    def pump(self, may: Callable[[], bool], not_this: Lane | None) -> None:
        """Send what there are credits for, oldest first; nothing to ``not_this``."""
        for one in list(self._waiting) if self._waiting else ():
            lane = self._lane(one.avoid, not_this)
            if lane is None or not may():
                continue
            self._waiting.remove(one)
            one.job.again.remove(one.index)
            self._send(lane, one.job, one.index, False)

    def overdue(self, seconds: float) -> list[Job]:
        """Requests with one that has waited for a place for longer than that, in all, while there was a worker.
        Call it often."""
        now, before = self._clock(), self._looked
        self._looked = now
        if not self._waiting or not any(lane.live for lane in self._lanes):
            return []
        late: dict[str, Job] = {}
        for one in self._waiting:
            waited = self._waited[one.job.id, one.index] = self._waited[one.job.id, one.index] + now - before
            if waited > seconds:
                late[one.job.id] = one.job
        return list(late.values())

    def _again(self, job: Job, index: int, avoid: object) -> None:
        self._waited.setdefault((job.id, index), 0.0)
        job.again.append(index)
        self._waiting.append(_Waiting(job, index, avoid))

    def _lane(self, avoid: object, not_this: Lane | None) -> Lane | None:
        free = [lane for lane in self._lanes if lane.credit > 0 and lane is not not_this]
        others = [lane for lane in free if lane is not avoid]
        if not others and any(
            lane.serving and lane.flights for lane in self._lanes if lane not in (avoid, not_this)
        ):
            return None  # another one will have a place soon
        return max(others or free, key=lambda lane: lane.credit, default=None)
