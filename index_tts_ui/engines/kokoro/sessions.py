"""The model's onnxruntime sessions: one for a segment that runs alone, one for several at a time.

A run does not scale with its threads: on 2 cores two runs of one thread each speak a fifth to a quarter more than
one run of two threads (``benchmarks/README.md``), while a segment that is alone is spoken sooner by all threads.
How many threads a run has is fixed when a session is made, so there are two, of which the second is made once
it is needed.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from ...errors import BadConfig

log = logging.getLogger("tts.kokoro")
MODEL = "model.onnx"
MOST_ROWS = 4  # runs side by side; each needs some 300 MB while it runs
NEEDED_BYTES = 1 << 30  # of free memory, for a second session to be made
IDLE_SECONDS = 300.0  # after which the second one is let go


class Sessions:
    """``threads``: of all runs together. ``rows``: how many segments may run at a time."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.rows = min(MOST_ROWS, threads)
        self._path = Path()
        self._alone: Any = None
        self._shared: Any = None
        self._used = 0.0  # when the shared one was
        self._opening: threading.Thread | None = None
        self._closing = threading.Event()
        self.failures: tuple[type[Exception], ...] = ()

    def open(self, model_dir: Path) -> None:
        """Read the model. Raises BadConfig."""
        from onnxruntime.capi import onnxruntime_pybind11_state as native

        self._path = model_dir / MODEL
        try:
            self._alone = self._made(self.threads)
        except (native.InvalidProtobuf, native.InvalidGraph, native.Fail, native.NoSuchFile) as error:
            raise BadConfig("model_missing", model="kokoro", path=model_dir) from error
        self.failures = (native.Fail, native.RuntimeException, native.InvalidArgument, RuntimeError)

    def sharing(self) -> bool:
        """Whether several segments may run at a time now; the first call makes it so, some seconds later."""
        if self._shared is not None:
            self._used = time.monotonic()
            return True
        if self.rows > 1 and (self._opening is None or not self._opening.is_alive()):
            self._opening = threading.Thread(target=self._share, name="kokoro-second", daemon=True)
            self._opening.start()
        return False

    def close(self) -> None:
        """Let go of the model."""
        self._closing.set()
        if self._opening is not None:
            self._opening.join()
        self._alone = self._shared = None

    def run(self, shared: bool, feed: dict[str, np.ndarray], options: Any) -> np.ndarray:
        """The model's sound, float32 [n]. ``shared``: beside others. Any thread."""
        session = (self._shared if shared else None) or self._alone  # it may just have been let go
        return np.asarray(session.run(None, feed, options)[0], np.float32).reshape(-1)

    def _share(self) -> None:
        """Make the second session, and let it go when nobody has needed it for a while."""
        self._open_shared()
        while self._shared is not None and not self._closing.is_set():
            left = self._used + IDLE_SECONDS - time.monotonic()
            if left <= 0:
                self._shared = None  # who still runs in it keeps it until then
            else:
                self._closing.wait(left)

    def _open_shared(self) -> None:
        if psutil.virtual_memory().available < NEEDED_BYTES:
            self.rows = 1
            log.info("too little memory to run several segments at a time: one after another")
            return
        try:
            session = self._made(max(1, self.threads // self.rows))
        except Exception as error:  # whatever it is, one at a time still works
            self.rows = 1
            log.warning("segments run one after another, the second session failed: %s", error)
            return
        self._used = time.monotonic()
        self._shared = session

    def _made(self, threads: int) -> Any:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 4  # a cancelled run is no error to log
        # threads that spin while they wait make everything else on the machine 2-5 times slower
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(str(self._path), settings, providers=["CPUExecutionProvider"])
