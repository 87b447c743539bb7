"""The server's end of a worker's socketpair, in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from . import messages


class Wire(asyncio.BufferedProtocol):
    """Frames in and out; sound is read once, into the array that it stays in. ``heard`` gets each frame,
    ``broken`` what is wrong with a stream that is none."""

    def __init__(
        self, heard: Callable[[dict[str, Any], np.ndarray], None], broken: Callable[[str], None]
    ) -> None:
        self.closed = asyncio.Event()
        self._heard = heard
        self._broken = broken
        self._receiver = messages.Receiver()
        self._transport: asyncio.Transport | None = None
        self.opened = asyncio.Event()
        self.peer = ""  # the other end's address, where that is a machine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._transport = transport  # type: ignore[assignment]
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) else ""
        self.opened.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        """See ``asyncio.BufferedProtocol``."""
        return self._receiver.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        try:
            for header, body in self._receiver.received(nbytes):
                self._heard(header, body)
        except messages.BrokenWire as error:
            self._broken(f"its messages make no sense: {error}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``; an error is the same as EOF: the process is gone or going."""
        self.closed.set()

    def send(self, data: bytes | memoryview) -> None:
        """After the end it goes nowhere."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Once what was sent has left."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """At once, whatever has yet to leave."""
        if self._transport is not None:
            self._transport.abort()
