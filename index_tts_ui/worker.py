"""The engine process: one thread owns the engine and steps it, one does the messages.

``python -m index_tts_ui.worker`` with the socketpair's descriptor; EOF on it means exit at
once, so a worker never outlives its server. Exit code 78: a restart cannot help; 75: the device
failed under it, and another process may go on.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from . import engines, logs, messages
from .engines.base import Engine, EngineOptions, Result, is_device_failure
from .errors import EXIT_CONFIG, EXIT_DEVICE, BadConfig
from .speech import Segment, VoiceRef

log = logging.getLogger("tts.worker")
BEAT_SECONDS = 0.5
OOM_SCORE_MORE = 500  # thousandths of the memory there is


class Worker:
    """Two threads around one engine. ``_inbox`` is what the one hands to the other."""

    def __init__(self, sock: socket.socket, make: Callable[[], Engine], generation: int) -> None:
        self._sock = sock
        self._make = make
        self._engine: Engine = _NoEngine()  # type: ignore[assignment]
        self._generation = generation
        self._send_lock = threading.Lock()
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._attempts: dict[str, int] = {}  # live segments; engine thread only
        self._taken = 0
        self._granted = 0
        self._step_no = 0
        self._step_began: float | None = None

    # ---- engine thread

    def serve(self, model_dir: Path) -> None:
        """Load, then step for ever. Never returns normally: the message thread ends the process."""
        try:
            self._loading(0.0, "importing packages")
            engine = self._make()  # here, not in main(): a long import must not keep the beats away
            info = engine.load(model_dir, self._loading)
        except BadConfig as error:
            self._die(EXIT_CONFIG, error.message())
        except ImportError as error:
            self._die(EXIT_CONFIG, f"a package of the engine is missing: {error}")
        self._engine = engine
        self._send("hello", protocol=messages.PROTOCOL, generation=self._generation, info=asdict(info))
        self._beat()  # what it needs without work, told before there is any
        self._send_frames(self._new_grant())
        while True:
            self._take_inbox()
            results = self._step()
            grant = self._new_grant()  # before the sound, so that the next segments come meanwhile
            for result in results:
                grant = self._report(result, grant)
            self._send_frames(grant)

    def _take_inbox(self) -> None:
        if not self._engine.busy():
            self._take(self._inbox.get())  # nothing else is to be done
        while not self._inbox.empty():
            self._take(self._inbox.get())

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "cancel":
            self._acknowledge_cancel(message["id"])
        elif message["type"] == "warm":
            self._engine.warm(VoiceRef(**message["voice"]))
        else:
            self._admit(message)

    def _admit(self, message: dict[str, Any]) -> None:
        segment = Segment.from_json(message["segment"])
        self._taken += 1
        self._attempts[segment.id] = message["attempt"]
        log.debug("segment %s: begun", segment.id, extra={"request": segment.id.rpartition("~")[0]})
        self._engine.admit(segment)

    def _acknowledge_cancel(self, segment_id: str) -> None:
        """Again here: the first call may have come before the segment was admitted."""
        attempt = self._attempts.pop(segment_id, None)
        if attempt is not None:
            self._engine.cancel(segment_id)
            self._send_frames(_failure(attempt, Result(segment_id, None, "cancelled")))

    def _step(self) -> list[Result]:
        if not self._engine.busy():
            return []
        self._step_began = time.monotonic()
        results = self._engine.step()
        self._step_began = None
        self._step_no += 1
        return results

    def _report(self, result: Result, before: bytes) -> bytes:
        """Send ``before`` and the result in one go; returns what is still to be sent, if nothing was."""
        attempt = self._attempts.pop(result.segment_id, None)
        if attempt is None:
            return before
        about = {"request": result.segment_id.rpartition("~")[0]}
        log.debug("segment %s: %s", result.segment_id, result.code or "spoken", extra=about)
        if result.audio is None:
            self._send_frames(before, _failure(attempt, result))
            return b""
        samples = np.ascontiguousarray(result.audio.samples, dtype=np.float32)
        head = messages.head(
            "finished",
            samples.nbytes,
            id=result.segment_id,
            attempt=attempt,
            rate=result.audio.rate,
            engine_seconds=result.engine_seconds,
        )
        self._send_frames(before + head, samples.data.cast("B") if len(samples) else b"")
        return b""

    def _new_grant(self) -> bytes:
        """A frame where there is something new to grant, else nothing."""
        total = self._taken + self._engine.free()
        if total <= self._granted:
            return b""
        self._granted = total
        return messages.pack("grant", total=total)

    def _loading(self, fraction: float, text: str) -> None:
        self._send("loading", fraction=fraction, text=text)

    def _die(self, code: int, message: str) -> None:
        with contextlib.suppress(OSError):
            self._send("fatal", exit_code=code, message=message)
        os._exit(code)

    def _send(self, kind: str, **fields: Any) -> None:
        self._send_frames(messages.pack(kind, **fields))

    def _send_frames(self, *parts: bytes | memoryview) -> None:
        """All of it, in one system call where that takes it, without a copy."""
        left = [memoryview(part) for part in parts if len(part)]
        with self._send_lock:
            while left:
                sent = self._sock.sendmsg(left)
                while left and sent >= len(left[0]):
                    sent -= len(left.pop(0))
                if left:
                    left[0] = left[0][sent:]

    # ---- message thread

    def listen(self) -> None:
        """Read messages and beat; returns at EOF."""
        receiver = messages.Receiver()
        next_beat = time.monotonic()
        while True:
            readable, _, _ = select.select([self._sock], [], [], max(0.0, next_beat - time.monotonic()))
            if readable:
                count = self._sock.recv_into(receiver.buffer())
                if not count:
                    return
                for header, _body in receiver.received(count):
                    self._hear(header)
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + BEAT_SECONDS
                self._beat()

    def _hear(self, message: dict[str, Any]) -> None:
        self._inbox.put(message)
        if message["type"] == "cancel":
            self._engine.cancel(message["id"])  # at once, also in the middle of a step
        if (nudge := getattr(self._engine, "nudge", None)) is not None:
            nudge()

    def _beat(self) -> None:
        began = self._step_began
        busy = 0.0 if began is None else time.monotonic() - began
        stats = {**self._engine.stats(), "resident_mb": _resident_mb()}
        self._send("beat", step_no=self._step_no, busy_s=round(busy, 3), stats=stats)


def _failure(attempt: int, result: Result) -> bytes:
    return messages.pack(
        "failed",
        id=result.segment_id,
        attempt=attempt,
        code=result.code,
        message=result.message,
        retryable=result.retryable,
        engine_seconds=result.engine_seconds,
    )


def _resident_mb() -> float:
    """This process's resident memory in MiB (proc(5), statm); 0 where it is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class _NoEngine:
    """Stands in while the engine is imported and loaded: nothing is admitted before ``hello``."""

    def cancel(self, segment_id: str) -> None:
        """There is nothing to cancel."""

    def stats(self) -> dict[str, Any]:
        """There is nothing to count."""
        return {}


