"""WyomingServer: the listening socket, and who may connect.

A key cannot be sent with this protocol. Where HTTP asks for one, only the networks in ``wyoming_nets`` are served.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from .. import __version__
from ..auth import Networks
from ..auth.guard import Guard
from ..auth.keys import KeyStore
from ..auth.networks import among, parse
from ..config import Config
from ..errors import BadConfig, Forbidden, Overloaded, TTSError, Unauthorized
from ..service import SpeechService
from ..speech import Owner
from .events import LINE
from .session import Session, refusal

log = logging.getLogger("tts.wyoming")
BACKLOG = 128
MOST = 200  # connections
RETRY_SECONDS = 0.1  # for a server before this one that still has the port
COMPLAIN_SECONDS = 30.0
LINGER_SECONDS = 2.0  # in which a client may hear why it is refused
SPEAK = frozenset(("speak",))


class WyomingServer:
    """Nothing at all where the setting ``wyoming`` is empty."""

    def __init__(self, config: Config, service: SpeechService) -> None:
        self._place = _place(config.wyoming)
        self._service = service
        self._guard = Guard(config, KeyStore(config.keys))
        self._networks = Networks(parse("allow_nets", config.listed("allow_nets")), ())
        self._trusted = parse("wyoming_nets", config.listed("wyoming_nets"))
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._accept = asyncio.Event()
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._leaving = False

    def open(self, succeeds: bool) -> None:
        """Take the port; connections wait until :meth:`accept`. ``succeeds``: it may still be another server's.

        Raises:
            BadConfig: it cannot be had.
        """
        if self._place is None:
            return
        if not succeeds:
            try:
                self._socket = _listening(*self._place)
            except OSError as error:
                host, port = self._place
                reason = f"{host}:{port}: {error.strerror or error}; choose another port"
                raise BadConfig("bad_config", name="wyoming", reason=reason) from error
        self._opening = asyncio.create_task(self._open(self._place), name="wyoming-open")

    def accept(self) -> None:
        """From now on connections are served."""
        self._accept.set()

    async def _open(self, place: tuple[str, int]) -> None:
        complain_at = asyncio.get_running_loop().time() + COMPLAIN_SECONDS
        while self._socket is None:
            try:
                self._socket = _listening(*place)
            except OSError as error:
                if asyncio.get_running_loop().time() > complain_at:
                    log.error("wyoming: %s:%d cannot be had yet (%s); it is tried on", *place, error.strerror)
                    complain_at = float("inf")
                await asyncio.sleep(RETRY_SECONDS)
        await self._accept.wait()
        self._server = await asyncio.start_server(self._serve, sock=self._socket, limit=LINE)
        log.info("wyoming: listening on %s:%d", *place)

    def leave(self) -> None:
        """Close the door, for another server or for good; who is connected is served on."""
        self._leaving = True
        if self._opening is not None:
            self._opening.cancel()
        if self._server is not None:
            self._server.close()
        elif self._socket is not None:
            self._socket.close()
        for session, task in self._sessions.items():
            if not session.is_busy:
                task.cancel()

    @property
    def is_busy(self) -> bool:
        """Whether somebody still waits for sound, or for the end of it."""
        return any(session.is_busy for session in self._sessions)

    async def close(self) -> None:
        """End every connection. A second time does no harm."""
        self.leave()
        tasks = list(self._sessions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            owner = self._owner(writer)
            await self._session(owner, reader, writer)
        except TTSError as error:
            writer.write(refusal(error).encode(__version__))
            await _farewell(reader, writer)
        except asyncio.CancelledError:
            writer.close()  # the server goes
        else:
            await _farewell(reader, writer)

    async def _session(
        self, owner: Owner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        session = Session(self._service, owner, reader, writer, lambda: self._leaving)
        task = asyncio.current_task()
        assert task is not None
        self._sessions[session] = task
        try:
            await session.serve()
        finally:
            del self._sessions[session]

    def _owner(self, writer: asyncio.StreamWriter) -> Owner:
        """Who an address is. Raises TTSError."""
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else "unknown"
        if not self._networks.allows(address):
            raise Forbidden("network_refused", address=address)
        if len(self._sessions) >= MOST or self._leaving:
            raise Overloaded("rate_limited", retry_after=1)
        roles = self._guard.stranger_roles
        if roles is None:
            if not among(address, self._trusted):
                raise Unauthorized("wyoming_no_key", address=address)
            roles = SPEAK
        return Owner(f"addr:{address}", roles=roles)


async def _farewell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close after what was written: closing over what is unread would tear it from the client's hands."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.drain()
            writer.write_eof()
            while await reader.read(LINE):
                pass
    except (OSError, RuntimeError):  # gone, or too slow
        pass
    finally:
        writer.close()


def _place(given: str) -> tuple[str, int] | None:
    """``10200`` is of this machine only; ``0.0.0.0:10200``, ``[::]:10200``. Raises BadConfig."""
    if not given:
        return None
    host, _, port = given.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise BadConfig("bad_config", name="wyoming", reason=f"'{given}' is not PORT or HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP: asyncio sets TCP_NODELAY only on sockets that say so
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock
