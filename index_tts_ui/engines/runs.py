"""Runs: what engines share that speak each segment in a thread, in one run of onnxruntime, several side by side."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent import futures
from dataclasses import dataclass
from typing import Any

from ..speech import Audio, Segment
from .base import Result

STEP_SECONDS = 0.1  # that a step waits at most; each takes the processor from those who compute


@dataclass
class Run:
    """A segment in a thread. ``options``: onnxruntime's, which can end it; ``shared``: others run beside it."""

    segment: Segment
    options: Any
    shared: bool
    began: float
    future: futures.Future[Result | None] | None = None
    dropped: bool = False


class Runs:
    """The part of ``engines.base.Engine`` from ``admit`` to ``step``. ``rows``: runs side by side, which may shrink."""

    rows: int

    def __init__(self, name: str, rows: int) -> None:
        self.rows = rows
        self._pool = futures.ThreadPoolExecutor(rows, name)
        self._lock = threading.Condition()  # guards what follows; told of an end, and of a nudge
        self._nudged = False
        self._waiting: deque[Segment] = deque()
        self._running: dict[str, Run] = {}
        self._spoken = 0
        self._audio_seconds = self._engine_seconds = 0.0

    # ---- an engine's own

    def _speak(self, run: Run) -> Result | None:
        """In a thread of the pool. None: it was dropped."""
        raise NotImplementedError

    def _may_share(self) -> bool:
        """Whether several may run at a time now."""
        return True

    # ---- engines.base.Engine

    def free(self) -> int:
        """Places that no segment waits or runs in."""
        with self._lock:
            return max(0, self.rows - len(self._waiting) - len(self._running))

    def admit(self, segment: Segment) -> None:
        """Queue a segment for the next step."""
        with self._lock:
            self._waiting.append(segment)

    def busy(self) -> bool:
        """Whether a segment waits or runs."""
        with self._lock:
            return bool(self._waiting or self._running)

    def cancel(self, segment_id: str) -> None:
        """Drop a waiting segment, or end the model's run within milliseconds. Any thread."""
        with self._lock:
            self._waiting = deque(segment for segment in self._waiting if segment.id != segment_id)
            if (run := self._running.get(segment_id)) is not None:
                run.dropped = True
                run.options.terminate = True

    def nudge(self) -> None:
        """Something has come for the engine: a step that waits returns. Any thread."""
        with self._lock:
            self._nudged = True
            self._lock.notify_all()

    def step(self) -> list[Result]:
        """Begin what may begin, and wait a moment for what runs; [] where nothing was finished."""
        with self._lock:
            while (run := self._next()) is not None:
                self._running[run.segment.id] = run
                run.future = self._pool.submit(self._speak, run)
                run.future.add_done_callback(self._tell)
            if self._running:
                self._lock.wait_for(lambda: self._nudged or self._ended(), STEP_SECONDS)
            self._nudged = False
            ended = self._ended()
            self._running = {name: run for name, run in self._running.items() if run.future not in ended}
        return [result for future in ended if (result := future.result()) is not None]

    def stats(self) -> dict[str, Any]:
        """``rows`` in work, segments ``spoken``, and the real-time factor ``rtf`` so far."""
        with self._lock:
            rows = len(self._waiting) + len(self._running)
            rtf = self._engine_seconds / self._audio_seconds if self._audio_seconds else 0.0
        return {"rows": rows, "spoken": self._spoken, "rtf": round(rtf, 3)}

    # ---- inside

    def _tell(self, _ended: futures.Future[Result | None]) -> None:
        with self._lock:
            self._lock.notify_all()

    def _ended(self) -> list[futures.Future[Result | None]]:
        return [run.future for run in self._running.values() if run.future is not None and run.future.done()]

    def _next(self) -> Run | None:
        """What to begin now; under the lock.

        Segments of one request run one after another: its first sound is waited for, and should have all threads.
        """
        import onnxruntime

        if not self._waiting or len(self._running) >= self.rows:
            return None
        beside = {_request(name) for name in self._running}
        others = {_request(segment.id) for segment in self._waiting}
        shared = bool(self._running) or len(others) > 1
        if shared and not self._may_share():
            if self._running:
                return None
            shared = False
        for segment in self._waiting:
            if _request(segment.id) not in beside:
                self._waiting.remove(segment)
                return Run(segment, onnxruntime.RunOptions(), shared, time.monotonic())
        return None

    def _made(self, run: Run, audio: Audio) -> Result | None:
        """Its sound; None where nobody waits for it any more."""
        if run.dropped:
            return None
        seconds = time.monotonic() - run.began
        with self._lock:
            self._spoken += 1
            self._audio_seconds += audio.seconds
            self._engine_seconds += seconds
        return Result(run.segment.id, audio, engine_seconds=seconds)

    def _failed(self, run: Run, reason: str) -> Result | None:
        """Why there is none; None where nobody waits for it any more."""
        if run.dropped:
            return None
        seconds = time.monotonic() - run.began
        return Result(run.segment.id, None, "engine_failed", reason, retryable=False, engine_seconds=seconds)


def _request(segment_id: str) -> str:
    """Of ``Segment.id``; an id that names no request is one of its own."""
    return segment_id.rpartition("/")[0] or segment_id
