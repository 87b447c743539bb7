"""One worker as the scheduler sees it: its credits, what it has in flight, whether that runs alone.

A lane outlives its workers: each generation attaches with its link and detaches at its death.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .job import Flight, Job
from .links import Death, WorkerLink
from .speech import Audio

OPEN_SHARE, LEAST_ROWS = 8, 4  # one row in eight is kept for interactive requests, if there are four


class Desk(Protocol):
    """Who hands segments out and takes them back: the scheduler."""

    def joined(self, engine: str) -> None:
        """A worker is live; ``engine`` names what speaks. It grants credits next."""

    def freed(self) -> None:
        """A lane has more credit, or a place where something was that nobody waits for."""

    def spoken(self, flight: Flight, audio: Audio, engine_seconds: float) -> None:
        """A segment came back as sound; its place is free."""

    def refused(self, flight: Flight, code: str, message: str, retryable: bool) -> None:
        """A segment came back without; its place is free."""

    def left(self, lost: Sequence[Flight], death: Death, alone: bool) -> None:
        """A worker is gone with ``lost``; ``alone``: it worked on nothing else."""


class Lane:
    """See the module. ``rows`` is how many segments its worker speaks at once; ``patience``: how many
    times longer than others it may take for one."""

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        self.flights: dict[str, Flight] = {}
        self.rows = 1
        self.patience = 1.0
        self.coming = False  # whether a worker that died in service is being replaced right now
        self.waking = False  # whether one is loaded because somebody asks again
        self.hung = False  # one step holds several segments past their bound: the worker must go
        self._desk = desk
        self._clock = clock
        self._link: WorkerLink | None = None
        self._granted = 0
        self._sent = 0
        self._capacity = 0  # the most credit this worker ever gave: its rows, and places at its door
        self._held = False
        self._exclusive = False
        self._step_began: float | None = None  # of the worker's step, by its last beat
        self._rests_until = 0.0

    # ---- asked by the scheduler

    @property
    def live(self) -> bool:
        """Whether there is a worker."""
        return self._link is not None

    @property
    def serving(self) -> bool:
        """Whether there is a worker that is to get more."""
        return self._link is not None and not self._held

    @property
    def returning(self) -> bool:
        """Whether there will be a worker to send to in a moment, where there is none now."""
        return self.coming or self.waking or (self._held and self.live)

    @property
    def exclusive(self) -> bool:
        """Whether a segment runs here alone."""
        return self._exclusive

    @property
    def credit(self) -> int:
        """Segments that may be sent here now."""
        if self._link is None or self._exclusive or self._held:
            return 0
        return self._granted - self._sent

    @property
    def ahead(self) -> int:
        """Places at the worker's door, beyond its rows."""
        return max(0, self._capacity - self.rows)

    @property
    def kept(self) -> int:
        """Rows that background requests leave open while people are about."""
        return max(self.rows // OPEN_SHARE, int(self.rows >= LEAST_ROWS))

    @property
    def rest(self) -> float:
        """Seconds for which the worker said that it takes nothing, as far as they are not over."""
        return max(0.0, self._rests_until - self._clock())

    @property
    def occupied(self) -> int:
        """Rows and places at the door that are taken: what is in a later stage is in neither."""
        return max(0, self._capacity - (self._granted - self._sent))

    def send(self, job: Job, index: int, exclusive: bool) -> None:
        """Hand a segment to the worker, against a credit; ``exclusive``: nothing beside it."""
        assert self._link is not None
        segment = job.segments[index]
        attempt = job.attempts[index] = job.attempts.get(index, 0) + 1
        job.in_flight.add(index)
        self._exclusive = exclusive
        self._sent += 1
        self.flights[segment.id] = Flight(
            job, index, attempt, self._clock(), turn=job.turn, tokens=max(1, segment.tokens), lane=self
        )
        self._link.admit(segment, attempt, exclusive)

    def cancel(self, segment_id: str) -> None:
        """Have a segment dropped, if it is here; the worker acknowledges."""
        flight = self.flights.get(segment_id)
        if flight is not None and self._link is not None:
            flight.cancelled_at = self._clock()
            self._link.cancel(segment_id)

    def overdue(self, bound: float) -> list[Flight]:
        """What has run for longer than ``bound`` seconds, times ``patience``. Where several share a step that does not
        end, none is to blame by itself: then the lane is ``hung``, and each is tried alone later."""
        now = self._clock()
        bound *= self.patience
        late = [
            flight
            for flight in self.flights.values()
            if flight.cancelled_at is None and now - flight.sent_at > bound
        ]
        frozen = self._step_began is not None and now - self._step_began > bound / 2
        if len(self.flights) > 1 and frozen:
            self.hung = bool(late)
            return []
        return late

    # ---- told and asked by the worker's host

    @property
    def stuck_since(self) -> float | None:
        """The oldest cancel that the worker has not acknowledged (monotonic), if any."""
        pending = [flight.cancelled_at for flight in self.flights.values() if flight.cancelled_at is not None]
        return min(pending, default=None)

    def hold(self) -> None:
        """Send this worker nothing more: it goes once what it has is spoken."""
        self._held = True

    def attach(self, link: WorkerLink, engine: str, rows: int, patience: float = 1.0) -> None:
        """A worker is ready; it grants credits next."""
        self.patience = patience
        self._link, self._granted, self._sent, self._capacity = link, 0, 0, 0
        self._held = self.coming = self.waking = False
        self._rests_until = 0.0
        self.rows = max(1, rows)
        self._desk.joined(engine)

    def grant(self, total: int) -> None:
        """The worker takes up to ``total`` segments, this generation; where that is less than before, credit
        that was not used is taken back."""
        self._granted = max(total, self._sent)
        self._capacity = max(self._capacity, self._granted - self._sent)
        self._desk.freed()

    def finished(self, segment_id: str, attempt: int, audio: Audio, engine_seconds: float) -> None:
        """A segment is spoken."""
        flight = self._land(segment_id, attempt)
        if flight is None or flight.void:
            self._desk.freed()
        else:
            self._desk.spoken(flight, audio, engine_seconds)

    def failed(self, segment_id: str, attempt: int, code: str, message: str, retryable: bool) -> None:
        """A segment is not spoken; a cancel is acknowledged the same way."""
        flight = self._land(segment_id, attempt)
        if flight is None or flight.void:
            self._desk.freed()
        else:
            self._desk.refused(flight, code, message, retryable)

    def beat(self, busy_s: float, rest_s: float = 0.0) -> None:
        """The worker lives; its step under way has lasted ``busy_s``, 0 if none is. It takes nothing more for
        ``rest_s``."""
        self._rests_until = self._clock() + rest_s if rest_s > 0 else 0.0
        self._step_began = self._clock() - busy_s if busy_s > 0 else None

    def detach(self, death: Death, coming: bool) -> None:
        """The worker is gone. ``coming``: it died in service, and the next one is on its way."""
        alone = len(self.flights) == 1
        lost = list(self.flights.values())
        self.flights.clear()
        self._link, self._step_began = None, None
        self._exclusive = self.hung = self.waking = False
        self.coming = coming
        for flight in lost:
            flight.land()
        self._desk.left([flight for flight in lost if not flight.void], death, alone)

    def _land(self, segment_id: str, attempt: int) -> Flight | None:
        flight = self.flights.get(segment_id)
        if flight is None or flight.attempt != attempt:
            return None
        del self.flights[segment_id]
        flight.land()
        self._exclusive = False  # an exclusive segment is the only one there is
        return flight
