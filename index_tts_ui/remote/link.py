"""RemoteLink: an upstream as a worker. See ``links.HostedLink``; its end is the server's, or the way's to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..links import ASTRAY, BUSY, LATE, Death, Listener
from ..speech import Audio, Segment
from .about import About
from .answers import Busy, Failed, Refused
from .catalogue import RATE, Catalogue
from .client import Client
from .meeting import Pulse, meet
from .throttle import Throttle
from .upstreams import Upstream
from .voicing import Voicing
from .watch import Watch

log = logging.getLogger("tts.remote")
BEAT_SECONDS = 1.0
GRACE = 1.2  # our own deadline for a segment comes before the scheduler's, which blames the segment


@dataclass(frozen=True)
class Terms:
    """What is agreed for one upstream. ``engine`` names what speaks; times in seconds."""

    upstream: Upstream
    engine: str
    segment_seconds: float  # as configured for all
    clips: Path  # the folder of reference clips

    @property
    def seconds(self) -> float:
        """That a segment may take there."""
        return self.upstream.timeout or self.segment_seconds


@dataclass
class _Flight:
    attempt: int
    task: asyncio.Task[None]
    cancelled: bool = False


class RemoteLink:
    """One generation: from meeting it until it is gone."""

    def __init__(self, generation: int, listener: Listener, terms: Terms, catalogue: Catalogue) -> None:
        self.generation = generation
        self._listener = listener
        self._terms = terms
        self._upstream = terms.upstream
        self._catalogue = catalogue
        self._throttle = Throttle(terms.upstream.concurrency, time.monotonic)
        self._flights: dict[str, _Flight] = {}
        self._taken = 0
        self._state = Pulse(ready=False)
        self._voicing: Voicing | None = None
        self._reason = ""
        self._over = asyncio.Event()
        self._watch: Watch | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """It has none here."""
        return None

    async def start(self) -> None:
        """See ``HostedLink``."""
        self._task = asyncio.create_task(self._run(), name=f"remote-{self._upstream.name}")

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``."""
        self._taken += 1
        self._throttle.sent()
        task = asyncio.create_task(self._speak(segment, attempt), name=f"remote-{segment.id}")
        task.add_done_callback(lambda task: self._given_up(segment, attempt, task))
        self._flights[segment.id] = _Flight(attempt, task)

    def cancel(self, segment_id: str) -> None:
        """See ``WorkerLink``: its connection is closed, which every server understands."""
        flight = self._flights.get(segment_id)
        if flight is not None and not flight.cancelled:
            flight.cancelled = True
            flight.task.cancel()

    def kill(self, reason: str) -> None:
        """See ``WorkerLink``."""
        self._reason = self._reason or reason
        self._over.set()

    async def close(self) -> None:
        """See ``WorkerLink``."""
        self.kill("closed")
        if self._task is not None:
            await self._task

    # ---- its life

    async def _run(self) -> None:
        client = Client(self._upstream, RATE)
        serving = asyncio.create_task(self._serve(client))
        over = asyncio.create_task(self._over.wait())
        await asyncio.wait({serving, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        serving.cancel()
        ended = (await asyncio.gather(serving, over, return_exceptions=True))[0]
        if isinstance(ended, Exception) and not isinstance(ended, (Failed, Busy, Refused)):
            log.error("upstream %s: a bug", self._upstream.name, exc_info=ended)
        self._over.set()
        reason = self._reason or f"{self._upstream.name}: {ended or type(ended).__name__}"
        await self._abandon(reason)
        await client.close()
        self._listener.on_death(self.generation, Death(reason, None, outside=True))

    async def _abandon(self, reason: str) -> None:
        """What it has goes elsewhere; nothing of it is left here."""
        self._grant()
        flights, self._flights = self._flights, {}
        for flight in flights.values():
            flight.task.cancel()
        await asyncio.gather(*(flight.task for flight in flights.values()), return_exceptions=True)
        if self._voicing is not None:
            await self._voicing.close()
        for segment_id, flight in flights.items():
            code = "cancelled" if flight.cancelled else ASTRAY
            retry = not flight.cancelled
            self._listener.on_failed(self.generation, segment_id, flight.attempt, code, reason, retry, 0.0)

    async def _serve(self, client: Client) -> None:
        """Until it fails, which is raised."""
        about = await self._met(client)
        self._voicing = Voicing(client, self._upstream, about, self._terms.clips)
        self._catalogue.learn(self._upstream, about)
        self._watch = Watch(
            client, self._upstream, about.kind, partial(self._catalogue.learn, self._upstream)
        )
        self._weigh(self._state)
        self._listener.on_hello(self.generation, self._info(about))
        self._grant()
        beating = asyncio.create_task(self._beat_on(), name=f"beat-{self._upstream.name}")
        try:
            async for state in self._watch.pulses():
                self._take(state)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _met(self, client: Client) -> About:
        """Waits for as long as it says that it is being loaded."""
        while True:
            met = await meet(client, self._upstream)
            self._state = met.pulse
            if met.pulse.ready:
                return met.about
            if met.pulse.over:
                raise Failed(f"it is {met.pulse.text}")
            self._listener.on_loading(self.generation, met.pulse.fraction, met.pulse.text)
            await asyncio.sleep(BEAT_SECONDS)

    def _info(self, about: About) -> dict[str, Any]:
        terms = self._terms
        return {
            "name": terms.engine,
            "version": f"{about.kind} {about.model}".strip(),
            "sample_rate": RATE,
            "languages": list(about.languages),
            "features": list(about.features),
            "max_rows": self._upstream.concurrency,
            "patience": terms.seconds * GRACE / terms.segment_seconds,
        }

    async def _beat_on(self) -> None:
        while True:
            self._beat()
            self._grant()  # its rest may be over
            await asyncio.sleep(
                min(BEAT_SECONDS, self._throttle.rest + 0.01 if self._throttle.rest else 60.0)
            )

    def _take(self, state: Pulse) -> None:
        self._state = state
        self._weigh(state)
        if not state.ready and not self._flights:
            raise Failed(f"it is not ready ({state.text})", gone=True)
        self._grant()

    def _weigh(self, state: Pulse) -> None:
        """What others have it do is room that we have not."""
        if state.load is not None:
            self._throttle.shared(state.load - (self._throttle.running if state.ours is None else state.ours))

    # ---- what it is told and tells

    def _beat(self) -> None:
        throttle = self._throttle
        stats: dict[str, Any] = {"rows": throttle.running, "window": throttle.window}
        if self._state.load is not None:
            stats["load"] = self._state.load
        if throttle.rest:
            stats["rest_s"] = round(throttle.rest, 3)
        self._listener.on_beat(self.generation, self._taken, 0.0, stats)

    def _grant(self) -> None:
        open_for_more = self._state.ready and not self._over.is_set()
        self._listener.on_grant(self.generation, self._taken + (self._throttle.free if open_for_more else 0))

    async def _speak(self, segment: Segment, attempt: int) -> None:
        began = time.monotonic()
        try:
            assert self._voicing is not None
            async with asyncio.timeout(self._terms.seconds):
                audio = await self._voicing.speak(segment)
        except TimeoutError:
            self._doubted()
            self._back(segment, attempt, LATE, f"{self._terms.seconds:g}")
        except Busy as busy:
            self._throttle.refused(busy.seconds)
            self._back(segment, attempt, BUSY, str(busy))
        except Refused as refused:
            self._throttle.left()
            self._back(segment, attempt, *_own_fault(segment, refused))
        except Failed as failed:
            self._doubted()
            self._back(segment, attempt, ASTRAY, f"{self._upstream.name}: {failed}")
        else:
            self._throttle.spoken()
            if self._watch is not None:
                self._watch.spoke()
            self._done(segment, attempt, audio, time.monotonic() - began)

    def _doubted(self) -> None:
        self._throttle.failed()
        if self._watch is not None:
            self._watch.doubt.set()

    def _given_up(self, segment: Segment, attempt: int, task: asyncio.Task[None]) -> None:
        """It may never have begun; where the link is over, that tells of it itself."""
        if task.cancelled():
            self._throttle.left()
            self._back(segment, attempt, "cancelled", "")
        elif (bug := task.exception()) is not None:
            log.error("segment %s: a bug", segment.id, exc_info=bug)
            self._throttle.failed()
            self._back(segment, attempt, ASTRAY, f"{self._upstream.name}: {type(bug).__name__}")

    def _back(self, segment: Segment, attempt: int, code: str, message: str) -> None:
        """It comes back without sound. What is granted goes down first: it is not to come here again at once."""
        if self._flights.pop(segment.id, None) is None:
            return
        log.debug("segment %s: %s %s", segment.id, code, message)
        retry = code in (BUSY, ASTRAY, LATE)
        self._beat()
        if self._throttle.free:
            self._listener.on_failed(self.generation, segment.id, attempt, code, message, retry, 0.0)
            self._grant()
        else:
            self._grant()
            self._listener.on_failed(self.generation, segment.id, attempt, code, message, retry, 0.0)

    def _done(self, segment: Segment, attempt: int, audio: Audio, seconds: float) -> None:
        if self._flights.pop(segment.id, None) is not None:
            self._grant()  # before the sound: the next one can be on its way meanwhile
            self._listener.on_finished(self.generation, segment.id, attempt, audio, seconds)


def _own_fault(segment: Segment, refused: Refused) -> tuple[str, str]:
    """The code and the message for a segment that the server does not take."""
    if refused.code == "voice_not_found":
        return refused.code, segment.voices[0].key
    if refused.code == "clip_not_found":
        return refused.code, next((ref.key for ref in segment.voices if ref.kind == "clip"), "")
    return "refused", str(refused)


def factory(terms: Terms, catalogue: Catalogue) -> Callable[[int, Listener], RemoteLink]:
    """A ``links.LinkFactory``."""
    return lambda generation, listener: RemoteLink(generation, listener, terms, catalogue)
