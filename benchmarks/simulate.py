"""A day of a thousand users in seconds: the real scheduler on a virtual clock, first come first served against ours.

    python -m benchmarks.simulate [--users 1000] [--hours 24] [--load 0.7] [--rows 16] [--t0 80] [--t1 2] [--seed 1]

The engine is the one thing that is made up: a step advances each row by one token and costs t0 + t1 * rows ms. Users
come and go with the hours. Three classes ask: a chat (a sentence or two, people wait for it), a page (a few paragraphs),
books (hundreds of sentences, in the background, at night as by day). ``--load`` is what the engine is asked for, on
average over the day, as a part of what it can do; in the afternoon people ask for nearly twice their average.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from index_tts_ui.errors import Overloaded
from index_tts_ui.job import Job
from index_tts_ui.room import UNBOUNDED, Limits
from index_tts_ui.scheduler import Scheduler
from index_tts_ui.speech import Audio, Owner, Segment

from . import lab

SOUND = Audio(24_000, np.zeros(0, np.float32))
DAY = 86_400.0


class Kind(NamedTuple):
    """A class of requests: its part of all work, its segments and their tokens (from, to), who waits for it."""

    share: float
    segments: tuple[int, int]
    tokens: tuple[int, int]
    background: bool


KINDS = {
    "chat": Kind(0.35, (1, 2), (10, 60), False),
    "page": Kind(0.35, (4, 16), (40, 120), False),
    "book": Kind(0.30, (100, 400), (60, 120), True),
}


class Arrival(NamedTuple):
    """One request: when, whose, of which kind, and its segments' tokens."""

    at: float
    user: int
    kind: str
    tokens: tuple[int, ...]


@dataclass
class Asked:
    """What became of a request: seconds, on the virtual clock."""

    kind: str
    user: int
    at: float
    first: float = math.nan  # when its first sound was there
    last: float = math.nan
    etas: list[tuple[float, float]] = field(default_factory=list)  # when it was told, and what
    began: float = math.nan
    error: str = ""  # the code, where it was refused or given up
    told: dict[str, Any] = field(default_factory=dict)  # and with what facts


