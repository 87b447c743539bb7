"""Locks on files through flock: they live as long as a descriptor does, and free themselves on SIGKILL.

A lock file is never unlinked: with a new file under the old name two processes could hold "the" lock.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from .errors import Failed, NotPermitted
from .identity import pid_namespace

COMMAND_WAIT = 120.0  # seconds for the command lock; longer than a stop with its default bounds


def _open(path: Path) -> int:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise NotPermitted("cannot_write", path=path, reason=error.strerror) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotPermitted("not_a_file", path=path)
    return fd


def _flock(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Lock:
    """An exclusive lock on ``path``; ``fd`` may be handed to a child, which then holds it too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1

    def try_acquire(self) -> bool:
        """Take it now or not at all. Raises NotPermitted where the file cannot be opened."""
        fd = _open(self.path)
        try:
            locked = _flock(fd, fcntl.LOCK_EX) and _same_file(fd, self.path)
        except OSError as error:  # ENOSYS, ENOLCK: no locks on this file system
            os.close(fd)
            raise Failed("no_flock", path=self.path, reason=error.strerror) from error
        if locked:
            self.fd = fd
        else:
            os.close(fd)
        return locked

    def acquire(self, timeout: float, check: Callable[[], None] = lambda: None) -> None:
        """Wait at most ``timeout`` seconds; ``check`` runs while waiting and may raise.

        Raises:
            Failed: names the holder.
        """
        deadline = time.monotonic() + timeout
        while not self.try_acquire():
            check()
            if time.monotonic() > deadline:
                raise Failed("lock_timeout", path=self.path, seconds=timeout, pid=self.holder() or "?")
            time.sleep(0.02)

    def write(self, text: str) -> None:
        """Say in the file who holds it (for people and messages; the lock itself is the truth)."""
        try:
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, text.encode(), 0)
        except OSError:
            pass  # a full disk: the lock holds all the same

    def holder(self) -> str:
        """The first line of the file: the pid of its last holder."""
        return read_text(self.path, 4096).partition("\n")[0].strip()[:20]

    def works(self) -> bool:
        """Whether a second taker is really refused: some network file systems grant everybody."""
        other = _open(self.path)
        try:
            return not _flock(other, fcntl.LOCK_EX)
        finally:
            os.close(other)

    def release(self) -> None:
        """Let go (children that inherited the descriptor keep holding)."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release()


def _same_file(fd: int, path: Path) -> bool:
    """Whether ``path`` still names the locked file; somebody may have deleted it in between."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError:
        return False


def held(path: Path) -> bool:
    """Whether somebody holds the lock; changes nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not _flock(fd, fcntl.LOCK_SH)
    except OSError:
        return False
    finally:
        os.close(fd)


def read_text(path: Path, limit: int) -> str:
    """At most ``limit`` bytes of a regular file; "" for anything else (never follows a link, never blocks)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        return os.read(fd, limit).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)


def holders(path: Path) -> list[int]:
    """Pids whose descriptor holds the flock on ``path``: ours by inheritance, whatever their environment."""
    others = (name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid())
    namespace = pid_namespace("self")
    return [int(name) for name in others if _holds(name, path) and pid_namespace(name) == namespace]


def _holds(pid: str, path: Path) -> bool:
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{fd}") != str(path):
                continue
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                if any(line.startswith("lock:") and "WRITE" in line for line in file):
                    return True
    except OSError:
        return False
    return False
