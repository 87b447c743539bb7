"""Speaker: the talks of one connection, one after the other; their sound goes out as events, in order.

While a part is spoken the next ones are already in the queue, so that they are batched with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import numpy as np

from ..audio.samples import resample, to_pcm16
from ..errors import Invalid, Overloaded, TTSError
from ..service import Handle, SpeechService
from ..speech import Ended, Owner, SegmentReady, SpeechRequest
from .events import Event
from .talk import Talk, Wish

log = logging.getLogger("tts.wyoming")
UNDER_WAY = 3  # parts of a talk that are in the queue or spoken at once
CHUNK_SECONDS = 0.1
GAP_SECONDS = 0.3  # between two parts, as between two sentences
Send = Callable[[Event], Awaitable[None]]


class Speaker:
    """``send`` waits while the client is slow to read; what is not read is not made."""

    def __init__(self, service: SpeechService, owner: Owner, send: Send) -> None:
        self._service = service
        self._owner = owner
        self._send = send

    async def speak(self, talk: Talk) -> None:
        """All of a talk. Leaving it early cancels its requests. Raises TTSError."""
        parts: asyncio.Queue[Handle | TTSError | None] = asyncio.Queue(UNDER_WAY - 1)
        feeder = asyncio.create_task(self._feed(talk, parts), name="wyoming-feed")
        sound = Sound(self._send)
        try:
            while (part := await parts.get()) is not None:
                if isinstance(part, TTSError):
                    raise part
                await self._play(part, sound)
            await sound.end()
        finally:
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)
            while not parts.empty():
                if isinstance(left := parts.get_nowait(), Handle):
                    left.cancel("the client went away")
        if talk.streamed:
            await self._send(Event("synthesize-stopped"))

    async def _feed(self, talk: Talk, parts: asyncio.Queue[Handle | TTSError | None]) -> None:
        """Submit the talk's sentences as they come; a full queue holds up all but the first."""
        handle: Handle | None = None
        try:
            voice = self._voice(talk.wish)
            while text := await talk.take(self._service.config.max_text):
                patience = self._service.config.queue_timeout if handle else 0.0
                handle = await self._submit(SpeechRequest(text, voice), patience)
                try:
                    await parts.put(handle)
                except asyncio.CancelledError:
                    handle.cancel("the client went away")
                    raise
            if handle is None:
                raise Invalid("empty_text", param="text")
            await parts.put(None)
        except TTSError as error:
            await parts.put(error)
        except Exception:  # of a bug; who waits for parts must hear of it
            log.exception("a text could not be submitted")
            await parts.put(TTSError("internal"))

    async def _submit(self, request: SpeechRequest, patience: float) -> Handle:
        """Raises TTSError; Overloaded only after ``patience`` seconds."""
        clock = asyncio.get_running_loop().time
        until = clock() + patience
        while True:
            try:
                return await self._service.submit(request, self._owner)
            except Overloaded as error:
                wait = float(error.retry_after or 1)
                if clock() + wait > until:
                    raise
                await asyncio.sleep(wait)

    def _voice(self, wish: Wish) -> str:
        """Of a language the default voice where that speaks it best, else the first that does."""
        if wish.voice or not wish.language:
            return wish.voice
        service, tongue = self._service, wish.language.partition("-")[0].partition("_")[0].lower()
        seen = [voice for voice in service.voices() if service.sees(self._owner, voice)]
        fitting = [voice.id for voice in seen if voice.language.lower().startswith(tongue)]
        default = service.default_voice()
        return default if default in fitting or not fitting else fitting[0]

    async def _play(self, handle: Handle, sound: Sound) -> None:
        events = handle.events()
        async with contextlib.aclosing(_segments(events)) as segments:
            async for segment in segments:
                await sound.play(segment)
        sound.part_ended()


async def _segments(events: AsyncIterator[object]) -> AsyncGenerator[SegmentReady, None]:
    """Raises the request's error. Leaving it early cancels the request."""
    async with contextlib.aclosing(events):  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, SegmentReady):
                yield event
            elif isinstance(event, Ended) and event.error is not None:
                raise event.error


class Sound:
    """One ``audio-start``, chunks, one ``audio-stop``, however many parts. 16-bit mono."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._rate = 0  # Hz, of the first segment: others are made to fit
        self._samples = 0
        self._gap = False

    async def play(self, segment: SegmentReady) -> None:
        """Send a segment in short chunks."""
        if not self._rate:
            self._rate = segment.audio.rate
            await self._send(Event("audio-start", {**self._format(), "timestamp": 0}))
        samples = resample(segment.audio, self._rate).samples
        if self._gap:
            self._gap = False
            samples = np.concatenate([np.zeros(round(GAP_SECONDS * self._rate), np.float32), samples])
        size = max(1, round(CHUNK_SECONDS * self._rate))
        for start in range(0, len(samples), size):
            pcm = to_pcm16(samples[start : start + size])
            await self._send(Event("audio-chunk", {**self._format(), "timestamp": self._now()}, pcm))
            self._samples += len(pcm) // 2

    def part_ended(self) -> None:
        """What comes next is another sentence."""
        self._gap = True

    async def end(self) -> None:
        """There is no more."""
        if self._rate:
            await self._send(Event("audio-stop", {"timestamp": self._now()}))

    def _format(self) -> dict[str, int]:
        return {"rate": self._rate, "width": 2, "channels": 1}

    def _now(self) -> int:
        """Milliseconds of sound so far."""
        return round(1000 * self._samples / self._rate)
