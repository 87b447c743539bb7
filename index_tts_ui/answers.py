"""AnswerStore: finished sound on disk, by what was asked; the longest unused goes first.

An answer is one file: a line of JSON, then its samples as float32, so that a kept sound is sent bit for bit
as the one that was spoken. A file that is cut short, damaged or too old counts as none.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .speech import Piece

log = logging.getLogger("tts.answers")
SUFFIX = ".answer"
SHARE = 4  # one answer takes at most this part of the store


@dataclass(frozen=True)
class Answer:
    """``sounds``: each piece's samples, levelled, with its pause; ``seconds``: of sound, as its usage counts
    them. ``fingerprint`` tells what was asked."""

    fingerprint: str
    engine: str
    rate: int
    pieces: Sequence[Piece]
    sounds: Sequence[np.ndarray]
    seconds: float


class AnswerStore:
    """At most ``megabytes`` in ``folder``; used from threads. ``get`` and ``put`` never raise for a disk."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        self._limit = megabytes << 20
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] | None = None  # of the files, longest unused first

    def get(self, key: str) -> Answer | None:
        """The answer under ``key`` (hexadecimal), if there is a good one."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        answer = _parsed(data)
        if answer is None:
            path.unlink(missing_ok=True)
            return None
        with self._lock, contextlib.suppress(OSError):
            self._index().move_to_end(path.name)
            os.utime(path)
        return answer

    def put(self, key: str, answer: Answer, keep_seconds: float = 0.0) -> None:
        """Keep it; for at most ``keep_seconds``, if given."""
        head, body = _packed(answer, time.time() + keep_seconds if keep_seconds else 0.0)
        size = len(head) + len(body)
        if size * SHARE > self._limit:
            return
        path = self._path(key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
            part.write_bytes(head + body)
            part.replace(path)
            with self._lock:
                self._index()[path.name] = size
                self._index().move_to_end(path.name)
                self._trim()
        except OSError as error:
            log.warning("an answer could not be kept: %s", error.strerror)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _index(self) -> OrderedDict[str, int]:
        if self._sizes is None:
            found = []
            for path in self._folder.iterdir():
                if path.suffix == ".part":
                    _remove_old(path)
                elif path.suffix == SUFFIX:
                    state = path.stat()
                    found.append((state.st_mtime, path.name, state.st_size))
            self._sizes = OrderedDict((name, size) for _, name, size in sorted(found))
        return self._sizes

    def _trim(self) -> None:
        sizes = self._index()
        total = sum(sizes.values())
        while total > self._limit and sizes:
            name, size = sizes.popitem(last=False)
            (self._folder / name).unlink(missing_ok=True)
            total -= size


def _remove_old(part: Path) -> None:
    """Of a server that ended while it wrote; another one may be writing right now."""
    with contextlib.suppress(OSError):
        if time.time() - part.stat().st_mtime > 60:
            part.unlink()


def _packed(answer: Answer, expires: float) -> tuple[bytes, bytes]:
    body = b"".join(np.ascontiguousarray(sound, "<f4").tobytes() for sound in answer.sounds)
    about = {
        "fingerprint": answer.fingerprint,
        "engine": answer.engine,
        "rate": answer.rate,
        "pieces": [astuple(piece) for piece in answer.pieces],
        "lengths": [len(sound) for sound in answer.sounds],
        "seconds": answer.seconds,
        "crc": zlib.crc32(body),
        "expires": expires,
    }
    return json.dumps(about).encode() + b"\n", body


def _parsed(data: bytes) -> Answer | None:
    head, _, body = data.partition(b"\n")
    try:
        about: dict[str, Any] = json.loads(head)
        if about["crc"] != zlib.crc32(body) or 0 < about["expires"] < time.time():
            return None
        samples = np.frombuffer(body, "<f4")
        ends = np.cumsum(about["lengths"])
        pieces = [Piece(*fields) for fields in about["pieces"]]
        sounds = np.split(samples, ends[:-1])
        return Answer(about["fingerprint"], about["engine"], about["rate"], pieces, sounds, about["seconds"])
    except (ValueError, KeyError, TypeError):
        return None
