"""What the scheduler sends segments over: a local process here; other kinds of links are made by a ``LinkFactory``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import messages
from .errors import EXIT_CONFIG
from .speech import Audio, Segment
from .wire import Wire

log = logging.getLogger("tts.link")
VMSTAT = Path("/proc/vmstat")
SOCKET_BYTES = 1 << 20
LINGER_SECONDS = 5.0  # between a worker's EOF and its exit
CLOSE_SECONDS = 3.0  # for a worker to exit by itself
# codes of ``on_failed`` that say nothing of the segment
BUSY = "busy"  # the worker has no room for it after all: it is sent again, here or elsewhere
ASTRAY = "astray"  # the worker failed by itself: it is sent again, elsewhere if there is another
LATE = "late"  # the same; it took longer than the seconds in the message


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker ended. ``outside`` is true for a SIGKILL that neither we nor a kernel short of
    memory sent: somebody ended it, which says next to nothing about its segments. ``gone``: the machine, or
    the way to it, went; nobody makes a new worker there."""

    reason: str
    exit_code: int | None
    outside: bool = False
    gone: bool = False

    @property
    def hopeless(self) -> bool:
        """Whether a new worker would end the same way (a wrong setting or model)."""
        return self.exit_code == EXIT_CONFIG


def kernel_oom_kills() -> int | None:
    """How many processes the kernel has killed for memory since boot, those of memory cgroups
    included (Documentation/admin-guide/mm, ``oom_kill`` of /proc/vmstat); None where it is not told."""
    try:
        for line in VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


class Listener(Protocol):
    """Who hears a link. Every call names the generation it belongs to."""

    def on_hello(self, generation: int, info: dict[str, Any]) -> None:
        """The engine is loaded."""

    def on_loading(self, generation: int, fraction: float, text: str) -> None:
        """How far the load is."""

    def on_grant(self, generation: int, total: int) -> None:
        """Segments that may have been sent in all, this generation. Less than before takes unused credit back."""

    def on_finished(
        self, generation: int, segment_id: str, attempt: int, audio: Audio, engine_seconds: float
    ) -> None:
        """A segment is spoken."""

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
        """A segment is not spoken; code "cancelled" acknowledges a cancel; see also ``BUSY``, ``ASTRAY``, ``LATE``."""

    def on_beat(self, generation: int, step_no: int, busy_s: float, stats: dict[str, Any]) -> None:
        """The worker lives; ``busy_s`` is the age of the step under way. ``rest_s`` in ``stats`` are seconds for
        which it takes nothing."""

    def on_death(self, generation: int, death: Death) -> None:
        """The last call of a generation: the process is reaped."""


def tell(listener: Listener, generation: int, kind: str, header: Mapping[str, Any], body: np.ndarray) -> None:
    """What a worker says while it serves, by the name of its message. Raises BrokenWire for another name."""
    if kind == "finished":
        audio = Audio(header["rate"], body.view(np.float32))
        listener.on_finished(generation, header["id"], header["attempt"], audio, header["engine_seconds"])
    elif kind == "failed":
        listener.on_failed(
            generation,
            header["id"],
            header["attempt"],
            header["code"],
            header["message"],
            header["retryable"],
            header["engine_seconds"],
        )
    elif kind == "grant":
        listener.on_grant(generation, header["total"])
    elif kind == "beat":
        listener.on_beat(generation, header["step_no"], header["busy_s"], header["stats"])
    elif kind == "loading":
        listener.on_loading(generation, header["fraction"], header["text"])
    else:
        raise messages.BrokenWire(f"unknown message {kind!r}")


class WorkerLink(Protocol):
    """One generation of one worker."""

    generation: int

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """Send a segment; only against a credit."""

    def cancel(self, segment_id: str) -> None:
        """Ask for a segment to be dropped; ``on_failed(code="cancelled")`` acknowledges."""

    def kill(self, reason: str) -> None:
        """End it now; ``on_death`` follows with ``reason``."""

    async def close(self) -> None:
        """Let it exit, and wait until it is gone."""


class HostedLink(WorkerLink, Protocol):
    """A link as its host makes and starts it, once for each generation."""

    @property
    def pid(self) -> int | None:
        """Of a process of this machine; None where there is none (yet)."""

    async def start(self) -> None:
        """Begin, and return soon: ``on_loading``, ``on_hello``, ``on_grant`` follow, at last ``on_death``, once.

        Raises OSError where it cannot even begin; nothing follows then. All calls of the listener are made on
        the event loop, and none from within ``admit``, ``cancel``, ``kill`` or ``start``: the scheduler is in
        the middle of something.
        """


LinkFactory = Callable[[int, Listener], HostedLink]  # of a generation, and who hears it


