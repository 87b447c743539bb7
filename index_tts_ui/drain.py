"""How a server ends without losing a request: a stop refuses what is new, a handover leaves it to the next server.

In a handover the next server has the same listening socket. This one closes its own copy, so
that new connections wait in the socket's backlog, and serves what still comes on the open ones,
with ``Connection: close``; a connection that stays silent is closed too.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import uvicorn

from .control import Control
from .service import SpeechService

log = logging.getLogger("tts.drain")
SILENT_SECONDS = 1.0  # an open connection that asks nothing for so long is closed in a handover
ENDLESS = "/heartbeat/"  # a page's lifeline: it has no end that could be waited for
CLOSE = (b"connection", b"close")


class Door(Protocol):
    """Another way in than HTTP."""

    def leave(self) -> None:
        """Take no new connection; who is connected is served on."""

    @property
    def is_busy(self) -> bool:
        """Whether somebody there still waits for something."""


class Drain:
    """Stopping, once. ``ended`` is set when the server may go."""

    def __init__(
        self, service: SpeechService, server: uvicorn.Server, control: Control, seconds: float, door: Door
    ) -> None:
        self.cancelled = 0
        self.ended = asyncio.Event()
        self._service = service
        self._server = server
        self._control = control
        self._seconds = seconds
        self._door = door
        self._silent: dict[Any, float] = {}  # connection -> since when
        self._task: asyncio.Task[None] | None = None

    def signalled(self) -> None:
        """First signal: drain. Second: stop now."""
        if self._task is None:
            self.begin(self._seconds)
        else:
            self._server.should_exit = self._server.force_exit = True
            self.ended.set()

    def begin(self, seconds: float, handover: bool = False) -> None:
        """Start draining in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(seconds, handover), name="drain")

    async def _run(self, seconds: float, handover: bool) -> None:
        log.info("%s for at most %g s", "handing over" if handover else "draining", seconds)
        if handover:
            self._leave_the_door()
        self._door.leave()
        quiet = self._is_deserted if handover else self._is_quiet
        self.cancelled = await self._service.drain(
            seconds, refuse=not handover, over=lambda: not self._door.is_busy and quiet()
        )
        log.info("drained; %d requests cancelled", self.cancelled)
        if handover:
            await self._service.failover.stop()  # the next server waits for this model's memory
            self._control.send("drained", cancelled=self.cancelled)
        for connection in filter(_is_endless, self._connections()):
            connection.transport.close()
        self._server.should_exit = True
        self.ended.set()

    def _leave_the_door(self) -> None:
        for listener in getattr(self._server, "servers", ()):
            listener.close()  # our copy of the socket; the supervisor's stays open, and so does the port
        for headers in (self._server.server_state.default_headers, self._server.config.encoded_headers):
            headers.append(CLOSE)
        self._control.send("listener_closed")

    def _connections(self) -> list[Any]:
        return list(self._server.server_state.connections)

    def _is_quiet(self) -> bool:
        """Whether every answer is out, also to those who read slowly."""
        return not any(_is_answering(connection) for connection in self._connections())

    def _is_deserted(self) -> bool:
        """Whether nobody is connected any more who may still ask; closes those who stay silent."""
        now = asyncio.get_running_loop().time()
        silent = [connection for connection in self._connections() if _is_silent(connection)]
        self._silent = {connection: self._silent.get(connection, now) for connection in silent}
        for connection, since in self._silent.items():
            if now - since >= SILENT_SECONDS:
                connection.shutdown()
        return all(_is_endless(connection) for connection in self._connections())


def _is_endless(connection: Any) -> bool:
    """A heartbeat, or no HTTP at all."""
    cycle = getattr(connection, "cycle", None)
    if not hasattr(connection, "cycle"):
        return True
    return cycle is not None and not cycle.response_complete and ENDLESS in cycle.scope["path"]


def _is_answering(connection: Any) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and not cycle.response_complete and not _is_endless(connection)


def _is_silent(connection: Any) -> bool:
    """No answer is under way, and no request has begun to come in."""
    if not hasattr(connection, "cycle"):
        return False
    cycle = connection.cycle
    return connection.scope is (cycle.scope if cycle else None) and (cycle is None or cycle.response_complete)
