"""Segments that run again after a worker's death or a failure: each alone, so that a killer shows itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .job import Job
from .lane import Lane


class Suspects:
    """``clearing`` is a lane that gets nothing until it is empty, for them. ``lanes`` are the scheduler's own;
    ``send(lane, job, index, alone)`` gives one to a worker."""

    def __init__(self, lanes: Sequence[Lane], send: Callable[[Lane, Job, int, bool], None]) -> None:
        self.clearing: Lane | None = None
        self._lanes = lanes
        self._send = send
        self._waiting: list[tuple[Job, int]] = []

    def add(self, job: Job, index: int) -> None:
        """One more."""
        job.again.append(index)
        self._waiting.append((job, index))

    def drop(self, job: Job) -> None:
        """Nobody waits for a request's any more."""
        self._waiting = [suspect for suspect in self._waiting if suspect[0] is not job]

    def pump(self, may: Callable[[], bool]) -> None:
        """Each goes alone to a worker that has nothing else, while it ``may``. One that killed a worker before
        waits for that worker to be replaced rather than be tried on another."""
        if not (self._waiting or self.clearing) or not may():
            return
        empty = [lane for lane in self._lanes if lane.credit > 0 and not lane.flights]
        coming = any(lane.coming for lane in self._lanes)
        for suspect in list(self._waiting) if empty else ():
            job, index = suspect
            if coming and job.strikes.get(index, 0.0) >= 1:
                continue
            self._waiting.remove(suspect)
            job.again.remove(index)
            self._send(empty.pop(), job, index, True)
            if not empty or not may():
                break
        self.clearing = self._to_clear() if self._waiting else None

    def _to_clear(self) -> Lane | None:
        """Which lane to empty for them: none where one will be empty by itself, since its worker is coming back
        or speaks one already; those of the other workers are then not held up."""
        if any(lane.coming or lane.exclusive for lane in self._lanes):
            return None
        if self.clearing is not None and self.clearing.serving:
            return self.clearing  # another choice each time might empty none of them
        serving = [lane for lane in self._lanes if lane.serving]
        return min(serving, key=lambda lane: len(lane.flights), default=None)