def _engine_thread(worker: Worker, model_dir: Path) -> None:
    """A process boundary: whatever the engine throws ends this process, and the server makes a new one."""
    try:
        worker.serve(model_dir)
    except BaseException as error:
        log.exception("the engine failed")
        code = EXIT_DEVICE if is_device_failure(error) else 1
        worker._die(code, ("the device failed: " if code == EXIT_DEVICE else "") + _in_one_line(error))


def _in_one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:500]


def _be_first_to_go() -> None:
    """A kernel short of memory shall take the worker, whose end loses nothing, and not the server with
    its connections (proc(5), oom_score_adj; everybody may raise their own)."""
    path = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):
        path.write_text(str(min(1000, int(path.read_text()) + OOM_SCORE_MORE)))


def main(argv: list[str] | None = None) -> None:
    """Run until the server closes the socketpair."""
    parser = argparse.ArgumentParser(prog="python -m index_tts_ui.worker")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--generation", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--max-rows", type=int, default=16)
    parser.add_argument("--extra", default="")
    parser.add_argument("--clips", type=Path, default=Path("voices/clips"))
    parser.add_argument("--memory-mb", type=int, default=0)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--log-format", default="text")
    args = parser.parse_args(argv)
    logs.setup_worker(args.log_level, args.log_format)
    _be_first_to_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's to handle; it closes the socket
    extra = tuple(tuple(pair.split("=", 1)) for pair in args.extra.split(",") if "=" in pair)
    options = EngineOptions(
        args.device,
        args.threads,
        args.max_rows,
        extra,  # type: ignore[arg-type]
        args.clips,
        args.memory_mb,
    )

    def make() -> Engine:
        engine: Engine = engines.engine_of(args.engine)(options)
        return engine

    worker = Worker(socket.socket(fileno=args.fd), make, args.generation)
    threading.Thread(target=_engine_thread, args=(worker, args.model_dir), daemon=True, name="engine").start()
    with contextlib.suppress(ConnectionError):
        worker.listen()
    os._exit(0)  # the engine thread may be deep in a step; nothing of it is wanted any more


if __name__ == "__main__":
    main()
