"""From a request's events to the bytes of a response, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Literal, TypeVar

import numpy as np
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..audio import FORMATS, Encoder
from ..errors import Cancelled, TTSError
from ..outputs import Recording
from ..service import Handle, SpeechService
from ..speech import Audio, Ended, Event, SegmentReady, Started, Usage

log = logging.getLogger("tts.api")
T = TypeVar("T")

BLOCK_SECONDS = 1.0  # of sound encoded at a time: a long segment's first bytes need not wait for its last
PING_SECONDS = 10.0
INLINE = ("wav", "pcm")  # cheaper to encode than to hand to another thread
FRAMES_PER_SECOND = 25  # OpenAI counts audio tokens; ours are frames of 40 ms
SSE_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
PING = b": ping\n\n"


@contextlib.asynccontextmanager
async def attended(handle: Handle, receive: Receive) -> AsyncIterator[None]:
    """The request is cancelled when its client hangs up, and when the block is left before its end."""
    watcher = asyncio.create_task(_cancel_when_gone(handle, receive), name=f"watch-{handle.id}")
    try:
        yield
    finally:
        watcher.cancel()
        handle.cancel("the client went away")  # nothing happens to a request that has ended


async def _cancel_when_gone(handle: Handle, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    handle.cancel("the client closed the connection")


async def first_sound(events: AsyncIterator[Event]) -> tuple[Started, SegmentReady]:
    """What speaks, and the first segment. Raises the request's error where it ends without one."""
    started = Started("", ())
    async for event in events:
        if isinstance(event, Started):
            started = event
        elif isinstance(event, SegmentReady):
            return started, event
        elif isinstance(event, Ended) and event.error is not None:
            raise event.error
    raise TTSError("internal")


def engine_headers(started: Started) -> dict[str, str]:
    """Which engine speaks, and why it is another one than usual."""
    headers = {"x-tts-engine": started.engine}
    if started.notice is not None:
        headers["x-tts-note"] = started.notice.message().encode("ascii", "replace").decode()
    return headers


