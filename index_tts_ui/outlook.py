"""Tells each waiting request where it stands and when it will begin; learns what that takes to know."""

from __future__ import annotations

import bisect
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .forecast import PLAYED_SEGMENTS, Arrival, Newcomers, Rehearsal, Rows
from .job import Flight, Job
from .lane import Lane
from .pace import SURE, Pace
from .policy import FairQueue

EVERY = 0.25  # seconds between two looks, at least
SECONDS_PER_STEP = 0.004  # and for each step of a rehearsal (some 5 us): an eighth of a percent of the time
LATEST = 1.0  # at most: who comes into a queue of thousands wants to know, too
LEAST_LEFT = 0.1  # of a segment that takes longer than it should: how much of it is still to come


class Outlook:
    """See the module. ``pace`` is the engine's."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._newcomers = Newcomers()
        self._next = float("-inf")
        self._told = float("-inf")  # when everybody was told, and what follows from that:
        self._turns: list[tuple[float, float]] = []  # see Rehearsal
        self._last = 0.0  # until somebody begins who comes after all who are there
        self._steady = False  # the engine was then as fast as it is known to be
        self._behind: dict[str, float] = {}  # seconds until an owner's last request begins
        self._joined = Counter[str]()  # since then: tokens of the first segments that owners brought

    def saw(self, now: float, job: Job, queue: FairQueue) -> None:
        """A request is about to join the queue. Only those of others who wait make somebody wait longer."""
        owner = job.owner
        if not job.background:
            self._joined[owner.key] += sum(max(1, segment.tokens) for segment in job.segments[:1])
        if not queue.has(owner.key, job.background):
            costs = tuple(max(1, segment.tokens) for segment in job.segments[:PLAYED_SEGMENTS])
            lead = queue.lead(owner.key, job.background)
            self._newcomers.saw(Arrival(now, lead, owner.weight, job.background, costs))

    def tell(
        self,
        now: float,
        jobs: Mapping[str, Job],
        queue: FairQueue,
        lanes: Sequence[Lane],
        keeping: bool,
        horizon: float = 0.0,
    ) -> None:
        """Tell everybody, unless that was done a moment ago. ``keeping``: rows are kept for people. ``horizon``:
        seconds that are looked ahead at least, for ``wait``."""
        if now >= self._next:
            steps = self.tell_now(now, jobs, queue, lanes, keeping, horizon)
            self._next = now + max(EVERY, min(LATEST, SECONDS_PER_STEP * steps))

    def tell_now(
        self,
        now: float,
        jobs: Mapping[str, Job],
        queue: FairQueue,
        lanes: Sequence[Lane],
        keeping: bool,
        horizon: float = 0.0,
    ) -> int:
        """Tell everybody who has not begun; returns how many steps that took to rehearse."""
        unstarted = {job.id for job in jobs.values() if job.started is None and job.id in queue}
        self._told, self._turns, self._last = now, [], 0.0
        self._steady = False
        self._behind.clear()
        self._joined.clear()
        if not unstarted and not horizon:
            return 0
        serving = [lane for lane in lanes if lane.serving]

        def costs(job_id: str) -> Sequence[int]:
            job = jobs[job_id]
            return [max(1, segment.tokens) for segment in job.segments[job.next_index :]]

        seen = _seen_so_far(now, serving, self._pace.segment_tokens)
        token_seconds = max(self._pace.row_seconds, seen)
        self._steady = bool(serving) and seen <= self._pace.row_seconds
        rows = _rows(now, serving, keeping, token_seconds, self._pace.segment_tokens)
        newcomers = self._newcomers.again(now)
        horizon += 2 * LATEST if horizon else 0.0  # what is seen there is still to be right at the next look
        rehearsal = Rehearsal(queue.copy(), costs, rows, token_seconds, newcomers, horizon, now)
        for job_id, position, seconds in rehearsal.run(unstarted):
            job = jobs[job_id]
            job.tell_position(position, seconds if serving else None)
            if not job.background:
                self._behind[job.owner.key] = seconds  # they come in order: in the end, its last one's
        self._turns, self._last = rehearsal.turns, rehearsal.last
        return rehearsal.steps

    def hopeless(
        self, now: float, jobs: Iterable[tuple[Job, float]], rows: int
    ) -> list[tuple[Job, float, float]]:
        """Those of ``jobs`` that will not have begun by the end of their patience (each beside it, in seconds from
        now), even if the estimate is somewhat too long; in how many seconds each would begin, and how much of that
        is too late. Asked once after each look. Nobody is, while something takes longer than it should: that may be
        over in a moment."""
        steady, self._steady = self._steady, False
        if not steady or not self._pace.well_known:
            return []
        late = []
        spared = now - self._told  # seconds, and those that others who are late would have taken
        told = ((job, left, place[1]) for job, left in jobs if (place := job.place))
        known = [(job, left, eta) for job, left, eta in told if eta is not None]
        for job, left, eta in sorted(known, key=lambda one: one[2]):
            if SURE * (eta - spared) > left:
                late.append((job, eta - spared, eta - spared - left))
                spared += self._pace.seconds(max(1, job.segments[0].tokens), rows)
        return late

    def wait(self, now: float, owner: str, queue: FairQueue, owners: int, tokens: int, rows: int) -> float:
        """Seconds, roughly, that an interactive request of ``owner`` would wait if it came now, where ``owners``
        have requests in the queue, of ``tokens`` together, and ``rows`` speak; less where it is longer than the
        ``horizon``."""
        mine = self._joined[owner]
        known = mine or owner in self._behind  # each of the others has a turn between any two of one's own
        brought = min(mine * owners, tokens) if known else self._joined.total()
        turn = self._behind.get(owner)
        if turn is None:
            later = bisect.bisect_right(self._turns, (queue.start(owner), math.inf))
            turn = min(self._turns[later][1], self._last) if later < len(self._turns) else self._last
        else:
            turn += self._pace.seconds(owners * self._pace.segment_tokens, rows)
        return max(0.0, turn + self._pace.seconds(brought, rows) - (now - self._told))


def _in_rows(lane: Lane) -> tuple[list[Flight], list[Flight]]:
    """What a lane has in its rows, and at its door."""
    flights = list(lane.flights.values())
    taken = flights[max(0, len(flights) - lane.occupied) :]
    return taken[: lane.rows], taken[lane.rows :]


def _seen_so_far(now: float, lanes: Iterable[Lane], segment_tokens: float) -> float:
    """Seconds that a token takes at least: half of those under way have taken longer. An engine that is slower
    than it was (or than anybody knows, at first) shows so before the first of them is back."""
    ratios = [
        (now - one.sent_at) / (one.tokens + segment_tokens * lane.ahead / lane.rows)
        for lane in lanes
        for one in _in_rows(lane)[0]
    ]
    return statistics.median(ratios) if ratios else 0.0


def _rows(
    now: float, lanes: Sequence[Lane], keeping: bool, token_seconds: float, segment_tokens: float
) -> Rows:
    """All rows there are, with what they have; one free row where there are none."""
    free_at: list[float] = []
    at_door: list[Flight] = []
    for lane in lanes:
        in_rows, waiting = _in_rows(lane)
        at_door += waiting
        delay = segment_tokens * lane.ahead / lane.rows  # at the door, before its row was free
        for one in in_rows:
            seconds = one.sent_at - now + (one.tokens + delay) * token_seconds
            free_at.append(max(seconds, LEAST_LEFT * one.tokens * token_seconds))
        free_at += [0.0] * (lane.rows - len(in_rows))
    kept = sum(lane.kept for lane in lanes) if keeping else 0
    rows = Rows(free_at or [0.0], sum(lane.ahead for lane in lanes), kept)
    for one in at_door:
        rows.send(one.tokens * token_seconds)
    return rows
