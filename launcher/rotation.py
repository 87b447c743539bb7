"""Keeps launcher.log and server.log bounded while others append to them.

A file is copied and then emptied, never renamed: whoever has it open for appending (the server, its
workers, the launcher's own streams) goes on in the same file, so nothing is left writing to an old one.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .options import Settings

LOOK = 1.0  # seconds between looks at sizes
AGES = 60.0  # seconds between looks at ages
ATTEMPT = 1 << 20  # bytes that a server which is not ready yet may leave in the log
_HEAD = ATTEMPT // 4  # of these so many from its beginning: the cause is often there
_MOST_HELD = 8
_DAY = 86_400.0
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a file, how many old ones stay, and for how many days."""

    size: int = 10 << 20
    keep: int = 5
    days: float = 7.0


class Rotation:
    """``check`` belongs into the supervisor's loop; it looks at each file at most once a second."""

    def __init__(self, paths: list[Path], limits: Limits, log: Callable[[str], None]) -> None:
        self._files = [_File(path, limits, log) for path in paths]
        self._server = self._files[0]
        self._due = self._ages_due = 0.0

    @classmethod
    def of(cls, settings: Settings, log: Callable[[str], None]) -> Rotation:
        """Of an instance's own files."""
        limits = Limits(settings.log_max_mb << 20, settings.log_keep, settings.log_days)
        return cls([settings.instance.server_log, settings.instance.launcher_log], limits, log)

    def check(self, attempt: int | None = None) -> None:
        """Put aside what is too big or too old. Never raises.

        ``attempt``: where the output of a server that is not ready yet begins in the first file (None: it
        is ready, or there is none); it may leave ``ATTEMPT`` bytes.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + LOOK
        ages = now >= self._ages_due
        if ages:
            self._ages_due = now + AGES
        if attempt is not None:
            self.cut(attempt)
        for file in self._files:
            file.tend(partial(file.look, ages))

    def cut(self, attempt: int) -> None:
        """A server has ended before it was ready: its output, from this byte on, is cut to ``ATTEMPT`` bytes."""
        self._server.tend(partial(cut_middle, self._server.path, attempt))


class _File:
    """One log file: what is known of it, and what has been complained of."""

    def __init__(self, path: Path, limits: Limits, log: Callable[[str], None]) -> None:
        self.path = path
        self.limits = limits
        self.log = log
        self.complained = ""
        self.held: list[int] = []  # the file of that name, and before it those that were moved or deleted

    def tend(self, work: Callable[[], None]) -> None:
        """Say a failure once; a log must not disturb the service."""
        try:
            work()
        except FileNotFoundError:
            pass  # deleted, and not yet opened again
        except OSError as error:
            if self.complained != str(error):
                self.complained = str(error)
                self.log(f"{self.path.name} cannot be put aside ({error.strerror}): what is too much is lost")

    def look(self, ages: bool) -> None:
        """Free what was deleted; put aside what is too big or too old."""
        self.free_deleted()
        info = os.stat(self.path)
        if stat.S_ISCHR(info.st_mode):
            return
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a plain file")
        self.hold(info)
        if ages:
            remove_old(self.path, self.limits)
        old = ages and info.st_size > 0 and time.time() - first_time(self.path) > self.limits.days * _DAY
        if info.st_size >= self.limits.size or old:
            put_aside(self.path, self.limits)

    def free_deleted(self) -> None:
        """Nobody can read a deleted file that is still written to: empty it, so that its space is free."""
        for fd in self.held:
            info = os.fstat(fd)
            if info.st_nlink == 0 and info.st_size:
                os.ftruncate(fd, 0)

    def hold(self, named: os.stat_result) -> None:
        """Keep the file of that name open, to find it again when somebody deletes it."""
        if not (self.held and os.path.samestat(os.fstat(self.held[-1]), named)):
            self.held.append(_open(self.path))
        if len(self.held) > _MOST_HELD:
            os.close(self.held.pop(0))


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK)


def open_append(path: Path) -> BinaryIO:
    """A file for a child's output; /dev/null where it cannot be opened, since the service comes first."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_NONBLOCK, 0o666)  # a pipe must not hold us up
    except OSError:
        fd = os.open(os.devnull, flags)
    return os.fdopen(fd, "ab")


def put_aside(path: Path, limits: Limits) -> None:
    """Copy the file (of a flood the last 2 * ``limits.size`` bytes) to path.1 (that to path.2, and so on), then empty the file.

    Where there is no room for a copy, only the beginning and the end of the file stay: that makes room.
    """
    fd = _open(path)
    copy = path.with_name(path.name + ".copy")
    try:
        _copy_end(fd, copy, 2 * limits.size)
        for number in range(limits.keep - 1, 0, -1):
            if os.path.lexists(_numbered(path, number)):
                os.replace(_numbered(path, number), _numbered(path, number + 1))
        os.replace(copy, _numbered(path, 1))
        os.ftruncate(fd, 0)
    except OSError:
        cut_middle(path, 0)
        copy.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    remove_old(path, limits)


def _copy_end(fd: int, copy: Path, most: int) -> None:
    size = os.fstat(fd).st_size
    start = max(0, size - most)
    target = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        if start:
            _write_all(target, b"... %d bytes left out ...\n" % start)
        while size + most > start:  # what comes meanwhile too, but a flood has an end
            sent = os.sendfile(target, fd, start, 1 << 20)
            if not sent:
                break
            start += sent
    finally:
        os.close(target)


def cut_middle(path: Path, start: int) -> None:
    """From byte ``start`` on keep at most ``ATTEMPT`` bytes: the beginning and the end."""
    fd = _open(path)
    try:
        info = os.fstat(fd)
        start = start if start <= info.st_size else 0  # it was put aside meanwhile
        if info.st_size - start <= ATTEMPT or not stat.S_ISREG(info.st_mode):
            return  # small, or a device
        end = os.pread(fd, ATTEMPT - _HEAD - 100, info.st_size - (ATTEMPT - _HEAD - 100))
        left_out = info.st_size - start - _HEAD - len(end)
        os.ftruncate(fd, start + _HEAD)
        _write_all(fd, b"\n... %d bytes left out ...\n" % left_out + end)
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def remove_old(path: Path, limits: Limits) -> None:
    """Delete old files beyond the number or the age that are kept."""
    for entry in os.scandir(path.parent):
        number = entry.name.removeprefix(path.name + ".")
        if number == entry.name or not number.isdecimal():
            continue
        try:
            aged = time.time() - entry.stat(follow_symlinks=False).st_mtime > limits.days * _DAY
            if aged or int(number) > limits.keep:
                os.unlink(entry.path)
        except OSError:
            pass  # somebody else's, or gone already


def first_time(path: Path) -> float:
    """When the first dated line was written, in seconds since the epoch; now where there is none."""
    try:
        with open(path, "rb") as file:
            found = _TIME.search(file.read(4096))
        text = b" ".join(found.groups()).decode() if found else ""
        return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S")) if found else time.time()
    except (OSError, ValueError, OverflowError):
        return time.time()


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
