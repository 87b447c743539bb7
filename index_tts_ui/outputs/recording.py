"""Recording: one request's sound while it is made and after, with its events for any number of readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from ..audio import to_pcm16
from ..errors import EngineFailed
from ..speech import Audio, Ended, Event, Owner, Piece, Queued, SegmentReady, SpeechRequest, Started, Usage
from .kept import Kept, owner_mark
from .parts import Made, Part, chunks
from .takes import to_json

log = logging.getLogger("tts.outputs")
LEAVE_GRACE = 3.0  # seconds after the last follower left an unfinished recording
ARRIVE_GRACE = 15.0  # seconds for the first follower to come


class Spoken(Protocol):
    """What is known of a request under way, besides its events; see ``handle.Handle``."""

    levels: list[tuple[float, float]]

    @property
    def pieces(self) -> list[Piece]:
        """What its text became."""


class Recording(Kept):
    """Made by ``OutputStore.create``, fed by ``follow``."""

    def __init__(self, folder: Path, output_id: str, rate: int, request_id: str) -> None:
        super().__init__(folder, output_id, rate, request_id)
        self._spoken: Spoken | None = None
        self._queued: Queued | None = None
        self._bell = asyncio.Event()
        self._followers = 0
        self._leave_timer: asyncio.TimerHandle | None = None
        self._abandon: Callable[[], None] = lambda: None

    def made_by(self, owner: Owner, request: SpeechRequest, spoken: Spoken) -> None:
        """Whose it is, and what it is made of: with that, its segments can be made again."""
        self.owner, self.request = owner_mark(owner), to_json(request)
        self._spoken = spoken

    async def follow(self, events: AsyncIterator[Event], abandon: Callable[[], None], attended: bool) -> None:
        """Take the request's stream in, to its end. ``abandon`` is called when nobody listens any more.

        ``attended`` recordings (the page) need a follower; others (``/synthesize``) do not.
        """
        if attended:
            self._abandon = abandon
            self._arm(ARRIVE_GRACE)
        file = None
        try:
            file = self.path.open("wb")
            async for event in events:
                if isinstance(event, SegmentReady):
                    file.write(to_pcm16(event.audio.samples))
                    file.flush()
                self._note(event)
            file.close()
            self._complete()
        except OSError as error:
            log.error("output %s: %s", self.id, error)
            abandon()
            self.error = EngineFailed("disk_full", reason=error.strerror or "write failed")
            self._lengths.clear()
        finally:
            if file is not None:
                file.close()
            self.done = self.done or self.error is not None
            self._disarm()
            self._ring()

    def _note(self, event: Event) -> None:
        if isinstance(event, Queued):
            self._queued = event
        elif isinstance(event, Started):
            self._started, self.texts = event, event.segments
        elif isinstance(event, SegmentReady):
            self.rate = event.audio.rate
            self._lengths.append(len(event.audio.samples))
        elif isinstance(event, Ended):
            self._usage, self.error = event.usage, event.error
        self._ring()

    def _complete(self) -> None:
        """What was spoken stays, also where it failed half way."""
        part = self.path
        if not self._lengths or self._usage is None:
            part.unlink(missing_ok=True)
            return
        if self._spoken is not None:
            self._made = [Made.of(piece) for piece in self._spoken.pieces]
            self._levels = self._spoken.levels[:]
        self.done = True
        part.rename(self.path)
        self.save()

    # ---- reading

    async def events(self) -> AsyncIterator[Event]:
        """From the beginning to ``Ended``, also while it is being made; any number of readers."""
        self._followers += 1
        self._disarm()
        try:
            async for event in self._replay():
                yield event
        finally:
            self._followers -= 1
            if not self._followers and not self.done:
                self._arm(LEAVE_GRACE)

    async def _replay(self) -> AsyncIterator[Event]:
        told: Queued | None = None
        started: Started | None = None
        index = offset = 0
        while True:
            bell = self._bell
            if started is None and self._queued is not None and self._queued != told:
                told = self._queued
                yield told
            if self._started is not None and self._started is not started:
                started = self._started
                yield started
            if self.done:
                for part in self.parts():
                    if part.index >= index:
                        yield self._ready(part)
                error = None if self.whole else self.error
                yield Ended(self._usage or Usage(0, 0, 0, 0.0, 0.0, 0.0, 0.0), error)
                return
            while index < len(self._lengths):
                yield self._ready(self.original(index, offset))
                offset += self._lengths[index]
                index += 1
            await bell.wait()

    def _ready(self, part: Part) -> SegmentReady:
        return SegmentReady(part.index, Audio(self.rate, part.read()))

    def chunks(self) -> Iterator[np.ndarray]:
        """The finished sound as float32 blocks."""
        return chunks(self.parts())

    def _ring(self) -> None:
        """Wake every reader: each waits on the bell it saw, so none misses a stroke."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._leave_timer = asyncio.get_running_loop().call_later(seconds, lambda: self._abandon())

    def _disarm(self) -> None:
        if self._leave_timer is not None:
            self._leave_timer.cancel()
            self._leave_timer = None
