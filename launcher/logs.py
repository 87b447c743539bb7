"""``tts-launch logs``: the last lines of every log file of an instance, and then what is added."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from . import journal
from .instance import Instance

_POLL = 0.2  # seconds between looks at growing files
Show = Callable[[str, str], None]  # file name, line


def files(instance: Instance) -> list[Path]:
    """The log files, by name."""
    return sorted(path for path in instance.logs.glob("*.log") if path.is_file())


class Follower:
    """Reads what is added to a file; a rotated or truncated file is read from its beginning."""

    def __init__(self, path: Path, at_end: bool) -> None:
        self.path = path
        self.inode, self.position = self._look() if at_end else (0, 0)
        self.rest = b""

    def _look(self) -> tuple[int, int]:
        try:
            info = os.stat(self.path)
            return info.st_ino, info.st_size
        except OSError:
            return 0, 0

    def lines(self) -> list[str]:
        """Whole lines since the last call."""
        inode, size = self._look()
        if inode != self.inode or size < self.position:
            self.inode, self.position, self.rest = inode, 0, b""
        if size == self.position:
            return []
        try:
            with open(self.path, "rb") as file:
                file.seek(self.position)
                data = self.rest + file.read(1 << 20)
                self.position = file.tell()
        except OSError:
            return []
        *whole, self.rest = data.split(b"\n")
        return [journal.clean(line.decode("utf-8", "replace")) for line in whole]


def show(instance: Instance, lines: int, out: Show, follow: bool = False) -> None:
    """The last ``lines`` lines of each file; with ``follow`` what comes after them, until Ctrl+C."""
    followers = {path: Follower(path, at_end=True) for path in files(instance)}
    for path, follower in followers.items():
        for line in journal.tail(path, lines, end=follower.position):
            out(path.name, line)
    while follow:
        for path in files(instance):  # those that appear later are followed too
            follower = followers.setdefault(path, Follower(path, at_end=False))
            for line in follower.lines():
                out(path.name, line)
        time.sleep(_POLL)
