"""Session: one connection. One task reads all the while, so that a client that goes away is noticed at once;
another speaks what was asked, in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from .. import __version__
from ..errors import Invalid, Overloaded, TTSError
from ..service import SpeechService
from ..speech import Owner
from . import describe, events
from .events import BadEvent, Event
from .speaker import Speaker
from .talk import Talk, Wish

log = logging.getLogger("tts.wyoming")
WAITING = 16  # talks that a connection may have asked for ahead
IDLE_SECONDS = 600.0  # without an event and without work, after which a connection is closed
SEND_SECONDS = 60.0  # that a client may take to read a chunk


class Session:
    """Serves until the client goes, idles too long, or breaks the protocol; once the server ``leaves``, until what
    was asked is said."""

    def __init__(
        self,
        service: SpeechService,
        owner: Owner,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        leaves: Callable[[], bool],
    ) -> None:
        self._service = service
        self._owner = owner
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=0)  # what was sent is the kernel's, also when we end
        self._leaves = leaves
        self._writing = asyncio.Lock()
        self._talks: asyncio.Queue[Talk] = asyncio.Queue(WAITING)
        self._open: Talk | None = None  # the stream of text that is growing
        self._working = 0

    @property
    def is_busy(self) -> bool:
        """Whether something is asked that has not been said."""
        return bool(self._working)

    async def serve(self) -> None:
        """Both tasks; the first that ends, ends the other, and with it the requests under way."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._speak())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, TTSError):
                await self._refuse(end)
            elif isinstance(end, BadEvent):
                await self._refuse(Invalid("bad_value", param="event", reason=f"cannot be read: {end}"))
            elif isinstance(end, Exception) and not isinstance(end, OSError):
                log.error("a connection failed", exc_info=end)
                await self._refuse(TTSError("internal"))

    async def _refuse(self, error: TTSError) -> None:
        """Clients wait for sound: only a closed connection tells all of them that none will come."""
        with contextlib.suppress(OSError):
            await self._send(refusal(error))

    async def _send(self, event: Event) -> None:
        async with self._writing:
            self._writer.write(event.encode(__version__))
            async with asyncio.timeout(SEND_SECONDS):
                await self._writer.drain()

    # ---- what comes

    async def _read(self) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    event = await events.read(self._reader)
            except TimeoutError:
                if self.is_busy:
                    raise BadEvent("it was cut off") from None  # perhaps in the middle of an event
                return
            if event is None:
                return
            await self._obey(event)

    async def _obey(self, event: Event) -> None:
        """Events that are unknown are none of ours, as the protocol wants."""
        if event.type == "describe":
            await self._send(Event("info", describe.info(self._service, self._owner)))
        elif event.type == "ping":
            await self._send(Event("pong", {"text": event.text("text")} if event.text("text") else {}))
        elif event.type == "synthesize" and self._open is None:  # in a stream it repeats what the chunks said
            talk = self._begin(event, streamed=False)
            talk.write(event.text("text"))
            talk.end()
        elif event.type == "synthesize-start":
            self._end_stream()
            self._open = self._begin(event, streamed=True)
        elif event.type == "synthesize-chunk" and self._open is not None:
            self._open.write(event.text("text"))
        elif event.type == "synthesize-stop":
            self._end_stream()

    def _begin(self, event: Event, streamed: bool) -> Talk:
        """Raises TTSError where too much is asked, or what nobody here understands."""
        if event.text("text_format") not in ("", "text"):
            what = f"text_format {event.text('text_format')[:16]}; send plain text"
            raise Invalid("unsupported", engine=self._service.engine, what=what)
        self._service.quota.hit(self._owner)
        voice = event.data.get("voice")
        asked = voice if isinstance(voice, Mapping) else {}
        talk = Talk(Wish(_word(asked, "name"), _word(asked, "language")), streamed)
        try:
            self._talks.put_nowait(talk)
        except asyncio.QueueFull as error:
            raise Overloaded("rate_limited", retry_after=1) from error
        self._working += 1
        return talk

    def _end_stream(self) -> None:
        if self._open is not None:
            self._open.end()
            self._open = None

    # ---- what goes

    async def _speak(self) -> None:
        speaker = Speaker(self._service, self._owner, self._send)
        while self._working or not self._leaves():
            await speaker.speak(await self._talks.get())
            self._working -= 1


def refusal(error: TTSError) -> Event:
    """An ``error`` event: the sentence in English, the stable code."""
    return Event("error", {"text": error.message(), "code": error.code})


def _word(voice: Mapping[str, object], name: str) -> str:
    value = voice.get(name)
    return value if isinstance(value, str) else ""
