"""Dock: the front's port where engine replicas join. Replicas dial, so only the front's machine opens a port."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..host import WorkerHost
from ..links import Listener
from ..plan import WorkerPlan
from ..scheduler import Scheduler
from .handshake import Refused, facts, receive
from .link import ReplicaLink, gone
from .peer import Lost, Peer
from .pool import ReplicaPool

log = logging.getLogger("tts.dock")
STRANGERS = 32  # connections that have yet to show the token
LOAD_SECONDS = 0.5  # between two reports of the queue
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^A-Za-z0-9_.:#-]")


class Berth:
    """One replica that has joined, as long as its connection lasts."""

    def __init__(self, peer: Peer, name: str, clips: Path) -> None:
        self.peer = peer
        self.name = name
        self.host: WorkerHost | None = None
        self._clips = clips
        self._link: ReplicaLink | None = None
        self._leaving = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, generation: int, listener: Listener) -> ReplicaLink:
        """See ``links.LinkFactory``."""
        self._link = ReplicaLink(self.peer, generation, listener)
        return self._link

    def hear(self, kind: str, header: dict[str, Any], body: np.ndarray) -> None:
        """What the replica says."""
        if kind == "want":
            task = asyncio.create_task(self._give(str(header["key"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == "leaving":
            self._let_go(str(header["reason"])[:200])
        elif kind == "death" and self._leaving:
            self.peer.lose(self._leaving)
        elif self._link is not None:
            self._link.hear(kind, header, body)

    def over(self, reason: str) -> None:
        """The connection is gone, and with it the worker."""
        if self._link is not None:
            self._link.die(gone(reason))

    def _let_go(self, reason: str) -> None:
        """It wants to end: it gets nothing more, and goes once what it has is spoken."""
        self._leaving = reason
        if self.host is not None and self.host.state == "ready":
            self.host.replace(reason)
        else:
            self.peer.lose(reason)

    async def _give(self, key: str) -> None:
        """A clip that the replica's machine does not have."""
        data = b""
        if _SHA256.fullmatch(key):
            try:
                data = await asyncio.to_thread((self._clips / f"{key}.wav").read_bytes)
            except OSError:
                log.warning("%s asks for clip %s, which is not here", self.name, key[:16])
        self.peer.send_body("clip", data, key=key[:64])


class Dock:
    """``address``: where to listen; port 0 is any. ``clips``: the folder of the front's clips."""

    def __init__(
        self,
        scheduler: Scheduler,
        pool: ReplicaPool,
        address: tuple[str, int],
        token: str,
        engine: str,
        clips: Path,
    ) -> None:
        self.port = address[1]
        self.failed: Callable[[str], None] = lambda reason: None  # the port cannot be had
        self._scheduler = scheduler
        self._pool = pool
        self._address = address
        self._token = token
        self._facts = facts(engine)
        self._clips = clips
        self._berths: set[Berth] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._server: asyncio.Server | None = None
        pool.dock = self

    def open(self) -> None:
        """Listen, in the background."""
        self._begin(self._listen())
        self._begin(self._report())

    async def close(self) -> None:
        """Let all replicas go; their workers stay loaded."""
        if self._server is not None:
            self._server.close()
        for berth in self._berths:
            berth.peer.lose("the front stops")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        """A front that is being replaced may still have the port: it is tried until it is free."""
        host, port = self._address
        said = False
        while self._server is None:
            try:
                self._server = await asyncio.get_running_loop().create_server(self._knock, host, port)
            except OSError as error:
                if not said:
                    log.error(
                        "port %d for replicas: %s; trying until it is free", port, error.strerror or error
                    )
                said = True
                await asyncio.sleep(LOAD_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("engine replicas may join at %s port %d", host, self.port)

    def _knock(self) -> asyncio.BufferedProtocol:
        peer = Peer()
        self._begin(self._welcome(peer))
        return peer.wire

    async def _welcome(self, peer: Peer) -> None:
        self._strangers += 1
        try:
            if self._strangers > STRANGERS:
                raise Lost("too many connections")
            await peer.connected()
            said = await receive(peer, self._token, self._facts)
        except (Refused, Lost) as error:
            log.warning("somebody did not join from %s: %s", peer.address, error)
            peer.wire.close()
            return
        finally:
            self._strangers -= 1
        if said.get("asks"):  # whether all is well, and no more
            peer.wire.close()
            return
        await self._serve(peer, self._name(peer, said))

    async def _serve(self, peer: Peer, name: str) -> None:
        berth = Berth(peer, name, self._clips)
        self._berths.add(berth)
        log.info("%s joined from %s", name, peer.address)
        peer.listen(berth.hear)
        berth.host = self._pool.add(WorkerPlan(device=name, link=berth.open, returns=True))
        reason = await peer.over()
        log.warning("%s left: %s", name, reason)
        berth.over(reason)
        await self._pool.remove(berth.host)
        self._berths.discard(berth)

    def _name(self, peer: Peer, said: dict[str, Any]) -> str:
        """Machine and device, and a number where several are the same: the names of metrics stay few."""
        machine = _NAME.sub("", str(said.get("node") or peer.address))[:64] or "replica"
        taken, number = {berth.name for berth in self._berths}, 1
        while f"{machine}#{number}" in taken:
            number += 1
        return f"{machine}#{number}"

    async def _report(self) -> None:
        """Tell the replicas how long the queue is: Ray Serve asks them when it decides how many there are to be."""
        while True:
            waiting = sum(
                len(job.segments) - job.next_index + len(job.again) for job in self._scheduler.jobs.values()
            )
            for berth in self._berths:
                berth.peer.send("load", waiting=waiting, running=self._scheduler.running)
            await asyncio.sleep(LOAD_SECONDS)