def blocks(samples: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """``samples`` in pieces of at most ``count``."""
    return (samples[start : start + count] for start in range(0, len(samples), count))


class Coder:
    """An encoder that stays off the event loop where encoding is work."""

    def __init__(self, service: SpeechService, fmt: str, rate: int, total_samples: int | None = None) -> None:
        self._encoder = Encoder(fmt, rate, total_samples)
        self._inline = fmt in INLINE
        self._in_pool = service.in_pool
        self._block = int(rate * BLOCK_SECONDS)

    async def encode(self, samples: np.ndarray) -> AsyncIterator[bytes]:
        """The bytes of ``samples``, as they come; never empty ones."""
        for block in blocks(samples, self._block):
            data = (
                self._encoder.encode(block)
                if self._inline
                else await self._in_pool(self._encoder.encode, block)
            )
            if data:
                yield data

    async def finish(self) -> bytes:
        """What is left."""
        return self._encoder.finish() if self._inline else await self._in_pool(self._encoder.finish)


async def encoded(
    first: SegmentReady, events: AsyncIterator[Event], coder: Coder
) -> AsyncGenerator[bytes | Ended, None]:
    """The file's bytes, then ``Ended``. Where that has an error, the file is not complete."""
    async for data in coder.encode(first.audio.samples):
        yield data
    async for event in events:
        if isinstance(event, SegmentReady):
            async for data in coder.encode(event.audio.samples):
                yield data
        elif isinstance(event, Ended):
            if event.error is None and (rest := await coder.finish()):
                yield rest
            yield event


async def parts(first: SegmentReady, events: AsyncIterator[Event], coder: Coder) -> AsyncIterator[bytes]:
    """The file's bytes alone. Raises the request's error."""
    async for item in encoded(first, events, coder):
        if isinstance(item, bytes):
            yield item
        elif item.error is not None:
            raise item.error


async def with_pings(
    items: AsyncGenerator[T, None], seconds: float = PING_SECONDS
) -> AsyncGenerator[T | None, None]:
    """``items``, and None after every ``seconds`` without one."""
    pending = asyncio.ensure_future(anext(items))
    try:
        while True:
            await asyncio.wait({pending}, timeout=seconds)
            if not pending.done():
                yield None
                continue
            try:
                item = pending.result()
            except StopAsyncIteration:
                return
            yield item
            pending = asyncio.ensure_future(anext(items))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await items.aclose()


def sse(data: dict[str, Any], event: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def usage_json(usage: Usage) -> dict[str, int]:
    """OpenAI's three figures: the engine's text tokens, and 40 ms frames of sound."""
    made = round(usage.audio_seconds * FRAMES_PER_SECOND)
    return {"input_tokens": usage.tokens, "output_tokens": made, "total_tokens": usage.tokens + made}


def speech_event(item: bytes | Ended | None, started: Started) -> bytes:
    """A chunk, the end, or a pause, as OpenAI's events (the error event is an addition)."""
    if item is None:
        return PING
    if isinstance(item, bytes):
        return sse({"type": "speech.audio.delta", "audio": base64.b64encode(item).decode()})
    if item.error is None:
        note = {"note": started.notice.message()} if started.notice is not None else {}
        usage = usage_json(item.usage)
        return sse({"type": "speech.audio.done", "usage": usage, "engine": started.engine, **note})
    error = {"message": item.error.message(), "code": item.error.code, "param": item.error.param}
    return sse({"type": "speech.audio.error", "error": error})


class SpeechResponse(Response):
    """One request's sound, sent as its segments are made.

    Nothing is sent before the first segment is there: what fails until then is raised, and
    becomes a proper status. Later an ``audio`` body is cut off, so that it is seen to be
    short, and an ``sse`` body ends with an error event. What is kept is read from its ``recording``.
    """

    def __init__(
        self,
        service: SpeechService,
        handle: Handle,
        fmt: str,
        framing: Literal["audio", "sse"] = "audio",
        headers: dict[str, str] | None = None,
        recording: Recording | None = None,
    ) -> None:
        self._service = service
        self._events = recording.events if recording else handle.events
        self._handle = handle
        self._format = fmt
        self._sse = framing == "sse"
        self.status_code = 200
        self.background = None
        self.media_type = "text/event-stream" if self._sse else FORMATS[fmt].media_type
        self.init_headers({**SSE_HEADERS, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification. Raises TTSError before the first byte only."""
        async with attended(self._handle, receive):
            events = self._events()
            started, first = await first_sound(events)
            told = engine_headers(started).items()
            headers = [*self.raw_headers, *((name.encode(), value.encode()) for name, value in told)]
            rate, samples = first.audio.rate, first.audio.samples
            total = len(samples) if len(self._handle.job.segments) == 1 else None
            if total is not None and self._format in INLINE and not self._sse:
                await self._send_whole(_file(self._format, rate, samples), send, headers)
                return
            coder = Coder(self._service, self._format, rate, total)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send_body(encoded(first, events, coder), send, started)

    async def _send_whole(self, body: bytes, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        """A short sound goes in one piece: there is nothing to wait for, and its length is known."""
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _send_body(
        self, stream: AsyncGenerator[bytes | Ended, None], send: Send, started: Started
    ) -> None:
        if self._sse:
            async for item in with_pings(stream):
                await _send_chunk(send, speech_event(item, started))
        else:
            async for item in stream:
                if isinstance(item, Ended) and item.error is not None:
                    # Returning without the last chunk makes the server close the connection: a body
                    # that merely ended would pass for the whole sound.
                    level = logging.INFO if isinstance(item.error, Cancelled) else logging.ERROR
                    log.log(
                        level, "request %s: cut off after the first byte: %s", self._handle.id, item.error
                    )
                    return
                if isinstance(item, bytes):
                    await _send_chunk(send, item)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_chunk(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def collected(handle: Handle, receive: Receive) -> tuple[Started, Audio]:
    """What spoke, and all that it said. Raises the request's error."""
    async with attended(handle, receive):
        events = handle.events()
        started, first = await first_sound(events)
        parts = [first.audio.samples]
        async for event in events:
            if isinstance(event, SegmentReady):
                parts.append(event.audio.samples)
            elif isinstance(event, Ended) and event.error is not None:
                raise event.error
    return started, Audio(first.audio.rate, np.concatenate(parts))


async def whole(service: SpeechService, handle: Handle, receive: Receive, fmt: str) -> tuple[Started, bytes]:
    """What spoke, and the complete file, with true lengths inside. Raises the request's error."""
    started, audio = await collected(handle, receive)
    return started, await service.in_pool(_file, fmt, audio.rate, audio.samples)


def _file(fmt: str, rate: int, samples: np.ndarray) -> bytes:
    encoder = Encoder(fmt, rate, len(samples))
    return encoder.encode(samples) + encoder.finish()
