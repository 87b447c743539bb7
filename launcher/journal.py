"""The launcher's own log: written so that a full disk harms nobody; and reading log files in bounded pieces."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

# Colours whole; control characters, line separators, direction marks.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_TEXT_MAX = 2000  # characters of an event


class Journal:
    """launcher.log: one line per event, as text or JSON; ``echo`` repeats it on standard error."""

    def __init__(self, path: Path, echo: bool = False, form: str = "text") -> None:
        self.path = path
        self.echo = echo
        self.form = form
        self.lost = 0  # lines that the disk refused since it last took one

    def __call__(self, text: str) -> None:
        """Append a line; a disk that refuses it must not stop the service."""
        if self.lost and self._append(f"{self.lost} lines were lost: they could not be written"):
            self.lost = 0
        if not self._append(text):
            self.lost += 1
        if self.echo:
            try:
                sys.stderr.write(self._line(text))
                sys.stderr.flush()
            except OSError:
                self.echo = False

    def _append(self, text: str) -> bool:
        """Opened each time: it may have been moved. A pipe in its place must not hold us up."""
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
        except OSError:
            return False
        try:
            data = self._line(text).encode("utf-8", "replace")
            return os.write(fd, data) == len(data)
        except OSError:
            return False
        finally:
            os.close(fd)

    def _line(self, text: str) -> str:
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        text = clean(text.replace("\n", "\\n"), _TEXT_MAX)
        if self.form == "json":
            import json

            return json.dumps({"time": now, "pid": os.getpid(), "message": text}, ensure_ascii=False) + "\n"
        return f"{now} [{os.getpid()}] {text}\n"


def clean(line: str, most: int = 400) -> str:
    """A line without colours and control characters, at most ``most`` characters."""
    return _CONTROL.sub("", line[: 4 * most])[:most].rstrip()


def tail(path: Path, lines: int, start: int = 0, end: int | None = None) -> list[str]:
    """The last ``lines`` lines between bytes ``start`` and ``end``; reads at most 256 KiB.

    Where the file has become shorter than ``start`` it was put aside: then also lines of the old one.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            end = size if end is None else min(end, size)
            first = file.seek(max(start if start <= end else 0, end - (256 << 10)))
            text = file.read(end - first).decode("utf-8", "replace")
    except OSError:
        return []
    if lines <= 0:
        return []
    found = [clean(line) for line in text.removesuffix("\n").split("\n") if text][-lines:]
    if start > end and len(found) < lines:
        found = [*tail(path.with_name(path.name + ".1"), lines - len(found)), *found]
    return found


def size(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
