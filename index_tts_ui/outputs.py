"""Sound that is kept: spooled to ``outputs/`` while it is made, followed by any number of readers.

An output is ``<id>.pcm`` (s16le mono) and, once complete, ``<id>.json``. Its id is random
and is all one needs to read it. What is old or too much is cleaned away.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .errors import EngineFailed, NotFound, TTSError
from .speech import Audio, Ended, Event, Queued, SegmentReady, Started, Usage

log = logging.getLogger("tts.outputs")
_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
LEAVE_GRACE = 3.0  # seconds after the last follower left an unfinished recording
ARRIVE_GRACE = 15.0  # seconds for the first follower to come
BLOCK = 1 << 15  # samples per block when a finished sound is read


class Recording:
    """One request's sound and events. Made by ``OutputStore.create``, fed by ``follow``."""

    def __init__(self, folder: Path, output_id: str, rate: int, request_id: str) -> None:
        self.id = output_id
        self.request_id = request_id
        self.rate = rate
        self.done = False
        self.error: TTSError | None = None
        self.created = time.time()
        self.texts: tuple[str, ...] = ()
        self._folder = folder
        self._lengths: list[int] = []  # samples of each segment
        self._usage: Usage | None = None
        self._started: Started | None = None
        self._queued: Queued | None = None
        self._bell = asyncio.Event()
        self._followers = 0
        self._leave_timer: asyncio.TimerHandle | None = None
        self._abandon: Callable[[], None] = lambda: None

    @property
    def path(self) -> Path:
        """Where its samples are, now."""
        return self._folder / (f"{self.id}.pcm" if self.done else f"{self.id}.pcm.part")

    @property
    def seconds(self) -> float:
        """Length so far."""
        return sum(self._lengths) / self.rate

    async def follow(self, events: AsyncIterator[Event], abandon: Callable[[], None], attended: bool) -> None:
        """Take the request's stream in, to its end. ``abandon`` is called when nobody listens any more.

        ``attended`` recordings (the page) need a follower; others (``/synthesize``) do not.
        """
        if attended:
            self._abandon = abandon
            self._arm(ARRIVE_GRACE)
        file = None
        try:
            file = self.path.open("wb")
            async for event in events:
                if isinstance(event, SegmentReady):
                    self._append(file, event.audio)
                self._note(event)
            file.close()
            self._complete()
        except OSError as error:
            log.error("output %s: %s", self.id, error)
            abandon()
            self.error = EngineFailed("disk_full", reason=error.strerror or "write failed")
        finally:
            if file is not None:
                file.close()
            self.done = self.done or self.error is not None
            self._disarm()
            self._ring()

    def _append(self, file: Any, audio: Audio) -> None:
        pcm = (np.clip(audio.samples, -1.0, 1.0) * 32767.0).astype("<i2")
        file.write(pcm.tobytes())
        file.flush()

    def _note(self, event: Event) -> None:
        if isinstance(event, Queued):
            self._queued = event
        elif isinstance(event, Started):
            self._started, self.texts = event, event.segments
        elif isinstance(event, SegmentReady):
            self.rate = event.audio.rate
            self._lengths.append(len(event.audio.samples))
        elif isinstance(event, Ended):
            self._usage, self.error = event.usage, event.error
        self._ring()

    def _complete(self) -> None:
        """The JSON file is the commit mark: without it a sound does not count."""
        part = self.path
        if self.error is not None or self._usage is None:
            part.unlink(missing_ok=True)
            return
        self.done = True
        part.rename(self.path)
        mark = self._folder / f"{self.id}.json"
        temporary = mark.with_suffix(".json.part")
        temporary.write_text(json.dumps(self._to_json(), ensure_ascii=False), "utf-8")
        temporary.rename(mark)

    def _to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "request_id": self.request_id,
            "rate": self.rate,
            "created": self.created,
            "engine": self._started.engine if self._started else "",
            "texts": list(self.texts),
            "lengths": self._lengths,
            "usage": asdict(self._usage) if self._usage else None,
        }

    @classmethod
    def load(cls, folder: Path, output_id: str) -> Recording:
        """A finished one from disk. Raises OSError or ValueError where it is not whole."""
        data = json.loads((folder / f"{output_id}.json").read_text("utf-8"))
        self = cls(folder, output_id, data["rate"], data["request_id"])
        self.created, self._lengths = data["created"], data["lengths"]
        self.texts = tuple(data["texts"])
        self._started = Started(data["engine"], self.texts)
        self._usage = Usage(**data["usage"])
        self.done = True
        if self.path.stat().st_size != 2 * sum(self._lengths):
            raise ValueError(f"{self.path} has another length than its record")
        return self

    # ---- reading

    async def events(self) -> AsyncIterator[Event]:
        """From the beginning to ``Ended``, also while it is being made; any number of readers."""
        self._followers += 1
        self._disarm()
        try:
            async for event in self._replay():
                yield event
        finally:
            self._followers -= 1
            if not self._followers and not self.done:
                self._arm(LEAVE_GRACE)

    async def _replay(self) -> AsyncIterator[Event]:
        told: Queued | None = None
        started: Started | None = None
        index = offset = 0
        while True:
            bell = self._bell
            if started is None and self._queued is not None and self._queued != told:
                told = self._queued
                yield told
            if self._started is not None and self._started is not started:
                started = self._started
                yield started
            while index < len(self._lengths):
                yield SegmentReady(index, Audio(self.rate, self._read(offset, self._lengths[index])))
                offset += self._lengths[index]
                index += 1
            if self.done or self.error is not None:
                yield Ended(self._usage or Usage(0, 0, 0, 0.0, 0.0, 0.0, 0.0), self.error)
                return
            await bell.wait()

    def chunks(self) -> Iterator[np.ndarray]:
        """The finished sound as float32 blocks."""
        total = sum(self._lengths)
        for offset in range(0, total, BLOCK):
            yield self._read(offset, min(BLOCK, total - offset))

    @property
    def samples(self) -> int:
        """Length in samples."""
        return sum(self._lengths)

    def _read(self, offset: int, count: int) -> np.ndarray:
        pcm = np.fromfile(self.path, "<i2", count=count, offset=2 * offset)
        return pcm.astype(np.float32) / 32767.0

    def _ring(self) -> None:
        """Wake every reader: each waits on the bell it saw, so none misses a stroke."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._leave_timer = asyncio.get_running_loop().call_later(seconds, lambda: self._abandon())

    def _disarm(self) -> None:
        if self._leave_timer is not None:
            self._leave_timer.cancel()
            self._leave_timer = None


class OutputStore:
    """All recordings: those under way in memory, the finished ones on disk."""

    def __init__(self, folder: Path, keep_hours: float, keep_mb: int) -> None:
        self._folder = folder
        self._keep_seconds = keep_hours * 3600
        self._keep_bytes = keep_mb << 20
        self._live: dict[str, Recording] = {}

    def create(self, rate: int, request_id: str) -> Recording:
        """A new, empty recording with a random id."""
        self._folder.mkdir(parents=True, exist_ok=True)
        recording = Recording(self._folder, secrets.token_urlsafe(18), rate, request_id)
        self._live[recording.id] = recording
        return recording

    def release(self, recording: Recording) -> None:
        """It is finished: from now on its files stand for it (a failed one is kept a while in memory)."""
        loop = asyncio.get_running_loop()
        loop.call_later(60, self._live.pop, recording.id, None)

    def get(self, output_id: str) -> Recording:
        """Raises NotFound, also for ids that are no ids (they never reach the file system)."""
        if output_id in self._live:
            return self._live[output_id]
        if not _ID.fullmatch(output_id):
            raise NotFound("output_not_found", id=output_id[:64])
        try:
            return Recording.load(self._folder, output_id)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotFound("output_not_found", id=output_id) from error

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
            if output_id in self._live:
                continue
            kept += path.stat().st_size
            if now - modified > self._keep_seconds or kept > self._keep_bytes or path.suffix == ".part":
                path.with_name(f"{output_id}.json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                gone += 1
        return gone
