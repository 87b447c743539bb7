"""SharedJson: one JSON document on disk that several servers may share: read again when it has changed,
written whole under a lock, put aside where it is damaged."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from .errors import EngineFailed

log = logging.getLogger("tts.files")
T = TypeVar("T")
Stamp = tuple[int, int, int]  # of a file: inode, time of its last change in ns, size


class SharedJson(Generic[T]):
    """``parse`` makes a value (frozen: readers share it) of the document, and raises KeyError, TypeError or
    ValueError where it is none; ``dump`` is its inverse; ``empty`` is the value while there is no file."""

    def __init__(self, path: Path, empty: T, parse: Callable[[Any], T], dump: Callable[[T], Any]) -> None:
        self._path = path
        self._empty = empty
        self._parse = parse
        self._dump = dump
        self._lock = threading.Lock()
        self._read: tuple[Stamp | None, T] = None, empty  # replaced whole: readers take no lock

    @property
    def value(self) -> T:
        """What there is now, also if another process wrote it. Costs one stat(2) where nothing changed."""
        stamp, value = self._stamp(), self._read[1]
        if stamp != self._read[0]:
            value = self._reread(value) if stamp is not None else self._empty
            self._read = stamp, value
        return value

    @contextlib.contextmanager
    def change(self) -> Iterator[Callable[[T], None]]:
        """Nobody else changes it inside the block; what it calls ``put`` with is written at once, or not at all.

        Raises EngineFailed where the disk fails.
        """
        with self._lock, writing():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self._put

    def _put(self, value: T) -> None:
        text = json.dumps(self._dump(value), ensure_ascii=False, indent=1)
        write_whole(self._path, text.encode("utf-8", "replace"))
        self._read = self._stamp(), value

    def _stamp(self) -> Stamp | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _reread(self, before: T) -> T:
        """The file; ``before`` where it is damaged, after a copy was put aside."""
        try:
            return self._parse(json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            aside = self._path.with_name(f"{self._path.stem}.damaged-{int(time.time())}.json")
            with contextlib.suppress(OSError):
                aside.write_bytes(self._path.read_bytes())
            log.error("%s is damaged (%s); a copy is %s; all stays as it was", self._path, error, aside)
            return before


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """What the disk refuses inside the block is EngineFailed."""
    try:
        yield
    except OSError as error:
        raise EngineFailed("disk_full", reason=error.strerror or "write failed") from error


def write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, also when the power fails; the folder is made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o640)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
