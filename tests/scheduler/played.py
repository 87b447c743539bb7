"""Played workers behind a real scheduler, and what is known of every segment: no process, no clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from index_tts_ui.errors import Cancelled, EngineFailed
from index_tts_ui.job import Job
from index_tts_ui.lane import Lane
from index_tts_ui.links import Death
from index_tts_ui.scheduler import Limits, Scheduler
from index_tts_ui.speech import Audio, Segment, SegmentReady

from .bench import ended, job, listen

SOUND = Audio(24_000, np.zeros(24, np.float32))
STALE = Audio(24_000, np.ones(24, np.float32))
CRASH, KILLED = Death("crash", -11), Death("killed", -9, outside=True)


@dataclass
class Worker:
    """A played worker: it checks what it is sent; ``rows`` segments are granted at once."""

    lane: Lane
    rows: int
    alive: bool = False
    taken: int = 0
    granted: int = 0
    held: dict[str, tuple[int, bool]] = field(default_factory=dict)  # id -> attempt, exclusive
    cancelled: set[str] = field(default_factory=set)
    generation: int = 0

    def attach(self) -> None:
        """A new generation."""
        self.alive, self.taken, self.granted = True, 0, 0
        self.lane.attach(self, "played", self.rows)  # type: ignore[arg-type]
        self.grant()

    def grant(self) -> None:
        """As many as there is room for."""
        self.granted = self.taken + self.rows - len(self.held)
        self.lane.grant(self.granted)

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``: never without a credit, never beside one that is to be alone."""
        assert self.alive and self.taken < self.granted, "sent without a credit"
        assert not (exclusive and self.held), "a suspect was not alone"
        assert not any(alone for _, alone in self.held.values()), "something was sent beside a suspect"
        assert segment.id not in self.held
        self.taken += 1
        self.held[segment.id] = (attempt, exclusive)

    def cancel(self, segment_id: str) -> None:
        """See ``WorkerLink``."""
        assert segment_id in self.held
        self.cancelled.add(segment_id)

    def finish(self, segment_id: str) -> None:
        """It is spoken, or its cancel is acknowledged."""
        attempt, _ = self.held.pop(segment_id)
        self.lane.finished(segment_id, attempt - 1, STALE, 0.01)  # too late: that attempt was given up
        if segment_id in self.cancelled:
            self.cancelled.discard(segment_id)
            self.lane.failed(segment_id, attempt, "cancelled", "", False)
        else:
            self.lane.finished(segment_id, attempt, SOUND, 0.01)
        self.grant()

    def refuse(self, segment_id: str) -> None:
        """It ran out of memory."""
        attempt, _ = self.held.pop(segment_id)
        self.cancelled.discard(segment_id)
        self.lane.failed(segment_id, attempt, "out_of_memory", "", True)
        self.grant()

    def die(self, death: Death, coming: bool) -> list[str]:
        """Returns what it held."""
        lost = list(self.held)
        self.alive = False
        self.held.clear()
        self.cancelled.clear()
        self.lane.detach(death, coming)
        return lost


class World:
    """A scheduler, its played workers, and what is known of every segment."""

    def __init__(self, rows: list[int]) -> None:
        self.scheduler = Scheduler(Limits(10_000, 1e9, 1e9), clock=lambda: 0.0)
        self.workers = [Worker(self.scheduler.open_lane(), count) for count in rows]
        self.jobs: list[Job] = []
        self.cancelled: set[str] = set()
        self.alone = Counter[str]()  # deaths that a segment was alone at
        self.refused = Counter[str]()

    def do(self, what: str, number: int) -> None:
        """One event; ``number`` chooses whom it meets."""
        worker = self.workers[number % len(self.workers)]
        if what == "submit":
            self.jobs.append(job("One. " * (1 + number % 5), owner=str(number % 3)))
            self.scheduler.submit(self.jobs[-1])
        elif what == "attach" and not worker.alive:
            worker.attach()
        elif what in ("crash", "kill", "rest") and worker.alive:
            self._die(worker, what, number)
        elif what in ("finish", "refuse") and worker.held:
            segment_id = sorted(worker.held)[number // 3 % len(worker.held)]
            if what == "refuse" and segment_id not in worker.cancelled:
                self.refused[segment_id] += 1
            (worker.finish if what == "finish" else worker.refuse)(segment_id)
        elif what == "cancel" and self.jobs:
            request = self.jobs[number % len(self.jobs)]
            if not request.ended:
                self.cancelled.add(request.id)
            self.scheduler.cancel(request, Cancelled("cancelled", reason="test"))
        elif what == "hold" and worker.alive:
            worker.lane.hold()
        self.scheduler.tick()

    def _die(self, worker: Worker, what: str, number: int) -> None:
        if what == "rest" and worker.held:
            return  # only an idle worker is sent to rest
        lost = worker.die(KILLED if what == "kill" else CRASH, coming=what != "rest" and number % 2 == 0)
        if len(lost) == 1 and what == "crash":
            self.alone[lost[0]] += 1
        elif len(lost) == 1 and what == "kill":
            self.alone[lost[0]] += 1 / 8  # type: ignore[assignment]

    def finish_everything(self) -> None:
        """From here on all goes well: whatever is still wanted must come to its end."""
        for worker in self.workers:
            if worker.alive and not worker.held:
                worker.die(CRASH, coming=False)  # it may have been told to hold
            if not worker.alive:
                worker.attach()
        for _ in range(10_000):
            busy = [worker for worker in self.workers if worker.held]
            if not busy:
                break
            for worker in busy:
                worker.finish(next(iter(worker.held)))
                if not worker.held and not worker.lane.serving:
                    worker.die(CRASH, coming=True)
                    worker.attach()
        assert not self.scheduler.jobs, "a request was left behind"
        assert self.scheduler.waiting == self.scheduler.running == 0

    def check(self) -> None:
        """Each request ended once, and with all its sound in order unless there was a reason."""

        async def read() -> list[list[object]]:
            return [await listen(request, 5) for request in self.jobs]  # type: ignore[misc]

        for request, events in zip(self.jobs, asyncio.run(read()), strict=True):
            sound = [event for event in events if isinstance(event, SegmentReady)]
            assert all(event.audio is SOUND for event in sound), "an answer that was given up is heard"
            heard = [event.index for event in sound]
            assert heard == list(range(len(heard))), "twice, or out of order"
            error = ended(events).error  # type: ignore[arg-type]
            if error is None:
                assert len(heard) == len(request.segments)
            elif isinstance(error, Cancelled):
                assert request.id in self.cancelled
            else:
                assert isinstance(error, EngineFailed)
                self._is_to_blame(request, error.code)

    def _is_to_blame(self, request: Job, code: str) -> None:
        ids = [segment.id for segment in request.segments]
        if code == "segment_killed_engine":
            assert max(self.alone[name] for name in ids) >= 2, "an innocent was given up"
        else:
            assert code == "out_of_memory" and max(self.refused[name] for name in ids) == 2
