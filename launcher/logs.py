"""``tts-launch logs``: the last lines of every log file of an instance, and then what is added."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from . import journal
from .instance import Instance

NAMES = {
    "access": "tts_access.log",
    "error": "tts_error.log",
    "debug": "tts_debug.log",
    "server": "server.log",
    "launcher": "launcher.log",
}
_POLL = 0.2  # seconds between looks at growing files
_PIECE = 1 << 20  # bytes read at once
_PIECES = 16  # of one file before the others have their turn
_LINE = 1 << 16  # a longer line is shown cut
_MARK = 64  # bytes before the position, by which a file that was replaced is known
Show = Callable[[str, str], None]  # file name, line


def files(instance: Instance, names: Collection[str] = ()) -> list[Path]:
    """The log files that are there, by name; only ``names`` (keys of ``NAMES``) if there are any."""
    wanted = {NAMES[name] for name in names}
    found = (path for path in instance.logs.glob("*.log") if not wanted or path.name in wanted)
    return sorted(path for path in found if path.is_file())


class Follower:
    """Reads what is added to a file, also when it is put aside, emptied, or replaced by another."""

    def __init__(self, path: Path, at_end: bool) -> None:
        self.path = path
        self.position = journal.size(path) if at_end else 0
        self.mark = _read(path, max(0, self.position - _MARK), min(self.position, _MARK))
        self.rest = b""
        self.skipping = False  # the rest of a line that was too long

    def lines(self) -> list[str]:
        """Whole lines since the last call."""
        found: list[str] = []
        if not self._same(self.path):
            old = self.path.with_name(self.path.name + ".1")
            if self._same(old):  # what was added before it was put aside
                found += self._added(old)
            self.position, self.mark, self.rest, self.skipping = 0, b"", b"", False
        return found + self._added(self.path)

    def _same(self, path: Path) -> bool:
        """Whether what is before the position is what was read there."""
        return _read(path, self.position - len(self.mark), len(self.mark)) == self.mark

    def _added(self, path: Path) -> list[str]:
        found: list[str] = []
        for _ in range(_PIECES):
            data = _read(path, self.position, _PIECE)
            if not data:
                break
            self.position += len(data)
            self.mark = (self.mark + data)[-_MARK:]
            found += self._split(data)
        return found

    def _split(self, data: bytes) -> list[str]:
        *whole, self.rest = (self.rest + data).split(b"\n")
        if self.skipping and whole:
            del whole[0]
            self.skipping = False
        if self.skipping:
            self.rest = b""
        elif len(self.rest) > _LINE:
            whole, self.rest, self.skipping = [*whole, self.rest], b"", True
        return [journal.clean(line[:_LINE].decode("utf-8", "replace")) for line in whole]


def _read(path: Path, start: int, count: int) -> bytes:
    """Some bytes of a file; fewer, or none, where there are none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(fd, count, start)
    except OSError:
        return b""
    finally:
        os.close(fd)


def last(path: Path, lines: int, end: int) -> list[str]:
    """The last lines of a file; where it has just been put aside also of the old one."""
    found = journal.tail(path, lines, end=end)
    old = path.with_name(path.name + ".1")
    return [*journal.tail(old, lines - len(found)), *found] if len(found) < lines else found


def show(
    instance: Instance, lines: int, out: Show, follow: bool = False, names: Collection[str] = ()
) -> None:
    """The last ``lines`` lines of each file; with ``follow`` what comes after them, until Ctrl+C."""
    followers = {path: Follower(path, at_end=True) for path in files(instance, names)}
    for path, follower in followers.items():
        for line in last(path, lines, follower.position):
            out(path.name, line)
    while follow:
        for path in files(instance, names):  # those that appear later are followed too
            followers.setdefault(path, Follower(path, at_end=False))
        for path, follower in followers.items():
            for line in follower.lines():
                out(path.name, line)
        time.sleep(_POLL)
