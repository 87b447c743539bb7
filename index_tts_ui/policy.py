"""Who is next: start-time fair queueing over owners, then over an owner's requests. Pure.

Each owner, and each request within its owner, carries a virtual time: the cost it was
served, divided by its weight. The smallest goes next. Whoever (re)joins starts at the
virtual time that is being served, so nobody saves up credit by being idle, nor is anyone
starved. (After Goyal, Vin and Cheng, "Start-time Fair Queueing", 1996.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class _Entry:
    job: str
    arrival: int
    time: float
    served: bool = False


@dataclass
class _Flow:
    time: float
    weight: float
    now: float = 0.0  # start tag of the last service within this owner
    jobs: dict[str, _Entry] = field(default_factory=dict)


class FairQueue:
    """Jobs by id; costs in tokens."""

    def __init__(self) -> None:
        self._flows: dict[str, _Flow] = {}
        self._owner: dict[str, str] = {}
        self._left: dict[str, float] = {}  # owners who went away ahead of the time being served
        self._now = 0.0
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._owner)

    def add(self, job: str, owner: str, weight: float = 1.0) -> None:
        """A request joins."""
        flow = self._flows.get(owner)
        if flow is None:
            start = max(self._now, self._left.pop(owner, 0.0))
            flow = self._flows[owner] = _Flow(start, weight)
        self._arrivals += 1
        flow.jobs[job] = _Entry(job, self._arrivals, flow.now)
        self._owner[job] = owner

    def remove(self, job: str) -> None:
        """A request has nothing more to send. An owner is forgotten once others have caught up."""
        owner = self._owner.pop(job, None)
        if owner is None:
            return
        flow = self._flows[owner]
        del flow.jobs[job]
        if not flow.jobs:
            del self._flows[owner]
            self._left[owner] = flow.time
            self._left = {name: time for name, time in self._left.items() if time > self._now}

    def pick(self, may: Callable[[str], bool]) -> str | None:
        """The request whose segment goes next among those that ``may``; None if none may."""
        return next((job for job in self.order() if may(job)), None)

    def charge(self, job: str, cost: float) -> None:
        """``job`` was served ``cost`` tokens."""
        flow = self._flows[self._owner[job]]
        entry = flow.jobs[job]
        self._now = max(self._now, flow.time)
        flow.now = max(flow.now, entry.time)
        flow.time += cost / flow.weight
        entry.time += cost
        entry.served = True

    def order(self) -> Iterator[str]:
        """Requests as they stand in line, best first."""
        for flow in sorted(self._flows.values(), key=_by_flow):
            for entry in sorted(flow.jobs.values(), key=_by_job):
                yield entry.job


def _by_flow(flow: _Flow) -> tuple[float, int]:
    return flow.time, min(entry.arrival for entry in flow.jobs.values())


def _by_job(entry: _Entry) -> tuple[float, bool, int]:
    return entry.time, entry.served, entry.arrival
