"""The server's end of the supervisor's control channel: JSON lines on an inherited socket.

Up: hello, prepared (all but the model), loading, ready, beat (from the event loop, so that a
stalled loop is seen), listener_closed, drained, fatal. Down: load (the model), accept (connections;
includes load), drain (stop), handover (leave connections to the next server), dump_stacks; EOF
means exit at once, so a server never outlives its supervisor. Without a supervisor every call
does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("tts.control")
BEAT_SECONDS = 1.0


class Control:
    """``on_drain(seconds, handover)`` is called on the loop when the supervisor asks for it; set it once
    there is work."""

    def __init__(self, fd: int | None, generation: int) -> None:
        self._socket = None if fd is None else socket.socket(fileno=fd)
        self._generation = generation
        self._writer: asyncio.StreamWriter | None = None
        self._loads = asyncio.Event()
        self._accepted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._beats: asyncio.Task[None] | None = None
        self.on_drain: Callable[[float, bool], None] = lambda *_: os._exit(0)  # nothing is under way yet

    async def start(self) -> None:
        """Say hello, begin to listen and to beat."""
        if self._socket is None:
            self._obey({"type": "accept"})
            return
        self._socket.setblocking(False)
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        self.send("hello", generation=self._generation, pid=os.getpid())
        self._task = asyncio.create_task(self._listen(reader), name="control")
        self._beats = asyncio.create_task(self._beat(), name="control-beat")

    @property
    def may_load(self) -> bool:
        """Whether there is room for the model: a server that takes over waits for the one before it."""
        return self._loads.is_set()

    async def loads(self) -> None:
        """Wait until the supervisor lets this server load the model."""
        await self._loads.wait()

    async def accepted(self) -> None:
        """Wait until the supervisor lets this server take connections."""
        await self._accepted.wait()

    def send(self, kind: str, **fields: Any) -> None:
        """One line up."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps({"type": kind, **fields}).encode() + b"\n")

    async def flush(self) -> None:
        """Wait until what was sent has left."""
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._obey(json.loads(line))
        log.error("the supervisor is gone: exiting")
        logging.shutdown()
        os._exit(1)  # at once: nobody is left who would answer for this process

    def _obey(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "load":
            self._loads.set()
        elif kind == "accept":
            self._loads.set()
            self._accepted.set()
        elif kind in ("drain", "handover"):
            self.on_drain(float(message["seconds"]), kind == "handover")
        elif kind == "dump_stacks":
            faulthandler.dump_traceback(file=sys.stderr)

    async def _beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            lag = time.monotonic() - before - BEAT_SECONDS
            self.send("beat", lag_ms=round(lag * 1000, 1))


def inherited_fd(name: str) -> int | None:
    """A descriptor number from the environment, taken out of it so that no child misreads it."""
    value = os.environ.pop(name, "")
    return int(value) if value.isdigit() else None
