"""Files that damage the process which decodes them, for real."""

from __future__ import annotations

from pathlib import Path

import psutil

from index_tts_ui.audio import cell

# Python reads it first: in the process that decodes, files that begin so do what a damaged decoder does.
HOOK = """
import sys
if "index_tts_ui.audio.cell" in sys.orig_argv:
    import ctypes, json, os, resource, time
    import numpy as np
    from index_tts_ui.audio import decoder
    real = decoder.decode

    def is_open(fd):
        try:
            return bool(os.fstat(fd))
        except OSError:
            return False

    def decode(data, limit=60.0):
        what = data.partition(b"!")[0]
        if what == b"segfault":
            ctypes.string_at(1)
        elif what == b"abort":
            os.abort()
        elif what == b"raise":
            raise KeyError(1)
        elif what == b"hang":
            os.mkdir(os.path.join(os.path.dirname(__file__), str(os.getpid())))  # says that it does
            time.sleep(600)
        elif what == b"spin":
            resource.setrlimit(resource.RLIMIT_CPU, (1, 31))
            while True:
                pass
        elif what == b"eat":
            eaten = [b"x" * (64 << 20) for _ in range(1 << 20)]
        elif what == b"flood":
            os.write(1, bytes(4096))
            while True:
                os.write(1, bytes(32 << 20))
        elif what == b"noise":
            os.write(2, b"noise" * 10_000)
        elif what == b"tell":
            names = ("AS", "CPU", "CORE", "FSIZE", "NOFILE")
            told = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names}
            told |= {"environ": sorted(os.environ), "open": [fd for fd in range(512) if is_open(fd)]}
            text = np.frombuffer(json.dumps(told).encode(), np.uint8)
            return decoder.Decoded(16_000, text.astype(np.float32))
        return real(data, limit)

    decoder.decode = decode
"""


def hook(folder: Path) -> Path:
    """A folder below it for the front of Python's path."""
    made = folder / "hook"
    made.mkdir()
    (made / "sitecustomize.py").write_text(HOOK)
    return made


def children(process: psutil.Process) -> list[psutil.Process]:
    """The processes that decode for it."""
    return [child for child in process.children() if cell.__name__ in _command(child)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
