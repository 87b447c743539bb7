"""A request on its way: it carries its own state, the scheduler moves it, one reader hears it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from .errors import Notice, TTSError
from .speech import (
    Audio,
    Cast,
    Ended,
    Event,
    Owner,
    Queued,
    Segment,
    SegmentReady,
    SpeechRequest,
    Started,
    Usage,
)

EVENT_SECONDS, EVENT_SHARE = 0.5, 0.1  # by how much an ETA changes before it is told again


@dataclass
class Job:
    """``segments`` go out by ``next_index``; sound comes back in any order and leaves in order.

    Times are ``time.monotonic()`` readings, except ``queued_live``, which is a reading of
    the scheduler's clock that stands still while no engine is live.
    """

    id: str  # unique in this process; segments are named after it
    request_id: str  # what the client knows it by
    owner: Owner
    segments: Sequence[Segment]
    characters: int
    timeout: float | None = None
    background: bool = False  # nobody listens yet: others go first
    created: float = field(default_factory=time.monotonic)
    queued_live: float = 0.0
    next_index: int = 0
    delivered: int = 0
    started: float | None = None
    in_flight: set[int] = field(default_factory=set)
    again: deque[int] = field(default_factory=deque)
    attempts: dict[int, int] = field(default_factory=dict)
    strikes: dict[int, float] = field(default_factory=dict)
    retries: dict[int, int] = field(default_factory=dict)
    losses: dict[int, int] = field(default_factory=dict)
    engine_seconds: float = 0.0
    audio_seconds: float = 0.0
    unread_seconds: float = 0.0
    ended: bool = False
    on_read: Callable[[], None] = lambda: None
    observers: list[Callable[[Event], None]] = field(default_factory=list)  # hear all that is told
    request: SpeechRequest | None = None  # what it was made of
    cast: Cast = field(default_factory=dict)  # who was asked to speak it
    notice: Notice | None = None  # why it is not served as it was asked
    turn: int = 0  # of the backends that have had it
    _ready: dict[int, Audio] = field(default_factory=dict)
    _events: deque[Event] = field(default_factory=deque)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _position: tuple[int, float | None] | None = None
    _told: tuple[int, float | None] = (-1, None)

    @property
    def waiting(self) -> bool:
        """Whether segments of it have yet to be given to the engine."""
        return not self.ended and (self.next_index < len(self.segments) or bool(self.again))

    def tell(self, event: Event) -> None:
        """Put an event on the stream; nothing follows ``Ended``."""
        if self.ended:
            return
        if isinstance(event, Ended):
            self.ended = True
        self._events.append(event)
        self._bell.set()
        for observe in self.observers:
            observe(event)

    def observe(self, observe: Callable[[Event], None]) -> None:
        """Let somebody else hear it, too, with all that its reader has not read yet."""
        for event in self._events:
            observe(event)
        self.observers.append(observe)

    @property
    def place(self) -> tuple[int, float | None] | None:
        """Its position and the seconds until it begins, as told last; None before that, and once it began."""
        return self._position if self.started is None else None

    def tell_position(self, position: int, eta: float | None) -> None:
        """Say where it stands in line, when that changed by more than a clock of one's own would tell."""
        rounded = None if eta is None else round(eta, 1)
        if self.started is not None or (
            self._position is not None and _same((position, rounded), self._told)
        ):
            self._position = (position, rounded)
            return
        self._position = self._told = (position, rounded)
        self.tell(Queued(position, rounded))

    def tell_started(self, engine: str) -> None:
        """Its first segment went to the engine."""
        if self.started is None:
            self.started = time.monotonic()
            self.tell(Started.of(engine, self.segments, self.notice))

    def settle(self, index: int, audio: Audio, engine_seconds: float) -> None:
        """A segment is spoken: deliver what is now in order."""
        self.engine_seconds += engine_seconds
        self._ready[index] = audio
        while self.delivered in self._ready:
            ready = self._ready.pop(self.delivered)
            self.audio_seconds += ready.seconds
            self.unread_seconds += ready.seconds
            self.tell(SegmentReady(self.delivered, ready))
            self.delivered += 1
        if self.delivered == len(self.segments):
            self.end(None)

    def leave(self) -> None:
        """Start over, elsewhere: nothing of it has been heard. What a worker still has of it is void."""
        self.turn += 1
        self.next_index = self.delivered = 0
        self.started = self._position = None
        self.in_flight = set()
        for left in (self.again, self.strikes, self.retries, self.losses, self._ready):
            left.clear()

    def reseed(self, index: int) -> None:
        """Let a segment's next run draw other samples, yet the same ones whenever it comes to this."""
        segment = self.segments[index]
        other = replace(segment, seed=(segment.seed + 1) % 2**32)
        self.segments = [*self.segments[:index], other, *self.segments[index + 1 :]]

    def end(self, error: TTSError | None) -> None:
        """The last event; later ones are dropped."""
        self._ready.clear()
        self.again.clear()
        self.tell(Ended(self.usage(), error))

    def usage(self) -> Usage:
        """What it cost so far."""
        now = time.monotonic()
        return Usage(
            characters=self.characters,
            tokens=sum(segment.tokens for segment in self.segments),
            segments=len(self.segments),
            audio_seconds=round(self.audio_seconds, 3),
            wait_seconds=round((self.started or now) - self.created, 4),
            engine_seconds=round(self.engine_seconds, 4),
            total_seconds=round(now - self.created, 4),
        )

    async def events(self) -> AsyncIterator[Event]:
        """The stream, for its one reader. Reading frees the reader's share of unread sound."""
        while True:
            while self._events:
                event = self._events.popleft()
                if isinstance(event, SegmentReady):
                    self.unread_seconds -= event.audio.seconds
                    self.on_read()
                yield event
                if isinstance(event, Ended):
                    return
            self._bell.clear()
            await self._bell.wait()


def _same(place: tuple[int, float | None], told: tuple[int, float | None]) -> bool:
    """Whether ``told`` still says it well enough."""
    (position, eta), (before, told_eta) = place, told
    if position != before or eta is None or told_eta is None:
        return place == told
    return abs(eta - told_eta) <= max(EVENT_SECONDS, EVENT_SHARE * told_eta)


@dataclass
class Flight:
    """A segment that the worker has: valid only for its attempt."""

    job: Job
    index: int
    attempt: int
    sent_at: float  # monotonic
    cancelled_at: float | None = None  # monotonic; the worker has yet to acknowledge
    turn: int = 0  # the job's, when it was sent
    tokens: int = 1
    sound: float = 0.0  # seconds, once it is spoken
    lane: object = None  # that has it

    @property
    def void(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.job.ended or self.turn != self.job.turn

    def land(self) -> None:
        """It is no longer on its way."""
        if self.turn == self.job.turn:
            self.job.in_flight.discard(self.index)
