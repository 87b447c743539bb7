"""Sharing: equal requests are spoken once. Those under way at the same time listen to one; later ones get
what was kept.

Each listener has a ``Job`` of its own, which no scheduler knows: it is fed from the one that is spoken, or
from the store, and can be followed and cancelled like any other. What is spoken goes on while anybody
listens, no faster than the fastest of them reads.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from .account import Source
from .answers import Answer, AnswerStore
from .errors import Conflict, DeadlineExceeded, TTSError
from .handle import Handle, Keeper
from .job import Job
from .speech import Audio, Ended, Event, Owner, Queued, Segment, SegmentReady, SpeechRequest, Started

UNREAD_SECONDS = 60.0  # of sound that every listener has yet to read: then no more is asked for
Lead = Callable[[], Awaitable[Handle]]


class Listener(Handle):
    """A request that is answered by another's sound, which is levelled and joined already."""

    def __init__(self, job: Job, rate: int, keeper: Keeper, source: Source) -> None:
        super().__init__(job, rate, keeper)
        self.source = source

    async def events(self) -> AsyncIterator[Event]:
        """See ``Handle.events``."""
        try:
            async for event in self._job.events():
                yield event
        finally:
            self.cancel("the client went away")


class Spoken:
    """One request that is spoken for several. ``lasting``: it goes on when nobody listens any more."""

    def __init__(self, fingerprint: str, lasting: bool) -> None:
        self.fingerprint = fingerprint
        self.settled = asyncio.Event()  # it is known whether there is a ``handle``
        self.handle: Handle | None = None
        self.answer: Answer | None = None  # once all is spoken, and nothing was wrong with it
        self._lasting = lasting
        self._abandoned = False
        self._history: list[Event] = []
        self._listeners: list[Job] = []
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, handle: Handle, over: Callable[[], None]) -> None:
        """Read ``handle`` from now on; ``over`` is called at its end."""
        self.handle = handle
        self._task = asyncio.create_task(self._read(handle), name=f"spoken-{handle.id}")

        def read(_task: asyncio.Task[None]) -> None:
            handle.cancel("nobody listens any more")  # a task that is cancelled at once never began to read
            for job in self._listeners:
                job.end(TTSError("internal"))  # who has heard its end hears no more
            over()

        self._task.add_done_callback(read)

    @property
    def open(self) -> bool:
        """Whether one may join: what everybody left is being stopped."""
        return self.handle is not None and not self._abandoned

    def join(self, job: Job) -> None:
        """One more listener, who hears all from the beginning."""
        assert self.handle is not None
        job.segments = self.handle.job.segments
        job.next_index = len(job.segments)
        for event in self._history:
            self._tell(job, event)
        if not job.ended:
            self._listeners.append(job)
            job.on_read = self._bell.set
            job.observe(lambda event: self._look() if isinstance(event, Ended) else None)

    async def _read(self, handle: Handle) -> None:
        events = handle.events()
        try:
            async for event in events:
                self._history.append(event)
                if isinstance(event, Ended):
                    self.answer = self._made(handle, event) if event.error is None else None
                    self._lasting = True  # nothing is left to be stopped
                for job in self._listeners:
                    self._tell(job, event)
                await self._until_wanted()
        finally:
            await events.aclose()  # type: ignore[attr-defined]

    def _tell(self, job: Job, event: Event) -> None:
        if isinstance(event, Queued):
            job.tell_position(event.position, event.eta)
            return
        if isinstance(event, Started) and self.handle is not None:
            job.started = time.monotonic()
            job.segments = self.handle.job.segments  # others, where a backup engine took over
            job.next_index = len(job.segments)
        elif isinstance(event, SegmentReady):
            job.unread_seconds += event.audio.seconds
            job.delivered += 1
        elif isinstance(event, Ended):
            job.engine_seconds, job.audio_seconds = event.usage.engine_seconds, event.usage.audio_seconds
            job.end(event.error)
            return
        job.tell(event)

    async def _until_wanted(self) -> None:
        while live := [job for job in self._listeners if not job.ended]:
            if any(job.unread_seconds < UNREAD_SECONDS for job in live):
                return
            self._bell.clear()
            await self._bell.wait()

    def _look(self) -> None:
        """Somebody left."""
        self._bell.set()
        if self._task is not None and not self._lasting and all(job.ended for job in self._listeners):
            self._abandoned = True
            self._task.cancel()

    def _made(self, handle: Handle, ended: Ended) -> Answer | None:
        """What is worth keeping: not what a backup engine spoke instead."""
        started = [event for event in self._history if isinstance(event, Started)][-1]
        if started.notice is not None:
            return None
        sounds = [event.audio.samples for event in self._history if isinstance(event, SegmentReady)]
        rate = next(event.audio.rate for event in self._history if isinstance(event, SegmentReady))
        seconds = ended.usage.audio_seconds
        return Answer(self.fingerprint, started.engine, rate, handle.pieces, sounds, seconds)


