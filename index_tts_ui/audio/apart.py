"""Apart: decoding in a process of its own. FFmpeg is not memory-safe, and what it reads here comes from strangers.

What that process (``cell``) dies of is a refusal of that file, and of nothing else. It runs as the server's user,
with access to the same files: a guard against damage, not a sandbox.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from io import FileIO
from pathlib import Path

import numpy as np

from ..errors import Cancelled, Invalid, TooLarge, TTSError
from . import canonical
from .cell import CPU_SECONDS, HEAD, TOO_MUCH
from .decoder import MAX_SAMPLES, Decoded
from .samples import clean

log = logging.getLogger("tts.audio")
AT_ONCE = 2  # processes, also in what they take of memory
WALL_SECONDS = 2.0 * CPU_SECONDS  # where something else takes half of the processor
COMMAND = (sys.executable, "-P", "-m", "index_tts_ui.audio.cell")
KEPT = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONUTF8", "LANG", "LC_ALL", "LC_CTYPE")  # of the environment
REFUSALS: dict[str, type[TTSError]] = {"bad_audio": Invalid, "audio_too_long": TooLarge}
CRASHED, TOO_SLOW = "its decoder crashed", "it takes too long"
# by return code; the kernel sends SIGKILL where memory is short
ENDED = {0: "", -signal.SIGXCPU: TOO_SLOW, -signal.SIGKILL: TOO_MUCH}


class Apart:
    """Any thread may call it: ``AT_ONCE`` processes run, other callers wait for their turn."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def decode(self, data: bytes, limit_seconds: float = 600.0) -> Decoded:
        """As ``decoder.decode``; what the process dies of is Invalid, too.

        Raises:
            Cancelled: this was closed.
            RuntimeError: the process ended before it looked at the file.
            OSError: none can be made.
        """
        plain = canonical.read(data)
        if plain is not None and len(plain.samples) <= min(limit_seconds * plain.rate, MAX_SAMPLES):
            return plain
        with self._places, _memory(data) as source, _memory() as result:
            died = self._run(source, result, limit_seconds)
            head = os.pread(result.fileno(), HEAD, 0)
            if not head:
                raise RuntimeError(f"the process that decodes uploads could not begin ({died})")
            if died:
                log.warning("an upload of %d bytes is refused: %s", len(data), died)
                raise Invalid("bad_audio", reason=died)
            return _read(head, result)

    def close(self) -> None:
        """End all processes; there will be no more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _run(self, source: FileIO, result: FileIO, limit_seconds: float) -> str:
        """What it died of, "" where it did not. It is reaped, whatever happens."""
        command = [*COMMAND, str(limit_seconds), str(os.getpid())]
        with self._lock:
            if self._closed:
                raise _stopping()
            process = subprocess.Popen(command, stdin=source, stdout=result, env=_environment())
            self._running.add(process)
        try:
            in_time = _ends(process, WALL_SECONDS)
        finally:
            process.kill()
            code = process.wait()
            with self._lock:
                self._running.discard(process)
        if self._closed:
            raise _stopping()
        return ENDED.get(code, CRASHED) if in_time else TOO_SLOW


decode_apart = Apart().decode


def _stopping() -> Cancelled:
    return Cancelled("cancelled", reason="the service is stopping")


def _memory(data: bytes = b"") -> FileIO:
    """A file in memory: neither side waits for the other, and the limits bound what can be written."""
    file = os.fdopen(os.memfd_create("tts-audio"), "w+b", 0)
    file.write(data)
    file.seek(0)
    return file


def _environment() -> dict[str, str]:
    """What Python needs to find the same modules. Further threads would take addresses for their stacks."""
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    watched = os.pidfd_open(process.pid)  # not yet reaped, so the pid is still this process
    try:
        poll = select.poll()
        poll.register(watched, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(watched)


def _read(head: bytes, result: FileIO) -> Decoded:
    """What the process said; whatever that is, it makes a sound or a refusal."""
    try:
        said = json.loads(head)
        if "code" in said:
            raise REFUSALS[said["code"]](said["code"], **said["facts"])
        rate, channels, count = (int(said[key]) for key in ("rate", "channels", "count"))
        if rate < 1 or not 0 < count <= MAX_SAMPLES:
            raise ValueError("it cannot be")
        samples = np.empty(count, np.float32)
        result.seek(HEAD)
        if result.readinto(samples.data.cast("B")) != samples.nbytes:
            raise ValueError("it is cut off")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid("bad_audio", reason=CRASHED) from error
    return Decoded(rate, clean(samples), channels)
