"""Connections: what a client may hold open, and for how long. uvicorn bounds only idle ones that asked before.

A request's line and headers have a time and a size; an answer that nobody reads has a time; the body's pace
is ``api.middleware``'s. When there are too many connections, the one that has been idle for longest goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

log = logging.getLogger("tts.connections")
RESERVE = 256  # descriptors that are not connections: files, sockets to workers, clips


class Table:
    """The open connections, the longest idle one first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: dict[BoundedProtocol, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def touch(self, connection: BoundedProtocol) -> None:
        """It is new, or has just done something; where there are too many, one that does nothing is closed."""
        self._open.pop(connection, None)
        self._open[connection] = None
        if len(self._open) > self.limit:
            idle = next((other for other in self._open if other.is_idle), connection)
            self.forget(idle)
            idle.transport.abort()

    def forget(self, connection: BoundedProtocol) -> None:
        """It is closed."""
        self._open.pop(connection, None)


class Outlet:
    """Where a request's cycle writes. The head of an answer leaves with what of its body comes in the same turn
    of the loop: one system call for both, and the client is woken once."""

    def __init__(self, cycle: RequestResponseCycle, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._loop = loop
        self._head = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        """See ``asyncio.Transport``."""
        if self._head and data:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif self._begun or not self._cycle.response_started:  # before the answer: "100 Continue"
            self._transport.write(data)
        else:
            self._begun, self._head = True, data
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        """See ``asyncio.Transport``."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """See ``asyncio.Transport``."""
        return self._transport.is_closing()


class BoundedProtocol(HttpToolsProtocol):
    """See the module. Made by :func:`protocol`."""

    table: ClassVar[Table] = Table(1_000_000)
    HEAD_SECONDS: ClassVar[float] = 20.0
    HEAD_BYTES: ClassVar[int] = 65_536
    UNREAD_SECONDS: ClassVar[float] = 120.0

    _patience: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head = 0  # bytes since the last request was complete
    _in_head = True

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        self._await_head()
        self.table.touch(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stop("_patience", "_unread")
        self.table.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._in_head:
            # with what follows it in the same piece; on_headers_complete sets it to 0
            self._head += len(data)
        super().data_received(data)
        if not self._in_head or not self._head or self.transport.is_closing():
            return
        if self._head > self.HEAD_BYTES:
            self.send_400_response("The request's headers are too large.")
        elif self._patience is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._stop("_patience")
        self._head, self._in_head = 0, False
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = Outlet(self.cycle, self.loop)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """See httptools."""
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See uvicorn."""
        super().on_response_complete()
        self.table.touch(self)

    def pause_writing(self) -> None:
        """See asyncio."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.UNREAD_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """See asyncio."""
        self._stop("_unread")
        super().resume_writing()

    def _await_head(self) -> None:
        self._patience = self.loop.call_later(self.HEAD_SECONDS, self._abort)

    def _abort(self) -> None:
        if not self.transport.is_closing():
            log.debug("closed a connection of %s: too slow", self.client)
            self.transport.abort()

    def _stop(self, *timers: str) -> None:
        for name in timers:
            timer = getattr(self, name)
            if timer is not None:
                timer.cancel()
                setattr(self, name, None)


def protocol(limit: int) -> type[Any]:
    """The class for uvicorn's ``http``, for at most ``limit`` connections or what the system allows."""
    return type("Connection", (BoundedProtocol,), {"table": Table(min(limit, _descriptors() - RESERVE))})


def _descriptors() -> int:
    """How many descriptors there may be, after asking for as many as we may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 20 if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(RESERVE + 16, 1 << 20 if soft == resource.RLIM_INFINITY else soft)
