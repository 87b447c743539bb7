"""Between those who log and slow disks: a bounded queue with one thread, and a brake on storms of lines."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from .files import Sink
from .lines import Line, Render, of_record

MOST_LINES = 10_000  # that wait to be written
MOST_BYTES = 8 << 20
BATCH_SECONDS = 0.05  # lines are collected so long, so that a busy server writes in few large pieces
WINDOW = 1.0  # seconds of a storm's count
MOST_ALIKE = 10  # equal lines within a window
MOST_A_WINDOW = 1_000  # different lines within a window


@dataclass(frozen=True, slots=True)
class Target:
    """Where lines of ``level`` and above go."""

    sink: Sink
    level: int = logging.NOTSET


@dataclass(frozen=True, slots=True)
class _Item:
    line: Line
    targets: Sequence[Target]


@dataclass
class Writer:
    """``put`` never waits. What does not fit into the queue is dropped and counted."""

    render: Render
    name: str = "log-writer"
    handlers: list[Handler] = field(default_factory=list)
    _queue: queue.SimpleQueue[_Item | threading.Event | None] = field(default_factory=queue.SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hurry: threading.Event = field(default_factory=threading.Event)
    _lines: int = 0
    _bytes: int = 0
    _dropped: int = 0

    def start(self) -> None:
        """Begin to write; the thread ends with the process."""
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def put(self, line: Line, targets: Sequence[Target]) -> None:
        """Queue a line; warnings are written at once, the rest within ``BATCH_SECONDS``."""
        with self._lock:
            if self._lines >= MOST_LINES or self._bytes >= MOST_BYTES:
                self._dropped += 1
                return
            self._lines += 1
            self._bytes += line.size
        self._queue.put(_Item(line, targets))
        if line.level >= logging.WARNING:
            self._hurry.set()

    def wake(self) -> None:
        """Let the thread see that a storm is to be counted."""
        self._queue.put(None)

    def flush(self, seconds: float) -> None:
        """Wait until all that was put is written, at most ``seconds``."""
        done = threading.Event()
        self._queue.put(done)
        self._hurry.set()
        done.wait(seconds)

    def _run(self) -> None:
        for handler in self.handlers:
            handler.open()
        while True:
            counting = any(handler.storm.counting for handler in self.handlers)
            try:
                got = [self._queue.get(timeout=WINDOW if counting else None)]
            except queue.Empty:
                got = []
            if got and not isinstance(got[0], threading.Event):
                self._hurry.wait(BATCH_SECONDS)
            self._hurry.clear()
            for handler in self.handlers:
                handler.settle()
            try:
                self._write(got)
            except Exception:  # a line that cannot be rendered is a defect; the next ones are still wanted
                traceback.print_exc()

    def _write(self, got: list[_Item | threading.Event | None]) -> None:
        """Everything that is there, each sink's lines in one go."""
        while len(got) < MOST_LINES:
            try:
                got.append(self._queue.get_nowait())
            except queue.Empty:
                break
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        items = [item for item in got if isinstance(item, _Item)]
        try:
            for sink, lines in self._sorted(items, dropped):
                sink.write(lines)
        finally:
            with self._lock:  # after the writing: a slow disk must count against the bound
                self._lines -= len(items)
                self._bytes -= sum(item.line.size for item in items)
            for token in got:
                if isinstance(token, threading.Event):
                    token.set()

    def _sorted(self, items: list[_Item], dropped: int) -> list[tuple[Sink, list[bytes]]]:
        """The rendered lines of each sink, with a note of what was dropped."""
        batches: dict[int, tuple[Sink, list[bytes]]] = {}
        for item in items:
            text = self.render(item.line).encode("utf-8", "backslashreplace")
            for target in item.targets:
                if item.line.level >= target.level:
                    batches.setdefault(id(target.sink), (target.sink, []))[1].append(text)
        if dropped and items:
            note = Line(
                time.time(), logging.WARNING, "tts.logs", f"{dropped} lines dropped: too many at once"
            )
            for _sink, batch in batches.values():
                batch.append(self.render(note).encode())
        return list(batches.values())


class Storm:
    """Counts lines within a window; lets the first ones through. Not thread-safe."""

    def __init__(self) -> None:
        self.counting = False  # lines were held back: notes will be due
        self._seen: dict[tuple[str, int, str], int] = {}
        self._over = 0
        self._ends = 0.0

    def over(self, now: float) -> bool:
        """Whether the window is."""
        return now >= self._ends

    def admits(self, line: Line) -> bool:
        """Whether to let it through; call within a window."""
        key = (line.logger, line.level, line.message)
        if (count := self._seen.get(key)) is None and len(self._seen) >= MOST_A_WINDOW:
            self._over += 1
            self.counting = True
            return False
        self._seen[key] = (count or 0) + 1
        alike = self._seen[key] > MOST_ALIKE
        self.counting |= alike
        return not alike

    def renew(self, now: float) -> list[Line]:
        """Begin a window; what the last one held back, as lines."""
        notes = []
        if self.counting:
            wall = time.time()
            for (logger, level, message), count in self._seen.items():
                if count > MOST_ALIKE:
                    text = f"({count - MOST_ALIKE} more within a second) {message[:200]}"
                    notes.append(Line(wall, level, logger, text))
            if self._over:
                text = f"{self._over} more different lines within a second were not written"
                notes.append(Line(wall, logging.WARNING, "tts.logs", text))
        self._seen.clear()
        self._over = 0
        self._ends, self.counting = now + WINDOW, False
        return notes


class Handler(logging.Handler):
    """From ``logging`` to a writer's queue. Access lines are never held back: each is a request."""

    def __init__(self, writer: Writer, *targets: Target, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.storm = Storm()
        self._writer = writer
        self._targets = targets
        writer.handlers.append(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Called under this handler's lock."""
        line = of_record(record)
        if line.access is None:
            self._renew_if_over()
            before = self.storm.counting
            if not self.storm.admits(line):
                if not before:
                    self._writer.wake()
                return
        self._writer.put(line, self._targets)

    def open(self) -> None:
        """Have the files there before there is a line; called by the writer's thread."""
        for target in self._targets:
            target.sink.write(())

    def settle(self) -> None:
        """Write down what was held back, once the second is over; called by the writer's thread."""
        if self.storm.counting and self.acquire_now():
            try:
                self._renew_if_over()
            finally:
                self.release()

    def acquire_now(self) -> bool:
        """The handler's lock, unless somebody is logging: then that one settles it."""
        return self.lock is None or self.lock.acquire(blocking=False)

    def _renew_if_over(self) -> None:
        now = time.monotonic()
        if self.storm.over(now):
            for note in self.storm.renew(now):
                self._writer.put(note, self._targets)

    def flush(self) -> None:
        """Also at the end of the process; a disk that hangs is not waited for long."""
        self._writer.flush(1.0)
