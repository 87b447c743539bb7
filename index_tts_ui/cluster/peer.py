"""Peer: one end of a connection between front and replica. Frames as to a worker, and pings both ways.

TCP says nothing of a machine that lost its power or its cable: silence does, after a few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import messages
from ..wire import Wire

Heard = Callable[[str, dict[str, Any], np.ndarray], None]  # kind, the header's other fields, body
PING_SECONDS = 0.5
SILENCE_SECONDS = 4.0  # eight pings
HANDSHAKE_SECONDS = 10.0


class Lost(Exception):
    """The connection is over."""


class Peer:
    """Use ``wire`` as the connection's protocol. Until ``listen``, what comes is kept for ``next``."""

    def __init__(self, silence: float = SILENCE_SECONDS) -> None:
        self.wire = Wire(self._frame, self.lose)
        self.reason = ""  # why it was ended here; "" where the other end did
        self._silence = silence
        self._heard_at = time.monotonic()
        self._early: asyncio.Queue[tuple[str, dict[str, Any], np.ndarray]] = asyncio.Queue()
        self._heard: Heard = lambda *frame: self._early.put_nowait(frame)
        self._watching: asyncio.Task[None] | None = None

    @property
    def lost(self) -> bool:
        """Whether it is over."""
        return bool(self.reason) or self.wire.closed.is_set()

    @property
    def address(self) -> str:
        """Of the other end's machine."""
        return self.wire.peer

    async def connected(self) -> None:
        """Wait until there is a connection: a server makes its end of it before."""
        await self.wire.opened.wait()

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next message of the handshake. Raises Lost, also after some seconds of nothing."""
        waiting = asyncio.create_task(self._early.get())
        closing = asyncio.create_task(self.wire.closed.wait())
        try:
            await asyncio.wait(
                (waiting, closing), timeout=HANDSHAKE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not waiting.done():
                raise Lost(self.reason or "it said nothing")
            kind, header, _ = waiting.result()
            return kind, header
        finally:
            waiting.cancel()
            closing.cancel()

    def listen(self, heard: Heard) -> None:
        """From now on ``heard`` gets all there is; pings begin."""
        self._heard = heard
        while not self._early.empty():
            heard(*self._early.get_nowait())
        self._watching = asyncio.create_task(self._watch(), name="cluster-peer")

    def send(self, kind: str, **fields: Any) -> None:
        """After the end it goes nowhere."""
        self.wire.send(messages.pack(kind, **fields))

    def send_body(self, kind: str, body: bytes | memoryview, **fields: Any) -> None:
        """The same with bytes behind it."""
        self.wire.send(messages.head(kind, len(body), **fields))
        if len(body):
            self.wire.send(body)

    def lose(self, reason: str) -> None:
        """End it at once."""
        self.reason = self.reason or reason
        self.wire.abort()

    async def over(self) -> str:
        """Wait for its end; returns why."""
        await self.wire.closed.wait()
        if self._watching is not None:
            self._watching.cancel()
        return self.reason or "the connection was closed"

    def _frame(self, header: dict[str, Any], body: np.ndarray) -> None:
        self._heard_at = time.monotonic()
        kind = header.pop("type", "")
        if kind == "ping":
            return
        try:
            self._heard(kind, header, body)
        except (KeyError, TypeError, ValueError) as error:  # of another release, or no peer at all
            self.lose(f"a message that makes no sense: {kind} ({error!r})"[:200])

    async def _watch(self) -> None:
        while not self.lost:
            self.send("ping")
            slept = time.monotonic()
            await asyncio.sleep(PING_SECONDS)
            now = time.monotonic()
            if now - slept > 2 * PING_SECONDS:  # this end was held up: the other is not to blame
                self._heard_at = now
            if now - self._heard_at > self._silence:
                self.lose(f"silent for {self._silence:g} s")
