"""Cell: the process that decodes one file, within limits, and ends. See ``apart``, which starts it.

``python -m index_tts_ui.audio.cell SECONDS PID``: the file is its standard input; its standard output becomes
``HEAD`` bytes of JSON, which say what follows or why nothing does, and float32 samples. PID is the server's,
which it never outlives. It imports nothing that it can do without: it starts once for each upload.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TTSError
from . import canonical
from .decoder import MAX_SAMPLES, decode

HEAD = 4096  # bytes
READY = b"{}".ljust(HEAD)  # what it says before it looks at the file
REASON = 200  # characters
TOO_MUCH = "it takes too much memory"
CPU_SECONDS = 30  # five minutes of sound take 2 at most
MEMORY = (
    1 << 30
)  # of addresses: libraries 0.2 GiB, file 64 MiB, three times the most samples; the rest to spare
LIMITS = {  # soft and hard, setrlimit(2)
    resource.RLIMIT_AS: (MEMORY, MEMORY),
    resource.RLIMIT_CPU: (
        CPU_SECONDS,
        CPU_SECONDS + 1,
    ),  # the soft one sends SIGXCPU, which says what happened
    resource.RLIMIT_FSIZE: (HEAD + 4 * MAX_SAMPLES, HEAD + 4 * MAX_SAMPLES),
    resource.RLIMIT_CORE: (0, 0),
    resource.RLIMIT_NOFILE: (0, 0),  # nothing more is opened
}
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # prctl(2)


def confine(server: int) -> None:
    """From here on nothing of it reaches the server's log, and it ends when the server does."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)  # it went before it could be watched
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's to handle
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # FFmpeg has much to say
    os.close(null)
    with suppress(OSError):  # where the machine is short of memory, an upload goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    prctl(PR_SET_DUMPABLE, 0)  # no core, also where a program collects them
    for kind, bounds in LIMITS.items():
        most = resource.getrlimit(kind)[1]
        lower = [bound if most == resource.RLIM_INFINITY else min(bound, most) for bound in bounds]
        resource.setrlimit(kind, (lower[0], lower[1]))


def answer(data: bytes, limit_seconds: float) -> tuple[dict[str, Any], np.ndarray]:
    """What the file comes to: the head, and the samples."""
    try:
        sound = decode(data, limit_seconds)
    except TTSError as error:
        short = {key: fact[:REASON] if isinstance(fact, str) else fact for key, fact in error.facts.items()}
        return {"code": error.code, "facts": short}, np.zeros(0, np.float32)
    except MemoryError:
        return {"code": "bad_audio", "facts": {"reason": TOO_MUCH}}, np.zeros(0, np.float32)
    return {"rate": sound.rate, "channels": sound.channels, "count": len(sound.samples)}, sound.samples


def main(limit_seconds: float, server: int) -> None:
    """Read, decode, write, and end without a look back."""
    decode(canonical.write(np.zeros(8, np.float32), 16_000))  # PyAV imports some of itself when it is used
    confine(server)
    with open(0, "rb", closefd=False) as file, open(1, "wb", 0, closefd=False) as out:
        out.write(READY)
        head, samples = answer(file.read(), limit_seconds)
        out.seek(0)
        out.write(json.dumps(head).encode().ljust(HEAD))
        out.write(samples.data)
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
