"""Where a cluster saturates: the front's process, its network card, the scheduler; from costs that are measured.

Used by ``scale``. The scheduler's cost is taken from the real one on a virtual clock with so many lanes, the front's
from a load through HTTP; the network is arithmetic: float32 at 24 kHz comes in, 16-bit PCM goes out.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index_tts_ui.job import Job
from index_tts_ui.room import UNBOUNDED, Limits
from index_tts_ui.scheduler import Scheduler
from index_tts_ui.speech import Audio, Owner, Segment

from . import lab

GPUS = (10, 100, 1000)
ROWS = 32  # of each GPU
RATE = 24_000
IN_BYTES, OUT_BYTES = 4 * RATE, 2 * RATE  # for each second of sound
CARD_BYTES = 10e9 / 8  # a second, of a 10 Gbit/s card
PARTS = 20  # of a measurement
FULL = 0.8  # of a part, from which on its queue grows
SOUND = Audio(RATE, np.zeros(0, np.float32))
CHANGES = {
    "front": "several fronts, each with replicas of its own (sticky by user); encode in the replica",
    "network": "16-bit or Opus from the replica: a half to a twelfth; or the replica answers the user itself",
    "queue": "an index of lanes by free credit instead of a walk; then a queue for each front",
}


@dataclass(frozen=True)
class Limit:
    """One part at one size. ``load``: of what it can do; ``full_at``: GPUs with which it is ``FULL``."""

    gpus: int
    part: str
    load: float
    full_at: int
    change: str


class _Row:
    """A worker that is done at once when asked; nothing but the scheduler takes time."""

    generation = 1

    def __init__(self, scheduler: Scheduler) -> None:
        self.lane = scheduler.open_lane()
        self.held: list[tuple[str, int]] = []
        self._taken = 0
        self.lane.attach(self, "virtual", ROWS)  # type: ignore[arg-type]
        self.lane.grant(ROWS)

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``."""
        self._taken += 1
        self.held.append((segment.id, attempt))

    def cancel(self, segment_id: str) -> None:
        """Nothing is."""

    def finish(self) -> None:
        """Its oldest is spoken."""
        name, attempt = self.held.pop(0)
        self.lane.grant(self._taken + ROWS - len(self.held))
        self.lane.finished(name, attempt, SOUND, 0.1)


def scheduler_seconds(lanes: int, segments: int = 4000) -> float:
    """CPU that the scheduler takes for one segment with so many busy lanes, and a queue before them.

    The median over twenty parts, without garbage collections: those walk all that the process holds, which here is
    the benchmark's own queue of segments that wait.
    """
    scheduler = Scheduler(Limits(UNBOUNDED, float("inf"), float("inf")))
    rows = [_Row(scheduler) for _ in range(lanes)]
    users = 200
    each = (lanes * ROWS + 2 * segments) // users + 1
    for user in range(users):
        name = f"u{user}"
        made = [Segment(f"{name}/{index}", "", "", 40, "en", ()) for index in range(each)]
        scheduler.submit(Job(name, name, Owner(name), made, 0))
    part = max(segments // PARTS, 1)
    costs = []
    gc.disable()
    try:
        for first in range(0, PARTS * part, part):
            began = time.thread_time()
            for number in range(first, first + part):
                rows[number % lanes].finish()
            costs.append((time.thread_time() - began) / part)
    finally:
        gc.enable()
    return statistics.median(costs)


def limits(
    request_seconds: float,
    gpu_rate: float,
    segment_seconds: float,
    sizes: Sequence[int] = GPUS,
    segments: int = 4000,
) -> list[Limit]:
    """``request_seconds``: the front's CPU for a request of one segment. ``gpu_rate``: sound of one GPU, in seconds a
    second; ``segment_seconds``: sound of a segment. The scheduler runs in the front's process and on its one loop;
    it is shown by itself since other things mend it."""
    found = []
    base = scheduler_seconds(2, segments)
    for gpus in sizes:
        each = gpu_rate / segment_seconds  # segments a second of one GPU
        queue = scheduler_seconds(gpus, segments)
        costs = {
            "front": each * (request_seconds - base + queue),
            "network": gpu_rate * (IN_BYTES + OUT_BYTES) / CARD_BYTES,
            "queue": each * queue,
        }
        for part, cost in costs.items():
            found.append(Limit(gpus, part, round(gpus * cost, 3), int(FULL / cost), CHANGES[part]))
    return found


def report(found: Sequence[Limit]) -> str:
    """A table."""
    heads = ("GPUs", "part", "load", f"{FULL:.0%} full with", "what that asks for")
    rows = [
        [one.gpus, one.part, f"{one.load:.1%}", f"{one.full_at} GPUs", one.change if one.load > FULL else ""]
        for one in found
    ]
    return lab.table(heads, rows)
