"""What a caller holds of the service: a request under way (``Handle``), and how the service is (``Status``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from .account import Source
from .audio import Leveler, resample
from .backend import BackendStatus
from .errors import Cancelled, TTSError
from .host import WorkerStatus
from .job import Job
from .speech import Audio, Event, Piece, SegmentReady, SpeechRequest

T = TypeVar("T")
NOTHING_HEARD = (0.0, 0.0)  # see ``Leveler.known``
INLINE_SECONDS = 2.0  # of sound: up to here levelling is quicker than handing it to another thread


class Keeper(Protocol):
    """What a handle needs of the service."""

    def end(self, job: Job, error: TTSError) -> None:
        """Stop a request, if it has not ended, and forget it."""

    def in_pool(self, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Run something short off the event loop."""


@dataclass(frozen=True)
class Status:
    """What the service is doing, for people and probes."""

    state: str  # loading, ready, asleep, waking, restarting, down, draining
    engine: str
    fraction: float
    text: str
    reason: str
    waiting: int
    running: int
    max_waiting: int
    restarts: int
    workers: tuple[WorkerStatus, ...] = ()
    hint: str = ""  # of ``errors.MESSAGES``: how to get a better engine
    backends: tuple[BackendStatus, ...] = ()  # the engine, and what stands in for it
    stands_in: bool = False  # whether the backup speaks for the engine now

    @property
    def ready(self) -> bool:
        """Whether it can be asked now; a model that left its device after idle time comes back for it."""
        serving = [one.state for one in self.backends[1:]] if self.stands_in else [self.state]
        return self.state != "draining" and any(state in ("ready", "asleep", "waking") for state in serving)


class Handle:
    """A request under way: its pieces, its events, its end."""

    def __init__(self, job: Job, rate: int, keeper: Keeper) -> None:
        self.id = job.request_id
        self.rate = rate
        self._job = job
        self._keeper = keeper
        self.asked: SpeechRequest | None = None  # as it came
        self.raw = False  # its sound is not levelled
        self.level = NOTHING_HEARD  # what the leveller knows at its beginning ...
        self.levels: list[tuple[float, float]] = []  # ... and before each segment so far

    source: Source = "spoken"

    @property
    def job(self) -> Job:
        """The request itself."""
        return self._job

    @property
    def pieces(self) -> list[Piece]:
        """What the text became; others, before the first sound, where a backup engine takes over."""
        return [
            Piece(
                item.text,
                item.spoken,
                item.tokens,
                item.language,
                item.pause_after,
                item.voice,
                item.marked,
                item.pause_before,
            )
            for item in self._job.segments
        ]

    def cancel(self, reason: str) -> None:
        """Give it up: nothing of it runs after the step under way was told to stop."""
        self._keeper.end(self._job, Cancelled("cancelled", reason=reason))

    async def events(self) -> AsyncIterator[Event]:
        """The stream, once: sound is levelled and joined, ready to be encoded back to back.

        Leaving it early cancels the request.
        """
        leveler: Leveler | None = None
        rate = 0
        try:
            async for event in self._job.events():
                if isinstance(event, SegmentReady):
                    rate = rate or event.audio.rate
                    leveler = leveler or Leveler(rate, self.level)
                    event = await self._at(rate, event)
                    self.levels.append(leveler.known)
                    event = await self._level(leveler, event)
                yield event
        finally:
            self.cancel("the client went away")

    async def _at(self, rate: int, event: SegmentReady) -> SegmentReady:
        """At the rate of the first one: not every worker of an engine need have the same."""
        if event.audio.rate == rate:
            return event
        return SegmentReady(event.index, await self._keeper.in_pool(resample, event.audio, rate))

    async def _level(self, leveler: Leveler, event: SegmentReady) -> SegmentReady:
        audio, segments = event.audio, self._job.segments
        pause, last = segments[event.index].pause_after, len(segments) - 1
        if self.raw:
            rest = np.zeros(0 if event.index == last else round(pause * audio.rate), np.float32)
            return SegmentReady(event.index, Audio(audio.rate, np.concatenate([audio.samples, rest])))
        arguments = (audio.samples, pause, event.index == 0, event.index == last)
        if audio.seconds <= INLINE_SECONDS:
            samples = leveler.process(*arguments)
        else:
            samples = await self._keeper.in_pool(leveler.process, *arguments)
        if silence := round(segments[event.index].pause_before * event.audio.rate):
            samples = np.concatenate([np.zeros(silence, np.float32), samples])
        return SegmentReady(event.index, Audio(event.audio.rate, samples))
