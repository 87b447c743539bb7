"""Who is next: start-time fair queueing over classes, then owners, then an owner's requests. Pure.

Each class, each owner in it, and each request of theirs carries a virtual time: the cost it was
served, divided by its weight. The smallest goes next. Whoever (re)joins starts at the virtual time
that is being served, so nobody saves up credit by being idle. (After Goyal, Vin and Cheng, "Start-time
Fair Queueing", 1996.) While ever new owners come, each with its first segment, that alone would stand still,
and who had one already would never have a second. So it moves on by itself, too, by a part of each owner's fair
share of what is served. (As in Bennett and Zhang, "Hierarchical packet fair queueing algorithms", 1996, but
slower: newcomers still go ahead of most.)

No such time knows how long people wait. Interactive owners who were not served for ``patience`` seconds (over
their weight, if that is more than 1) are due: they go before all others, in the order in which they became so. Thus a
queue that is longer goes round and round, and no newcomer makes anybody wait in vain.

There are two classes. Interactive requests have ten times the weight of background ones: those get what
the others leave, and an eleventh of the service while the others leave nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

BACKGROUND_WEIGHT = 0.1  # beside the interactive class's 1
ROUNDS = 4  # of all who wait, after which who was served comes before whoever is new


class _Member(Protocol):
    @property
    def gone(self) -> bool:
        """Whether it is not in line any more."""

    def key(self) -> tuple[float, ...]:
        """Its place in line: unique, and never smaller than before."""


M = TypeVar("M", bound=_Member)


class _Line(Generic[M]):
    """Members by key, smallest first. Keys that grew, and members that went, are noticed at the front."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[float, ...], M]] = []

    def add(self, member: M) -> None:
        """One more."""
        heapq.heappush(self._heap, (member.key(), member))

    def best(
        self, choose: Callable[[M], str | None], among: Callable[[M], bool] = lambda member: True
    ) -> str | None:
        """What ``choose`` makes of the first member for which that is something; ``among`` those at the front."""
        heap, aside = self._heap, []
        found = None
        while heap and found is None:
            key, member = heap[0]
            if member.gone:
                heapq.heappop(heap)
            elif key != (now := member.key()):
                heapq.heapreplace(heap, (now, member))
            elif not among(member):
                break
            elif (found := choose(member)) is None:
                aside.append(heapq.heappop(heap))
        for item in aside:
            heapq.heappush(heap, item)
        return found


@dataclass(eq=False)
class _Request:
    job: str
    arrival: int
    time: float
    owner: _Owner
    served: bool = False
    gone: bool = False

    def key(self) -> tuple[float, ...]:
        return self.time, self.served, self.arrival


@dataclass(eq=False)
class _Owner:
    name: str
    arrival: int
    time: float
    weight: float
    side: _Class
    now: float = 0.0  # start tag of the last service within this owner
    requests: int = 0
    gone: bool = False
    line: _Line[_Request] = field(default_factory=_Line)
    due: float = math.inf  # by the clock: when it will have waited for long enough

    def key(self) -> tuple[float, ...]:
        return self.time, self.arrival


@dataclass(eq=False)
class _Due:
    """An owner's place by the clock."""

    owner: _Owner

    @property
    def gone(self) -> bool:
        return self.owner.gone

    def key(self) -> tuple[float, ...]:
        return self.owner.due, self.owner.arrival


@dataclass(eq=False)
class _Class:
    weight: float
    time: float = 0.0
    now: float = 0.0  # the virtual time: the start tag of the last service within this class, or later
    weights: float = 0.0  # of its owners
    owners: dict[str, _Owner] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)  # owners who went away ahead of ``now``
    line: _Line[_Owner] = field(default_factory=_Line)
    by_clock: _Line[_Due] = field(default_factory=_Line)
    prune_at: int = 64

    def join(self, owner: _Owner) -> None:
        """One more who waits."""
        self.owners[owner.name] = owner
        self.weights += owner.weight
        self.line.add(owner)
        self.by_clock.add(_Due(owner))

    def leave(self, owner: _Owner) -> None:
        """An owner has no requests any more: forgotten, once others have caught up."""
        owner.gone = True
        del self.owners[owner.name]
        self.weights = self.weights - owner.weight if self.owners else 0.0
        self.left[owner.name] = owner.time
        if len(self.left) >= self.prune_at:
            self.left = {name: time for name, time in self.left.items() if time > self.now}
            self.prune_at = 64 + 2 * len(self.left)


