"""What a caller holds of the service: a request under way (``Handle``), and how the service is (``Status``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .audio import Leveler
from .errors import Cancelled, TTSError
from .host import WorkerStatus
from .job import Job
from .speech import Audio, Event, Piece, SegmentReady

T = TypeVar("T")
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

    @property
    def ready(self) -> bool:
        """Whether it can be asked now; a model that left its device after idle time comes back for it."""
        return self.state in ("ready", "asleep", "waking")


class Handle:
    """A request under way: its pieces, its events, its end."""

    def __init__(self, job: Job, pieces: list[Piece], rate: int, keeper: Keeper) -> None:
        self.id = job.request_id
        self.pieces = pieces
        self.rate = rate
        self._job = job
        self._keeper = keeper

    def cancel(self, reason: str) -> None:
        """Give it up: nothing of it runs after the step under way was told to stop."""
        self._keeper.end(self._job, Cancelled("cancelled", reason=reason))

    async def events(self) -> AsyncIterator[Event]:
        """The stream, once: sound is levelled and joined, ready to be encoded back to back.

        Leaving it early cancels the request.
        """
        leveler: Leveler | None = None
        last = len(self.pieces) - 1
        try:
            async for event in self._job.events():
                if isinstance(event, SegmentReady):
                    leveler = leveler or Leveler(event.audio.rate)
                    event = await self._level(leveler, event, last)
                yield event
        finally:
            self.cancel("the client went away")

    async def _level(self, leveler: Leveler, event: SegmentReady, last: int) -> SegmentReady:
        audio, pause = event.audio, self.pieces[event.index].pause_after
        arguments = (audio.samples, pause, event.index == 0, event.index == last)
        if audio.seconds <= INLINE_SECONDS:
            samples = leveler.process(*arguments)
        else:
            samples = await self._keeper.in_pool(leveler.process, *arguments)
        return SegmentReady(event.index, Audio(event.audio.rate, samples))