class LocalLink:
    """A worker process of this machine, over a socketpair made for this generation alone.

    It is ``python -m index_tts_ui.worker`` with ``arguments``; ``keep_fds`` are inherited, ``environ`` is added
    to the environment.
    """

    def __init__(
        self,
        generation: int,
        listener: Listener,
        arguments: Sequence[str],
        keep_fds: Sequence[int] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.generation = generation
        self._listener = listener
        self._arguments = arguments
        self._keep_fds = keep_fds
        self._environ = environ or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._exited = asyncio.Event()
        self._wire: Wire | None = None
        self._task: asyncio.Task[None] | None = None
        self._kill_reason = ""
        self._fatal = ""
        self._oom_kills: int | None = None

    @property
    def pid(self) -> int | None:
        """The worker's pid, once started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Spawn it. Raises OSError where no process can be made."""
        self._oom_kills = kernel_oom_kills()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):  # a segment's sound in one go, without waiting for the other side
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        with theirs:
            own = ["--fd", str(theirs.fileno()), "--generation", str(self.generation)]
            try:
                self._process = subprocess.Popen(  # noqa: ASYNC220 - a spawn takes milliseconds
                    [sys.executable, "-m", "index_tts_ui.worker", *own, *self._arguments],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), *self._keep_fds),
                    env={**os.environ, **self._environ},
                )
            except OSError:
                ours.close()
                raise
        self._watch_exit(self._process.pid)
        self._task = asyncio.create_task(self._run(ours), name=f"worker-link-{self.generation}")

    def _watch_exit(self, pid: int) -> None:
        """A pidfd becomes readable when the process has ended; it cannot mean another process."""
        loop, fd = asyncio.get_running_loop(), os.pidfd_open(pid)

        def ended() -> None:
            loop.remove_reader(fd)
            os.close(fd)
            self._exited.set()

        loop.add_reader(fd, ended)

    async def _run(self, sock: socket.socket) -> None:
        assert self._process is not None
        sock.setblocking(False)
        wire = self._wire = Wire(self._dispatch, self.kill)
        await asyncio.get_running_loop().create_connection(lambda: wire, sock=sock)
        closing = asyncio.create_task(wire.closed.wait())
        exiting = asyncio.create_task(self._exited.wait())
        await asyncio.wait((closing, exiting), return_when=asyncio.FIRST_COMPLETED)
        # whichever came first, the other follows at once, or something is wrong
        await asyncio.wait((closing, exiting), timeout=LINGER_SECONDS)
        closing.cancel()
        self.kill("it closed its connection but did not exit")
        await exiting
        wire.close()
        self._listener.on_death(self.generation, self._death(self._process.wait()))

    def _death(self, code: int) -> Death:
        if self._kill_reason:
            return Death(self._kill_reason, None)
        if code < 0:
            name = signal.Signals(-code).name
            if -code != signal.SIGKILL:
                return Death(f"killed by {name}", code)
            kills = kernel_oom_kills()
            if kills is not None and kills == self._oom_kills:
                return Death("killed by SIGKILL from outside", code, outside=True)
            return Death("killed by SIGKILL (out of memory?)", code)
        return Death(self._fatal or f"exit code {code}", code)

    def _dispatch(self, header: dict[str, Any], body: np.ndarray) -> None:
        kind = header.pop("type")
        if kind == "hello":
            self._hello(header)
        elif kind == "fatal":
            self._fatal = header["message"]
        else:
            tell(self._listener, self.generation, kind, header, body)

    def _hello(self, header: dict[str, Any]) -> None:
        if header["protocol"] != messages.PROTOCOL or header["generation"] != self.generation:
            raise messages.BrokenWire("another protocol or generation")
        self._listener.on_hello(self.generation, header["info"])

    def admit(self, segment: Segment, attempt: int, exclusive: bool) -> None:
        """See ``WorkerLink``."""
        self._send("admit", segment=segment.to_json(), attempt=attempt, exclusive=exclusive)

    def cancel(self, segment_id: str) -> None:
        """See ``WorkerLink``."""
        self._send("cancel", id=segment_id)

    def _send(self, kind: str, **fields: Any) -> None:
        if self._wire is not None:
            self._wire.send(messages.pack(kind, **fields))

    def kill(self, reason: str) -> None:
        """See ``WorkerLink``."""
        if self._process is not None and not self._exited.is_set():
            self._kill_reason = self._kill_reason or reason
            self._process.kill()  # not yet reaped, so the pid is still this process

    async def close(self) -> None:
        """See ``WorkerLink``: EOF tells the worker to exit; SIGKILL if it does not within 3 s."""
        if self._process is None or self._task is None:
            return
        if self._wire is not None:
            self._wire.close()
        try:
            await asyncio.wait_for(self._exited.wait(), CLOSE_SECONDS)
        except TimeoutError:
            self.kill("closed")
        await self._task
