"""OutputStore: all recordings, those under way in memory, the finished ones on disk."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from pathlib import Path

from ..errors import NotFound
from .recording import Recording
from .takes import TAKES, Takes

KEEP = ".keep"  # a file of that name exempts an output from being cleaned away
_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
LINGER = 60.0  # seconds for which one that has ended stays in memory
SHARE = 4  # the takes of one output have at most this part of the room for all


class OutputStore:
    """In ``folder``; what is older than ``keep_hours`` goes, then the oldest beyond ``keep_mb``."""

    def __init__(self, folder: Path, keep_hours: float, keep_mb: int) -> None:
        self.folder = self._folder = folder
        self._keep_seconds = keep_hours * 3600
        self._keep_bytes = keep_mb << 20
        self._live: dict[str, Recording] = {}

    def create(self, rate: int, request_id: str) -> Recording:
        """A new, empty recording with a random id."""
        self._folder.mkdir(parents=True, exist_ok=True)
        recording = Recording(self._folder, secrets.token_urlsafe(18), rate, request_id)
        self._live[recording.id] = recording
        return self._bounded(recording)

    def release(self, recording: Recording) -> None:
        """It is finished: from now on its files stand for it (a failed one is kept a while in memory)."""
        loop = asyncio.get_running_loop()
        loop.call_later(LINGER, self._live.pop, recording.id, None)

    def forget(self, output_id: str) -> None:
        """Its files were deleted."""
        self._live.pop(output_id, None)

    def get(self, output_id: str) -> Recording:
        """Raises NotFound, also for ids that are no ids (they never reach the file system)."""
        if output_id in self._live:
            return self._live[output_id]
        if not _ID.fullmatch(output_id):
            raise NotFound("output_not_found", id=output_id[:64])
        try:
            return self._bounded(Recording.load(self._folder, output_id))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotFound("output_not_found", id=output_id) from error

    def _bounded(self, recording: Recording) -> Recording:
        recording.most_bytes = self._keep_bytes // SHARE
        return recording

    def clean(self) -> int:
        """Delete what is too old, then the oldest until the rest fits; returns how many went."""
        if not self._folder.is_dir():
            return 0
        entries = sorted(
            ((path.stat().st_mtime, path) for path in self._folder.glob("*.pcm*")),
            key=lambda item: item[0],
            reverse=True,
        )
        kept = gone = 0
        now = time.time()
        for modified, path in entries:
            output_id = path.name.split(".")[0]
            if output_id in self._live or path.with_name(output_id + KEEP).exists():
                continue
            takes = Takes(path.with_name(output_id + TAKES))
            kept += path.stat().st_size + takes.size
            if now - modified > self._keep_seconds or kept > self._keep_bytes or path.suffix == ".part":
                path.with_name(f"{output_id}.json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                takes.drop()
                gone += 1
        for folder in self._folder.glob(f"*{TAKES}"):
            if not folder.with_suffix(".pcm").exists():
                Takes(folder).drop()
        return gone
