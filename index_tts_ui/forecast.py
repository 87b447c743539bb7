"""When will each waiting request begin: the queue rehearsed, on a copy, with the newcomers that are to be expected.

A rehearsal sends segment after segment by the real policy to rows that take as long as rows have lately. Newcomers
go ahead of many who wait, so the recent ones are played once more: a queue under steady load sees their like again.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .policy import FairQueue

WINDOW = 30.0  # seconds of arrivals that are expected again
KEPT = 256  # arrivals, at most
PLAYED_SEGMENTS = 8  # of each newcomer
LIMIT = 3000  # segments of one rehearsal; about 15 ms
PHANTOM = "\0"  # how a played newcomer's name begins: no real one's does
PROBE = "\0\0"  # somebody who comes now, with nothing but time on their side,
BEHIND = 1e12  # as they are so much ahead of all others, in tokens


class Arrival(NamedTuple):
    """A newcomer: when, how far ahead of the others (see ``FairQueue.lead``), and the cost of each segment."""

    at: float
    lead: float
    weight: float
    background: bool
    costs: tuple[int, ...]


class Expected(NamedTuple):
    """One waiting request: ``position`` others begin before it; ``seconds`` until it begins."""

    job: str
    position: int
    seconds: float


class Newcomers:
    """The arrivals of the last ``WINDOW`` seconds."""

    def __init__(self) -> None:
        self._seen: deque[Arrival] = deque(maxlen=KEPT)

    def saw(self, arrival: Arrival) -> None:
        """One more."""
        self._seen.append(arrival)

    def again(self, now: float) -> Iterator[tuple[float, Arrival]]:
        """The same ones, over and over: seconds from now, and who."""
        full = len(self._seen) == KEPT
        window = min(WINDOW, now - self._seen[0].at) if full else WINDOW
        recent = [one for one in self._seen if one.at >= now - window]
        if not recent or window <= 0:
            return
        for lap in itertools.count():
            for one in recent:
                yield lap * window + one.at - (now - window), one


class Rows:
    """The engine's rows in a rehearsal: when each is free, in seconds from now, and ``ahead`` places at the door.
    Background requests leave ``kept`` rows open, and the door."""

    def __init__(self, free_at: Sequence[float], ahead: int, kept: int = 0) -> None:
        self._free = sorted(free_at)
        self._ahead = ahead
        self._kept = min(kept, len(self._free) - 1)
        self._begins: deque[float] = deque([0.0] * ahead, maxlen=max(1, ahead))

    def __len__(self) -> int:
        return len(self._free)

    @property
    def ready(self) -> float:
        """When the next segment can be sent: once there is a row, or a place at the door."""
        return self._begins[0] if self._ahead else self._free[0]

    @property
    def spare(self) -> float:
        """When the next background segment can be sent."""
        return max(self.ready, self._free[self._kept])

    def send(self, seconds: float) -> None:
        """The next segment takes ``seconds``, once it has a row."""
        begin = self._free.pop(0)
        self._begins.append(begin)
        bisect.insort(self._free, begin + seconds)


class Rehearsal:
    """``costs`` of a job's segments yet to be sent, in tokens; ``queue`` is used up. ``steps``: segments sent and
    newcomers let in so far, which take about as long. ``turns``: from when on (in seconds, growing) interactive
    owners are served at which virtual time (``FairQueue.tag``), at least up to ``horizon``."""

    def __init__(
        self,
        queue: FairQueue,
        costs: Callable[[str], Sequence[int]],
        rows: Rows,
        token_seconds: float,
        newcomers: Iterator[tuple[float, Arrival]],
        horizon: float = 0.0,
        began: float = 0.0,
    ) -> None:
        self._queue, self._costs, self._rows = queue, costs, rows
        self._token_seconds = token_seconds
        self._newcomers = newcomers
        self._upcoming = next(newcomers, None)
        self._left: dict[str, deque[int]] = {}
        self._now = 0.0
        self._horizon = horizon
        self._began = began
        self.steps = 0
        self.turns: list[tuple[float, float]] = []
        self._last = math.nan
        if horizon:
            queue.add(PROBE, PROBE, lead=BEHIND, now=began)

    @property
    def last(self) -> float:
        """When somebody begins who comes now and has nothing but time on their side: at the latest; or how far was
        looked, where that is later."""
        return self._now if math.isnan(self._last) else self._last

    def run(self, unstarted: set[str]) -> Iterator[Expected]:
        """All of ``unstarted``, in the order in which they begin."""
        waiting = set(unstarted)
        for _ in range(LIMIT):
            if not waiting and (self._now >= self._horizon or not len(self._queue)):
                return
            self.steps += 1
            self._now = max(self._now, self._rows.ready)
            self._let_in()
            job = self._queue.pick(self._may, self._began + self._now)
            if job is None:
                self._now = min(self._rows.spare, self._upcoming[0] if self._upcoming else math.inf)
                continue
            if job in waiting:
                waiting.discard(job)
                yield Expected(job, len(unstarted) - len(waiting) - 1, self._now)
            if job == PROBE:
                self._last = self._now
                self._queue.remove(PROBE)
                continue
            if not self._queue.is_background(job) and not self._queue.is_due(job, self._began + self._now):
                self.turns.append((self._queue.tag(job), self._now))
            self._send(job)
        for place, job in enumerate(sorted(waiting, key=self._queue.place)):  # too many to rehearse
            self._now += sum(self._costs(job)) * self._token_seconds / len(self._rows)
            yield Expected(job, len(unstarted) - len(waiting) + place, self._now)

    def _let_in(self) -> None:
        while self._upcoming is not None and self._upcoming[0] <= self._now:
            self.steps += 1
            one = self._upcoming[1]
            name = f"{PHANTOM}{len(self._left)}"
            self._queue.add(name, name, one.weight, one.background, one.lead, self._began + self._upcoming[0])
            self._left[name] = deque(one.costs)
            self._upcoming = next(self._newcomers, None)

    def _may(self, job: str) -> bool:
        return not self._queue.is_background(job) or self._rows.spare <= self._now

    def _send(self, job: str) -> None:
        if job not in self._left:
            self._left[job] = deque(self._costs(job))
        cost = self._left[job].popleft()
        self._rows.send(cost * self._token_seconds)
        self._queue.charge(job, cost, self._began + self._now)
        if not self._left[job]:
            self._queue.remove(job)
