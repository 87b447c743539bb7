"""Log files that are put aside when big or old.

Nothing here raises: a log that cannot be written loses lines, says so once, and never stops the service.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from .lines import Line, Render

LOOK_SECONDS = 1.0  # between looks whether the file is still the one of that name
AGE_SECONDS = 60.0  # between looks at ages
COMPLAIN_SECONDS = 60.0  # a disk that fills again and again is complained of so often
DAY = 86_400.0
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4})")
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not hold us up


@dataclass(frozen=True, slots=True)
class Limits:
    """When a file is put aside, and how many and how old ones stay."""

    size: int = 10 << 20  # bytes
    keep: int = 5
    days: float = 7.0


class Sink(Protocol):
    """Takes lines, each with its line end."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write them or lose them, or get ready where there are none; never raises."""


class _Paused(OSError):
    """It failed a moment ago and is not tried yet."""


class LogFile:
    """One file, used by one thread. Others may rename, truncate or delete it; two processes may share it."""

    def __init__(self, path: Path, limits: Limits, render: Render, complain: Callable[[str], None]) -> None:
        self.path = path
        self.lost = 0  # lines since it last worked
        self._limits = limits
        self._render = render
        self._complain = complain
        self._fd = -1
        self._size = 0
        self._began = 0.0  # wall-clock time of its first line
        self._regular = True
        self._torn = False  # the last line is half there
        self._why = ""
        self._look_at = self._age_at = 0.0
        self._complain_at = 0.0

    def write(self, lines: Sequence[bytes]) -> None:
        """Append; at most one line passes the size. Without lines the file is made."""
        done = 0
        try:
            if not lines:
                self._prepare()
            while done < len(lines):
                self._prepare()
                note = self._note()
                upto, room = done + 1, self._limits.size - self._size - len(note) - len(lines[done])
                while upto < len(lines) and room >= len(lines[upto]):
                    room -= len(lines[upto])
                    upto += 1
                self._append(note + b"".join(lines[done:upto]))
                self.lost, done = 0, upto
        except OSError as error:
            self._fail(error, len(lines) - done)

    def close(self) -> None:
        """It is opened again by the next line."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _note(self) -> bytes:
        note = "\n" if self._torn else ""
        if self.lost:
            text = f"{self.lost} lines were lost: {self._why}"
            note += self._render(Line(time.time(), logging.WARNING, "tts.logs", text))
        return note.encode()

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            wrote = os.write(self._fd, left)
            self._torn = wrote < len(left)
            self._size += wrote if self._regular else 0
            left = left[wrote:]

    def _fail(self, error: OSError, lost: int) -> None:
        first, self.lost = not self.lost, self.lost + lost
        if isinstance(error, _Paused):
            return
        now = time.monotonic()
        self._look_at = now + LOOK_SECONDS
        self.close()
        self._why = error.strerror or str(error)
        if first and now >= self._complain_at:
            self._complain_at = now + COMPLAIN_SECONDS
            self._complain(f"{self.path} cannot be written ({self._why}): lines are lost until it can")

    def _prepare(self) -> None:
        """Have the file of that name open, with room in it."""
        now = time.monotonic()
        if now >= self._look_at:
            if not self._in_place():
                self._open()
            self._look_at = now + LOOK_SECONDS
        elif self._fd < 0:
            raise _Paused(self._why)
        full = self._size >= self._limits.size
        if self._regular and self._size and (full or (now >= self._age_at and self._too_old(now))):
            self._put_aside()

    def _in_place(self) -> bool:
        """Whether the name still leads to the open file; sees how long that is."""
        if self._fd < 0:
            return False
        mine = os.fstat(self._fd)
        if mine.st_size < self._size:
            self._began = time.time()  # somebody emptied it
        self._size = mine.st_size if self._regular else 0
        try:
            named = self.path.stat()
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino)

    def _open(self) -> None:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self.path, APPEND, 0o666)
        info = os.fstat(self._fd)
        self._regular = stat.S_ISREG(info.st_mode)  # /dev/stdout is never put aside
        self._size = info.st_size if self._regular else 0
        self._began = first_time(self.path) if self._size else time.time()
        self._torn &= self._size > 0
        self._age_at = 0.0

    def _too_old(self, now: float) -> bool:
        self._age_at = now + AGE_SECONDS
        remove_old(self.path, self._limits)
        return time.time() - self._began > self._limits.days * DAY

    def _put_aside(self) -> None:
        """x.log becomes x.log.1, that x.log.2, and so on; a file that cannot be renamed is emptied instead."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._look_at = 0.0
            return  # the other server of a restart is doing it
        except OSError:
            pass  # a file system without locks: at worst a short file too many
        try:
            if self._in_place():
                shift(self.path, self._limits.keep)
                self.path.replace(numbered(self.path, 1))
        except OSError as error:
            os.ftruncate(self._fd, 0)
            self._complain(f"{self.path} cannot be renamed ({error.strerror}): emptied")
        self._open()
        remove_old(self.path, self._limits)


def numbered(path: Path, number: int) -> Path:
    """The name of an old file."""
    return path.with_name(f"{path.name}.{number}")


def shift(path: Path, keep: int) -> None:
    """Make ``path.1`` free; ``path.keep`` is overwritten."""
    for number in range(keep - 1, 0, -1):
        if numbered(path, number).exists():
            numbered(path, number).replace(numbered(path, number + 1))


def remove_old(path: Path, limits: Limits) -> None:
    """Delete old files beyond the number or the age that are kept."""
    for old in path.parent.glob(f"{path.name}.*"):
        number = old.name.removeprefix(path.name + ".")
        if not number.isdecimal():
            continue
        try:
            aged = time.time() - old.stat().st_mtime > limits.days * DAY
            if aged or int(number) > limits.keep:
                old.unlink()
        except OSError:
            pass  # somebody else's, or gone already


def first_time(path: Path) -> float:
    """When the first line was written, or the file changed last; now where neither can be told."""
    try:
        with path.open("rb") as file:
            found = _TIME.search(file.read(4096))
        return datetime.fromisoformat(found[1].decode()).timestamp() if found else path.stat().st_mtime
    except (OSError, ValueError):
        return time.time()
