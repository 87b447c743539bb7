"""ReplicaLink: a worker of another process or machine, over the connection by which its replica joined.

Ray Serve's own way to a replica is not taken: its router binds a request to a replica when it comes, and there
it waits behind whatever that one has. Here a segment is bound when a row is free for it, as on one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import numpy as np

from ..links import Death, Listener, tell
from ..speech import Segment
from .peer import Peer

END_SECONDS = 5.0  # for a worker to exit


class ReplicaLink:
    """One generation of a replica's worker; a ``links.HostedLink``."""

    def __init__(self, peer: Peer, generation: int, listener: Listener) -> None:
        self.generation = generation
        self._peer = peer
        self._listener = listener
        self._over = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Its process is not ours."""
        return None

    async def start(self) -> None:
        """Take the worker that is there, or have one made. See ``links.HostedLink``."""
        if self._peer.lost:
            asyncio.get_running_loop().call_soon(self.die, gone(self._peer.reason))
        else:
            self._peer.send("begin", generation=self.generation)

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``links.WorkerLink``."""
        self._send("admit", segment=segment.to_json(), attempt=attempt, exclusive=exclusive)

    def cancel(self, segment_id: str) -> None:
        """See ``links.WorkerLink``."""
        self._send("cancel", id=segment_id)

    def kill(self, reason: str) -> None:
        """See ``links.WorkerLink``; a replica that is not even heard any more is given up by its silence."""
        self._send("kill", reason=reason)

    async def close(self) -> None:
        """End the worker, so that it holds nothing of its device; the replica stays."""
        if self._peer.lost or self._over.is_set():
            return
        self._send("end")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), END_SECONDS)

    def hear(self, kind: str, header: dict[str, Any], body: np.ndarray) -> None:
        """A message of the worker, or of its end."""
        if header.pop("generation", self.generation) != self.generation or self._over.is_set():
            return
        if kind == "death":
            self.die(Death(header["reason"], header["exit_code"], header["outside"]))
        elif kind == "hello":
            self._listener.on_hello(self.generation, header["info"])
        else:
            tell(self._listener, self.generation, kind, header, body)

    def die(self, death: Death) -> None:
        """The last thing that is heard of it."""
        if not self._over.is_set():
            self._over.set()
            self._listener.on_death(self.generation, death)

    def _send(self, kind: str, **fields: Any) -> None:
        if not self._over.is_set():
            self._peer.send(kind, generation=self.generation, **fields)


def gone(reason: str) -> Death:
    """The end of a replica that nobody can ask why."""
    return Death(
        f"its replica is gone: {reason or 'the connection was closed'}", None, outside=True, gone=True
    )
