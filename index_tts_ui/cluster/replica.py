"""Replica: one engine worker in the service of a front, which may be on another machine.

The worker is an ordinary one, made when the front asks for it. It outlives a connection: a front that is started
again finds the model loaded. What the front before had asked for is cancelled, and counts are told anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..links import Death, HostedLink
from ..plan import WorkerPlan
from ..speech import Audio, Segment
from .clips import ClipCache
from .handshake import Refused, introduce
from .peer import Lost, Peer
from .session import Session

log = logging.getLogger("tts.replica")
FRONT_SILENCE = 10.0  # a front that is held up is worth more patience than a replica: there is only one
RETRY_FIRST, RETRY_CAP = 0.2, 2.0  # seconds between two attempts to reach the front
DIAL_SECONDS = 10.0
LEAVE_SECONDS = 60.0  # for what it still has to be spoken


class Replica:
    """``dial`` connects; ``plan`` is the worker; ``said`` is what the front is told of this replica. A
    ``links.Listener`` of the worker."""

    def __init__(
        self, address: tuple[str, int], token: str, plan: WorkerPlan, clips: ClipCache, said: dict[str, Any]
    ) -> None:
        self.state = "looking for the front"  # for people
        self.load: dict[str, float] = {}  # the front's queue, as it said last
        self._address = address
        self._token = token
        self._plan = plan
        self._clips = clips
        self._said = said
        self._session: Session | None = None
        self._link: HostedLink | None = None
        self._info: dict[str, Any] = {}  # the worker's hello; empty while there is none
        self._generation = self._visits = 0
        self._sent = self._granted = 0  # of this worker
        self._leaving = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    # ---- life

    async def run(self) -> None:
        """Serve one front after the other, until ``leave``."""
        failed = 0
        while not self._leaving.is_set():
            try:
                await self._visit()
                failed = 0
            except (OSError, Lost, Refused, TimeoutError) as error:
                failed += 1
                self._note(f"the front at {self._address[0]}:{self._address[1]}: {error or 'no answer'}")
            delay = min(RETRY_CAP, RETRY_FIRST * 2.0 ** min(failed, 8)) * random.uniform(0.5, 1.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), delay)

    async def leave(self, reason: str) -> None:
        """Take nothing more, speak what there is, then end."""
        self._leaving.set()
        if self._session is not None:
            self._session.peer.send("leaving", reason=reason)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._session.peer.over(), LEAVE_SECONDS)
        await self.stop()

    async def stop(self) -> None:
        """End at once."""
        self._leaving.set()
        if self._session is not None:
            self._session.peer.lose("the replica stops")
        if self._link is not None:
            await self._link.close()
        for task in list(self._tasks):
            task.cancel()

    def _note(self, state: str) -> None:
        if state != self.state:
            log.info("%s", state)
        self.state = state

    async def _visit(self) -> None:
        """One front, as long as it is there."""
        peer = Peer(FRONT_SILENCE)
        async with asyncio.timeout(DIAL_SECONDS):
            await asyncio.get_running_loop().create_connection(lambda: peer.wire, *self._address)
        try:
            await introduce(peer, self._token, self._said)
            self._visits += 1
            session = self._session = Session(peer, self._visits)
            self._note("joined")
            peer.listen(lambda kind, header, body: self._hear(session, kind, header, body))
            reason = await peer.over()
            self._note(f"the front is gone: {reason}")
        finally:
            peer.wire.abort()
            self._forget()

    def _forget(self) -> None:
        """Nobody waits for what the front had asked for."""
        session, self._session = self._session, None
        if session is not None and self._link is not None:
            for segment_id in session.live:
                if segment_id not in session.waiting:
                    self._link.cancel(segment_id + session.mark)

    # ---- the front's words

    def _hear(self, session: Session, kind: str, header: dict[str, Any], body: np.ndarray) -> None:
        if kind == "begin":
            self._begin(session, header["generation"])
        elif kind == "clip":
            self._arrived(session, header["key"], body.tobytes())
        elif kind == "load":
            self.load = {"waiting": header["waiting"], "running": header["running"]}
        elif header.get("generation") != session.generation or self._link is None:
            return
        elif kind == "admit":
            self._admit(session, Segment.from_json(header["segment"]), header["attempt"], header["exclusive"])
        elif kind == "cancel":
            self._cancel(session, header["id"])
        elif kind == "kill":
            self._link.kill(header["reason"])
        elif kind == "end":
            self._later(self._link.close())

    def _begin(self, session: Session, generation: int) -> None:
        """A worker is wanted: the one there is, or a new one."""
        session.generation = generation
        session.live.clear()
        session.waiting.clear()
        session.base = self._sent
        if self._link is None:
            self._later(self._spawn())
        elif self._info:
            session.say("hello", info=self._info)
            session.say("grant", total=self._granted - session.base)

    async def _spawn(self) -> None:
        self._generation += 1
        self._sent = self._granted = 0
        if self._session is not None:
            self._session.base = 0
        self._link = self._plan.open(self._generation, self)
        try:
            await self._link.start()
        except OSError as error:
            self.on_death(self._generation, Death(f"could not be started: {error}", None))

    def _admit(self, session: Session, segment: Segment, attempt: int, exclusive: bool) -> None:
        session.live[segment.id] = attempt
        missing = self._clips.lacks(segment)
        if not missing:
            self._pass_on(session, segment, attempt, exclusive)
            return
        asked = set().union(*(lacks for *_, lacks in session.waiting.values()))
        session.waiting[segment.id] = (segment, attempt, exclusive, missing)
        for key in missing - asked:
            session.peer.send("want", key=key)

    def _pass_on(self, session: Session, segment: Segment, attempt: int, exclusive: bool) -> None:
        assert self._link is not None
        self._sent += 1
        marked = replace(segment, id=segment.id + session.mark) if session.mark else segment
        self._link.admit(marked, attempt, exclusive)

    def _arrived(self, session: Session, key: str, data: bytes) -> None:
        """A clip, or the word that there is none: then whoever needs it fails in the engine's own words."""
        if not self._clips.store(key, data):
            log.warning("the front has no clip %s", key[:16])
        for segment_id, (segment, attempt, exclusive, missing) in list(session.waiting.items()):
            missing.discard(key)
            if not missing and self._link is not None:
                del session.waiting[segment_id]
                self._pass_on(session, segment, attempt, exclusive)

    def _cancel(self, session: Session, segment_id: str) -> None:
        held = session.waiting.pop(segment_id, None)
        if held is None:
            assert self._link is not None
            self._link.cancel(segment_id + session.mark)
            return
        session.base -= 1  # the worker never saw it, the front counts it: its credit goes back
        session.say("grant", total=self._granted - session.base)
        self.on_failed(self._generation, segment_id + session.mark, held[1], "cancelled", "", False, 0.0)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- links.Listener: the worker's words

    def _hears(self, generation: int) -> Callable[..., None]:
        """How to tell the front, if there is one that cares."""
        if generation == self._generation and self._session is not None and self._session.generation:
            return self._session.say
        return lambda kind, **fields: None

    def on_hello(self, generation: int, info: dict[str, Any]) -> None:
        """See ``links.Listener``."""
        self._info = info
        self._hears(generation)("hello", info=info)

    def on_loading(self, generation: int, fraction: float, text: str) -> None:
        """See ``links.Listener``."""
        self._hears(generation)("loading", fraction=fraction, text=text)

    def on_grant(self, generation: int, total: int) -> None:
        """See ``links.Listener``."""
        self._granted = total
        if self._session is not None:
            self._hears(generation)("grant", total=total - self._session.base)

    def on_finished(
        self, generation: int, segment_id: str, attempt: int, audio: Audio, engine_seconds: float
    ) -> None:
        """See ``links.Listener``."""
        session = self._session
        name = session.landed(segment_id, attempt) if session is not None else ""
        if session is None or not name:
            return
        samples = np.ascontiguousarray(audio.samples, np.float32)
        session.peer.send_body(
            "finished",
            samples.data.cast("B") if len(samples) else b"",
            generation=session.generation,
            id=name,
            attempt=attempt,
            rate=audio.rate,
            engine_seconds=engine_seconds,
        )

    def on_failed(
        self,
        generation: int,
        segment_id: str,
        attempt: int,
        code: str,
        message: str,
        retryable: bool,
        engine_seconds: float,
    ) -> None:
        """See ``links.Listener``."""
        session = self._session
        name = session.landed(segment_id, attempt) if session is not None else ""
        if session is None or not name:
            return
        session.say(
            "failed",
            id=name,
            attempt=attempt,
            code=code,
            message=message,
            retryable=retryable,
            engine_seconds=engine_seconds,
        )

    def on_beat(self, generation: int, step_no: int, busy_s: float, stats: dict[str, Any]) -> None:
        """See ``links.Listener``."""
        self._hears(generation)("beat", step_no=step_no, busy_s=busy_s, stats=stats)

    def on_death(self, generation: int, death: Death) -> None:
        """See ``links.Listener``; the front decides when there is to be another one."""
        log.warning("the worker ended: %s", death.reason)
        self._hears(generation)(
            "death", reason=death.reason, exit_code=death.exit_code, outside=death.outside
        )
        self._link, self._info = None, {}