class Sharing:
    """``enter`` registers a listener's job where requests are found by their id."""

    def __init__(self, store: AnswerStore, keeper: Keeper, enter: Callable[[Job], None]) -> None:
        self._store = store
        self._keeper = keeper
        self._enter = enter
        self._spoken: dict[str, Spoken] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def submit(
        self,
        request: SpeechRequest,
        owner: Owner,
        fingerprint: str,
        lead: Lead,
        *,
        key: str = "",
        keep_seconds: float = 0.0,
    ) -> Handle:
        """Listen to what is spoken or kept under ``key`` (default: ``fingerprint``), else ``lead``.

        With ``keep_seconds`` it goes on to its end also when all listeners leave. Raises what ``lead``
        raises, and Conflict where the key stands for another request.
        """
        key = key or fingerprint
        while (spoken := self._spoken.get(key)) is not None:
            _check(spoken.fingerprint, fingerprint)
            await spoken.settled.wait()
            if spoken.open:
                return self._listen(spoken, request, owner, "shared")
            self._forget(key, spoken)
        spoken = self._spoken[key] = Spoken(fingerprint, bool(keep_seconds))
        try:
            answer = await self._keeper.in_pool(self._store.get, key)
            if answer is not None:
                _check(answer.fingerprint, fingerprint)
                return self._replay(answer, request, owner)
            handle = await lead()
            spoken.begin(handle, lambda: self._over(key, spoken, keep_seconds))
        finally:
            if spoken.handle is None:
                self._forget(key, spoken)
            spoken.settled.set()
        listener = self._listen(spoken, request, owner, "spoken")
        listener.source = handle.source
        return listener

    def _listen(self, spoken: Spoken, request: SpeechRequest, owner: Owner, source: Source) -> Listener:
        assert spoken.handle is not None
        job = self._job(request, owner)
        spoken.join(job)
        listener = Listener(job, spoken.handle.rate, self._keeper, source)
        listener.levels = spoken.handle.levels
        return listener

    def _replay(self, answer: Answer, request: SpeechRequest, owner: Owner) -> Listener:
        job = self._job(request, owner)
        job.segments = [
            Segment(
                f"{job.id}/{index}",
                piece.text,
                piece.spoken,
                piece.tokens,
                piece.language,
                (),
                pause_after=piece.pause_after,
                pause_before=piece.pause_before,
                voice=piece.voice,
                marked=piece.marked,
            )
            for index, piece in enumerate(answer.pieces)
        ]
        job.next_index = len(job.segments)
        job.started = time.monotonic()
        job.tell(Started.of(answer.engine, answer.pieces))
        for index, sound in enumerate(answer.sounds):
            audio = Audio(answer.rate, sound)
            job.unread_seconds += audio.seconds
            job.tell(SegmentReady(index, audio))
        job.audio_seconds = answer.seconds
        job.end(None)
        return Listener(job, answer.rate, self._keeper, "cached")

    def _job(self, request: SpeechRequest, owner: Owner) -> Job:
        request_id = request.id or f"req-{secrets.token_urlsafe(12)}"
        job = Job(secrets.token_hex(8), request_id, owner, (), len(request.text), request.timeout)
        self._enter(job)
        if request.timeout is not None:
            error = DeadlineExceeded("request_timeout", seconds=request.timeout)
            timer = asyncio.get_running_loop().call_later(request.timeout, self._keeper.end, job, error)
            job.observe(lambda event: timer.cancel() if isinstance(event, Ended) else None)
        return job

    def _over(self, key: str, spoken: Spoken, keep_seconds: float) -> None:
        if spoken.answer is None:
            self._forget(key, spoken)
            return

        async def keep(answer: Answer) -> None:
            try:
                await self._keeper.in_pool(self._store.put, key, answer, keep_seconds)
            finally:
                self._forget(key, spoken)  # only now: who comes meanwhile hears it from memory

        task = asyncio.create_task(keep(spoken.answer), name=f"keep-answer-{key[:8]}")
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def _forget(self, key: str, spoken: Spoken) -> None:
        if self._spoken.get(key) is spoken:
            del self._spoken[key]


def _check(kept: str, asked: str) -> None:
    if kept != asked:
        raise Conflict("idempotency_mismatch", param="Idempotency-Key")
