"""The last lines of a log, across the files put aside, and what comes after them. Any thread may call it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .files import numbered
from .lines import cut

FILES = {"access": "tts_access.log", "error": "tts_error.log", "debug": "tts_debug.log"}
BLOCK = 1 << 16
MOST_BYTES = 8 << 20  # that are looked through, for one answer
MOST_NEWS = 1 << 19  # bytes of news for one answer: what is older of them is skipped
LINE_MAX = 2_000  # characters


class Tail:
    """One log, followed. ``query``: only lines with these words, whatever their case."""

    def __init__(self, path: Path, query: str = "") -> None:
        self._path = path
        self._query = query.casefold()
        self._fd = -1
        self._at = 0  # what was told of the open file, up to the end of a line

    def last(self, count: int) -> list[str]:
        """The last ``count`` lines, the oldest first; ``news`` goes on behind them."""
        self._open()
        found: list[str] = []
        left, number = MOST_BYTES, 0
        while len(found) < count and left > 0:
            path = self._path if number == 0 else numbered(self._path, number)
            try:
                with path.open("rb") as file:
                    end = self._at if number == 0 and self._fd >= 0 else os.fstat(file.fileno()).st_size
                    for line in _backwards(file.fileno(), end, max(0, end - left)):
                        if self._is_wanted(line):
                            found.append(line)
                        if len(found) == count:
                            break
                    left -= end
            except OSError:
                if number:
                    break
            number += 1
        return [cut(line, LINE_MAX) for line in reversed(found)]

    def news(self) -> list[str]:
        """What was written since; also where the file was put aside meanwhile."""
        found = self._read()
        if self._is_another():
            self.close()
            self._open(0)
            found += self._read()
        return [cut(line, LINE_MAX) for line in found if self._is_wanted(line)]

    def close(self) -> None:
        """It may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _is_wanted(self, line: str) -> bool:
        return bool(line) and self._query in line.casefold()

    def _open(self, at: int | None = None) -> None:
        """``at``: from there on; default: from its last whole line on."""
        if self._fd >= 0:
            return
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return  # it will be there when something is written
        size = os.fstat(self._fd).st_size
        self._at = size if at is None else at
        block = os.pread(self._fd, BLOCK, max(0, self._at - BLOCK))
        if at is None and block and not block.endswith(b"\n"):
            self._at -= len(block) - (block.rfind(b"\n") + 1)

    def _read(self) -> list[str]:
        if self._fd < 0:
            self._open(0)
        if self._fd < 0:
            return []
        size = os.fstat(self._fd).st_size
        if size < self._at:
            self._at = 0  # somebody emptied it
        skipped = size - self._at > MOST_NEWS
        self._at = max(self._at, size - MOST_NEWS)
        data = os.pread(self._fd, MOST_NEWS, self._at)
        end = data.rfind(b"\n") + 1
        self._at += end
        lines = data[:end].decode("utf-8", "replace").splitlines()
        return lines[1:] if skipped else lines

    def _is_another(self) -> bool:
        if self._fd < 0:
            return False
        mine = os.fstat(self._fd)
        try:
            named = self._path.stat()
        except OSError:
            return False
        return (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino)


def _backwards(fd: int, end: int, begin: int) -> Iterator[str]:
    """The lines between two offsets, the last first; the first one only where it is whole."""
    rest, at = b"", end
    while at > begin:
        size = min(BLOCK, at - begin)
        at -= size
        lines = (os.pread(fd, size, at) + rest).split(b"\n")
        rest = lines[0] if len(lines[0]) < BLOCK else b""
        for line in reversed(lines[1:]):
            yield line.decode("utf-8", "replace")
    if begin == 0:
        yield rest.decode("utf-8", "replace")