class Engine:
    """A ``WorkerLink`` on the virtual clock: ``rows`` segments advance by a token a step, ``ahead`` wait at its door."""

    def __init__(self, world: World, rows: int, ahead: int, t0: float, t1: float) -> None:
        self._world = world
        self._size, self._ahead, self._t0, self._t1 = rows, ahead, t0, t1
        self._rows: list[tuple[int, int, Segment, int, float]] = []  # (step at which it is done, number, ...)
        self._door: list[tuple[Segment, int]] = []
        self._steps = 0.0  # made so far
        self._told = 0.0  # clock up to which they are counted
        self._taken = 0
        self._numbers = itertools.count()
        self.lane = world.scheduler.open_lane()
        self.lane.attach(self, "virtual", rows)  # type: ignore[arg-type]
        self.lane.grant(rows + ahead)

    def _step_seconds(self) -> float:
        return self._t0 + self._t1 * len(self._rows)

    def _advance(self) -> None:
        now = self._world.now
        if self._rows:
            self._steps += (now - self._told) / self._step_seconds()
        self._told = now

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``."""
        self._advance()
        self._taken += 1
        self._door.append((segment, attempt))
        self._fill()

    def cancel(self, segment_id: str) -> None:
        """Nothing is cancelled here."""

    def _fill(self) -> None:
        while self._door and len(self._rows) < self._size:
            segment, attempt = self._door.pop(0)
            done = math.ceil(self._steps) + segment.tokens
            heapq.heappush(self._rows, (done, next(self._numbers), segment, attempt, self._world.now))

    def next_at(self) -> float:
        """When its next segment is done, if nothing else happens."""
        if not self._rows:
            return math.inf
        return self._told + max(0.0, self._rows[0][0] - self._steps) * self._step_seconds()

    def finish(self) -> None:
        """That time has come."""
        self._advance()
        done, _, segment, attempt, began = heapq.heappop(self._rows)
        self._steps = max(self._steps, float(done))
        self._fill()
        self.lane.grant(self._taken + self._size + self._ahead - len(self._rows) - len(self._door))
        self.lane.finished(segment.id, attempt, SOUND, self._world.now - began)


class World:
    """The clock, a real scheduler, an engine, and what became of each request."""

    def __init__(
        self,
        rows: int = 16,
        t0: float = 0.004,
        t1: float = 0.0001,
        ahead: int | None = None,
        again: Callable[[Asked, float], Arrival | None] = lambda asked, now: None,
        limits: Limits | None = None,
    ) -> None:
        self.now = 0.0
        self.asked: dict[str, Asked] = {}
        self.scheduler = Scheduler(limits or Limits(UNBOUNDED, math.inf, math.inf), clock=lambda: self.now)
        self.engine = Engine(self, rows, rows // 4 if ahead is None else ahead, t0, t1)
        self._again = again  # what a user asks for next, when a request has ended
        self._next: list[Arrival] = []
        self._numbers = itertools.count()

    def run(self, arrivals: Iterable[Arrival], look_every: float = 0.0) -> list[Asked]:
        """Let all arrive, and finish. ``look_every``: seconds between two ``tick``s, at which ETAs are told."""
        self._next = sorted(arrivals)
        look = look_every or math.inf
        while self._next or self.scheduler.jobs:
            at, done = self._next[0].at if self._next else math.inf, self.engine.next_at()
            self.now = max(self.now, min(at, done, look))
            if self.now >= look:
                self.scheduler.tick()
                look += look_every
            elif at <= done:
                self._submit(heapq.heappop(self._next))
            else:
                self.engine.finish()
        return list(self.asked.values())

    def ended(self, asked: Asked) -> None:
        """A request has; its user may have another."""
        if (one := self._again(asked, self.now)) is not None:
            heapq.heappush(self._next, one)

    def _submit(self, one: Arrival) -> None:
        owner, background = Owner(str(one.user)), KINDS[one.kind].background
        name = f"r{next(self._numbers)}"
        segments = [
            Segment(f"{name}/{index}", "", "", tokens, "en", ()) for index, tokens in enumerate(one.tokens)
        ]
        job = Job(name, name, owner, segments, 0, background=background, created=self.now)
        self.asked[name] = Asked(one.kind, one.user, self.now)
        job.tell = _Teller(self, job).tell  # type: ignore[method-assign]
        try:
            self.scheduler.submit(job)
        except Overloaded as error:
            self.asked[name].error = error.code
            self.ended(self.asked[name])


class _Teller:
    """In the place of a reader: what a job tells is noted at once, so that no event loop is needed."""

    def __init__(self, world: World, job: Job) -> None:
        self._world, self._job, self._asked = world, job, world.asked[job.id]

    def tell(self, event: Any) -> None:
        """See ``Job.tell``."""
        asked, now, name = self._asked, self._world.now, type(event).__name__
        if name == "Queued" and event.eta is not None:
            asked.etas.append((now, event.eta))
        elif name == "Started":
            asked.began = now
        elif name == "SegmentReady":
            asked.first = now if math.isnan(asked.first) else asked.first
        elif name == "Ended":
            asked.last, self._job.ended = now, True
            asked.error, asked.told = (event.error.code, event.error.facts) if event.error else ("", {})
            self._world.ended(asked)


def day(users: int, hours: float, work: float, seed: int) -> list[Arrival]:
    """Who asks, when and for what; ``work`` in tokens a second, on average."""
    dice = random.Random(seed)
    arrivals: list[Arrival] = []
    for kind, (share, segments, tokens, _) in KINDS.items():
        mean = sum(segments) / 2 * sum(tokens) / 2
        count = round(share * work * hours * 3600 / mean)
        for _ in range(count):
            at = dice.uniform(0, hours * 3600)
            while kind != "book" and dice.random() > _busy(at):
                at = dice.uniform(0, hours * 3600)
            sizes = tuple(dice.randint(*tokens) for _ in range(dice.randint(*segments)))
            arrivals.append(
                Arrival(at, int(users * dice.random() ** 2), kind, sizes)
            )  # some ask far more than others
    return sorted(arrivals)


def _busy(at: float) -> float:
    """How many are about at a time of day, 0.1 to 1: most at two in the afternoon."""
    return 0.1 + 0.45 * (1 + math.cos(2 * math.pi * (at / DAY - 14 / 24)))


def fifo(arrivals: Sequence[Arrival], rows: int, t0: float, t1: float) -> list[Asked]:
    """The same engine behind a plain queue: first come, first served."""
    world = World(rows, t0, t1)
    world.scheduler._queue = _Line()  # type: ignore[assignment]
    return world.run(arrivals)


class _Line:
    """A plain queue, in the place of the fair one."""

    def __init__(self) -> None:
        self._jobs: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: str, owner: str, weight: float, background: bool, now: float) -> None:
        self._jobs[job] = None

    def remove(self, job: str) -> None:
        self._jobs.pop(job, None)

    def pick(self, may: Callable[[str], bool], now: float) -> str | None:
        return next(iter(self._jobs), None)

    def charge(self, job: str, cost: float, now: float) -> None:
        pass

    def has(self, owner: str, background: bool = False) -> bool:
        return True  # nobody is a newcomer here who goes before others


def by_kind(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Seconds to the first sound, and to the last, of each class."""
    groups: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        groups[one.kind].append(one)
    figures = {}
    for kind, group in groups.items():
        first = sorted(one.first - one.at for one in group)
        whole = sorted(one.last - one.at for one in group)
        figures[kind] = {
            "requests": len(group),
            "first_p50": _part(first, 0.5),
            "first_p95": _part(first, 0.95),
            "first_p99": _part(first, 0.99),
            "whole_p50": _part(whole, 0.5),
            "whole_p95": _part(whole, 0.95),
        }
    return figures