class FairQueue:
    """Jobs by id; costs in tokens; ``now`` in seconds, of any clock that is always the same; so is ``patience``."""

    def __init__(self, patience: float = math.inf) -> None:
        self._patience = patience
        self._classes = (_Class(1.0), _Class(BACKGROUND_WEIGHT))
        self._requests: dict[str, _Request] = {}
        self._now = 0.0
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, job: str) -> bool:
        return job in self._requests

    def add(
        self,
        job: str,
        owner: str,
        weight: float = 1.0,
        background: bool = False,
        lead: float = 0.0,
        now: float = 0.0,
    ) -> None:
        """A request joins. ``lead``: how far, in cost over weight, its owner is ahead of the others."""
        side = self._classes[background]
        self._arrivals += 1
        if not side.owners:
            side.time = max(side.time, self._now)
        flow = side.owners.get(owner)
        if flow is None:
            start = max(side.now + lead, side.left.pop(owner, 0.0))
            flow = _Owner(owner, self._arrivals, start, weight, side, due=now + self._respite(weight))
            side.join(flow)
        request = self._requests[job] = _Request(job, self._arrivals, flow.now, flow)
        flow.requests += 1
        flow.line.add(request)

    def remove(self, job: str) -> None:
        """A request has nothing more to send."""
        request = self._requests.pop(job, None)
        if request is None:
            return
        request.gone = True
        flow = request.owner
        flow.requests -= 1
        if not flow.requests:
            flow.side.leave(flow)

    def pick(self, may: Callable[[str], bool] = lambda job: True, now: float = 0.0) -> str | None:
        """The request whose segment goes next among those that ``may``; None if none may."""

        def of_owner(owner: _Owner) -> str | None:
            return owner.line.best(lambda request: request.job if may(request.job) else None)

        def of_class(side: _Class) -> str | None:
            found = None
            if side is interactive:
                found = side.by_clock.best(lambda one: of_owner(one.owner), lambda one: one.owner.due <= now)
            return side.line.best(of_owner) if found is None and side.owners else found

        interactive, background = self._classes
        first, second = (
            (interactive, background) if interactive.time <= background.time else (background, interactive)
        )
        found = of_class(first)
        return found if found is not None else of_class(second)

    def charge(self, job: str, cost: float, now: float = 0.0) -> None:
        """``job`` was served ``cost`` tokens. Who is behind could not be served: that earns no credit, either."""
        request = self._requests[job]
        flow = request.owner
        side = flow.side
        self._now = max(self._now, side.time)
        start = max(side.now, flow.time)
        # who was due is out of turn: that says nothing about where the others stand
        served = 0.0 if self.is_due(job, now) else flow.time
        side.now = max(side.now + cost / side.weights / ROUNDS, served)
        flow.due = now + self._respite(flow.weight)
        flow.now = max(flow.now, request.time)
        side.time = self._now + cost / side.weight
        flow.time = start + cost / flow.weight
        request.time = flow.now + cost
        request.served = True

    def _respite(self, weight: float) -> float:
        return self._patience / max(1.0, weight)

    def is_background(self, job: str) -> bool:
        """Of which class a request is."""
        return self._requests[job].owner.side is self._classes[1]

    def is_due(self, job: str, now: float) -> bool:
        """Whether its owner has waited for so long that the clock counts."""
        return not self.is_background(job) and self._requests[job].owner.due <= now

    def has(self, owner: str, background: bool = False) -> bool:
        """Whether an owner has requests in that class."""
        return owner in self._classes[background].owners

    def place(self, job: str) -> tuple[float, ...]:
        """Roughly where it stands: who has a smaller one goes, as a rule, before it."""
        request = self._requests[job]
        return request.owner.side.time, *request.owner.key(), *request.key()

    def tag(self, job: str) -> float:
        """The virtual time at which the owner of ``job`` is served next; grows from service to service of a class,
        and who comes with a smaller ``start`` goes before."""
        return self._requests[job].owner.time

    def start(self, owner: str, background: bool = False) -> float:
        """The virtual time at which an owner's next request would be served, roughly."""
        side = self._classes[background]
        if owner in side.owners:
            return side.owners[owner].time
        return max(side.now, side.left.get(owner, 0.0))

    def lead(self, owner: str, background: bool = False) -> float:
        """How far an owner who comes back is ahead of those who are served now (see ``add``)."""
        side = self._classes[background]
        return max(0.0, side.left.get(owner, 0.0) - side.now)

    def copy(self) -> FairQueue:
        """Another one that would go on just as this one."""
        twin = FairQueue(self._patience)
        twin._now, twin._arrivals = self._now, self._arrivals
        for side, other in zip(self._classes, twin._classes, strict=True):
            other.time, other.now, other.left = side.time, side.now, dict(side.left)
            for name, flow in side.owners.items():
                other.join(_Owner(name, flow.arrival, flow.time, flow.weight, other, flow.now, due=flow.due))
        for job, request in self._requests.items():
            side = twin._classes[request.owner.side is self._classes[1]]
            flow = side.owners[request.owner.name]
            twin._requests[job] = _Request(job, request.arrival, request.time, flow, request.served)
            flow.requests += 1
            flow.line.add(twin._requests[job])
        return twin
