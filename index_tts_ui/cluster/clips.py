"""ClipCache: reference clips on a replica's machine, by content; what it lacks the front has."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from ..speech import Segment

KEEP = 1000  # clips; the longest unused go first
_SHA256 = re.compile(r"[0-9a-f]{64}")


def needed(segment: Segment) -> set[str]:
    """The clips that a segment cannot be spoken without."""
    keys = {voice.key for voice in segment.voices if voice.kind == "clip"}
    if segment.emotion is not None and segment.emotion.clip:
        keys.add(segment.emotion.clip)
    return keys


class ClipCache:
    """``folder`` is where the worker reads them: ``<sha256>.wav``. It may be the front's own."""

    def __init__(self, folder: Path, keep: int = KEEP) -> None:
        self._folder = folder
        self._keep = keep

    def lacks(self, segment: Segment) -> set[str]:
        """The clips of it that are not here; those that are count as used now."""
        return {key for key in needed(segment) if not self._use(key)}

    def _use(self, key: str) -> bool:
        try:
            os.utime(self._path(key))
        except OSError:
            return self._path(key).is_file()
        return True

    def store(self, key: str, data: bytes) -> bool:
        """Keep what the front sent; False where it is not that clip."""
        if not data or hashlib.sha256(data).hexdigest() != key:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        beside = path.with_suffix(f".{os.getpid()}.part")
        beside.write_bytes(data)
        beside.replace(path)
        self._tidy()
        return True

    def _tidy(self) -> None:
        """A file that is gone already was tidied by a neighbour with the same folder."""
        found = list(self._folder.glob("*.wav"))
        if len(found) <= self._keep:
            return
        dated = []
        for path in found:
            with contextlib.suppress(OSError):
                dated.append((path.stat().st_mtime, path))
        for _, path in sorted(dated)[: len(found) - self._keep]:
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key if _SHA256.fullmatch(key) else 'none'}.wav"