def _part(values: Sequence[float], part: float) -> float:
    return round(values[min(len(values) - 1, int(part * len(values)))], 3)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run both, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--load", type=float, default=0.7)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--t0", type=float, default=80.0, help="ms")
    parser.add_argument("--t1", type=float, default=2.0, help="ms")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-write", action="store_true", help="print only")
    args = parser.parse_args(argv)
    t0, t1 = args.t0 / 1000, args.t1 / 1000
    ability = args.rows / (t0 + t1 * args.rows)  # tokens a second
    arrivals = day(args.users, args.hours, args.load * ability, args.seed)
    began = time.perf_counter()
    found = {
        "fifo": by_kind(fifo(arrivals, args.rows, t0, t1)),
        "ours": by_kind(World(args.rows, t0, t1).run(arrivals)),
    }
    seconds = time.perf_counter() - began
    _print(found, len(arrivals), seconds)
    result = {"asked": vars(args), "requests": len(arrivals), "run_seconds": round(seconds, 1), **found}
    if not args.no_write:
        lab.write("simulate", result)
    return result


def _print(found: dict[str, dict[str, dict[str, float]]], requests: int, seconds: float) -> None:
    rows = []
    for kind in KINDS:
        for line, name in (("fifo", "first come, first served"), ("ours", "this service")):
            figures = found[line].get(kind)
            if figures:
                rows.append([kind, name, *figures.values()])
    heads = ["class", "queue", "requests", "first sound p50", "p95", "p99", "whole p50", "p95"]
    print(f"{requests} requests, simulated in {seconds:.1f} s; seconds on the virtual clock\n")
    print(lab.table(heads, rows))


if __name__ == "__main__":
    main(sys.argv[1:])
