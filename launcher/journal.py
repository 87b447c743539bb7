"""The launcher's log files: written so that a full disk harms nobody, read in bounded pieces."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

ROTATE_AT = 16 << 20  # bytes of server.log at which a new server gets a new file
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Journal:
    """launcher.log: one line per event; ``echo`` repeats it on standard error."""

    def __init__(self, path: Path, echo: bool = False) -> None:
        self.path = path
        self.echo = echo

    def __call__(self, text: str) -> None:
        """Append a line; a disk that refuses it must not stop the service."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} [{os.getpid()}] {text}\n"
        try:
            with open(self.path, "a", encoding="utf-8", errors="replace") as file:
                file.write(line)
        except OSError:
            pass  # nowhere left to say it, unless there is a terminal
        if self.echo:
            try:
                sys.stderr.write(line)
                sys.stderr.flush()
            except OSError:
                self.echo = False


def clean(line: str) -> str:
    """A line without colours and control characters, at most 400 characters."""
    return _CONTROL.sub("", line)[:400].rstrip()


def tail(path: Path, lines: int, start: int = 0, end: int | None = None) -> list[str]:
    """The last ``lines`` lines between bytes ``start`` and ``end``; reads at most 256 KiB."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            end = size if end is None else min(end, size)
            first = file.seek(max(start if start <= end else 0, end - (256 << 10)))
            text = file.read(end - first).decode("utf-8", "replace")
    except OSError:
        return []
    return [clean(line) for line in text.splitlines()][-lines:] if lines > 0 else []


def size(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def rotate(path: Path) -> None:
    """Put a big log aside (one old one is kept) before a new server opens it."""
    if size(path) >= ROTATE_AT:
        try:
            os.replace(path, path.with_name(path.name + ".1"))
        except OSError:
            pass  # then it grows on; better than no service
