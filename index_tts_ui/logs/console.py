"""Standard error as a place for log lines, also where it is a file that somebody moves away."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

from .files import APPEND, LOOK_SECONDS


class Console:
    """Where standard error appends to a file (server.log), both streams follow that file's name."""

    def __init__(self) -> None:
        self._path = _followed()
        self._look_at = 0.0

    def write(self, lines: Sequence[bytes]) -> None:
        """What cannot be written is lost: there is nowhere to say so."""
        try:
            if self._path and time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + LOOK_SECONDS
                _follow(self._path)
            left = memoryview(b"".join(lines))
            while left:
                left = left[os.write(2, left) :]
        except OSError:
            pass


def _followed() -> Path | None:
    """The file's path, if the stream appends to a plain file."""
    try:
        appends = fcntl.fcntl(2, fcntl.F_GETFL) & os.O_APPEND
        path = Path("/proc/self/fd/2").readlink()
        return path if appends and stat.S_ISREG(path.stat().st_mode) else None
    except OSError:
        return None  # no standard error, or a file that is gone


def _follow(path: Path) -> None:
    """Open the file of that name again where it is another one, or none."""
    mine = os.fstat(2)
    try:
        named = path.stat()
        if (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino):
            return
    except FileNotFoundError:
        pass
    fd = os.open(path, APPEND | os.O_NOFOLLOW, 0o666)
    out = os.fstat(1)
    if (out.st_dev, out.st_ino) == (mine.st_dev, mine.st_ino):
        os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
