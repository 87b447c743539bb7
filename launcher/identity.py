"""Who a process is: host, boot id, pid and start time; a pid alone is never an identity.

Safety rule of the whole package: a signal is sent only to a process whose start time in
``/proc`` still equals the recorded one, through a pidfd opened before that comparison.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .errors import Failed

MARKER = "TTS_INSTANCE"  # this variable marks the server and all it starts
_DEAD = frozenset("ZXx")  # a zombie has ended; only its parent has not noticed yet


@dataclass(frozen=True, slots=True)
class Stat:
    """What /proc/<pid>/stat says; ``ticks`` is the start time in clock ticks since boot."""

    pid: int
    parent: int
    state: str
    ticks: int


def read_stat(pid: int) -> Stat | None:
    """None where there is no such process. Format: proc(5); the name may hold spaces and brackets."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return Stat(pid, int(fields[1]), fields[0].decode(), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def processes() -> Iterator[Stat]:
    """Every process that /proc shows, zombies too."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := read_stat(int(name))):
            yield stat


@functools.cache
def this_host() -> tuple[str, str]:
    """Host name and boot id."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return os.uname().nodename, file.read().strip()
    except OSError:
        return os.uname().nodename, ""


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, for as long as the world lasts: pids come round again, this does not."""

    host: str
    boot: str
    pid: int
    ticks: int

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The identity of a live process; None for a zombie or no process."""
        stat = read_stat(pid) if pid > 0 else None
        if stat is None or stat.state in _DEAD:
            return None
        return cls(*this_host(), pid, stat.ticks)

    @classmethod
    def from_json(cls, data: Any) -> Identity | None:
        """Tolerant: anything that is not an identity is None."""
        if not isinstance(data, dict):
            return None
        host, boot, pid, ticks = (data.get(key) for key in ("host", "boot", "pid", "ticks"))
        if not (
            isinstance(host, str)
            and isinstance(boot, str)
            and isinstance(pid, int)
            and isinstance(ticks, int)
        ):
            return None
        return cls(host, boot, pid, ticks) if 0 < pid < 1 << 31 else None

    def to_json(self) -> dict[str, Any]:
        """For state files."""
        return asdict(self)

    @property
    def here(self) -> bool:
        """Whether this host, in this boot, can judge it at all."""
        return (self.host, self.boot) == this_host()

    def alive(self) -> bool:
        """Whether exactly this process still runs (a zombie does not)."""
        return self.here and Identity.of(self.pid) == self

    def signal(self, signum: int) -> bool:
        """Send ``signum`` if this is still the same process; False where it has ended.

        Raises:
            PermissionError: it belongs to another user.
        """
        if self.pid == os.getpid() or self.pid < 1:
            return False
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        except PermissionError:
            raise
        except OSError:  # no pidfd on this kernel: the start time is still compared
            return self._kill(signum)
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(fd, signum)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(fd)

    def _kill(self, signum: int) -> bool:
        if self.pid <= 1 or not self.alive():
            return False
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            return False
        return True


def me() -> Identity:
    """The identity of this process. Raises Failed where /proc does not show it."""
    identity = Identity.of(os.getpid())
    if identity is None:
        raise Failed("no_proc")
    return identity


@dataclass(frozen=True, slots=True)
class Marked:
    """A process that carries our marker, and the supervisor that the marker names."""

    process: Identity
    supervisor: Identity


def marker(key: str, supervisor: Identity) -> str:
    """The marker's value: which instance (``key``) and which supervisor started this process."""
    return f"{key}:{supervisor.pid}:{supervisor.ticks}"


def _read_marker(pid: int) -> str:
    prefix = MARKER.encode() + b"="
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:  # gone, or of another user
        return ""
    return next((v[len(prefix) :].decode("ascii", "replace") for v in variables if v.startswith(prefix)), "")


def pid_namespace(pid: int | str) -> str:
    """The pid namespace of a process; "" where it is not shown. A container's pids mean nothing outside."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def marked(key: str) -> list[Marked]:
    """Live processes of instance ``key``, in whatever session, of this pid namespace.

    A container's processes show on its host too, with pids in their markers that mean nothing there.
    """
    found = []
    namespace = pid_namespace("self")
    for stat in processes():
        parts = _read_marker(stat.pid).split(":")
        if len(parts) != 3 or parts[0] != key or not (parts[1].isdigit() and parts[2].isdigit()):
            continue
        identity = Identity.of(stat.pid)
        if identity and identity.ticks == stat.ticks and pid_namespace(stat.pid) == namespace:
            found.append(Marked(identity, Identity(*this_host(), int(parts[1]), int(parts[2]))))
    return found
