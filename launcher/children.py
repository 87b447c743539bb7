"""Short-lived helper processes with one deadline for all: whatever hangs in them does not hang the command."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

_REAP = 1.0  # seconds for SIGKILL; a child in state D is left to init


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: ``code`` as in subprocess, None where the deadline came first."""

    code: int | None
    text: str  # what it printed until then


def run_all(commands: Sequence[Sequence[str]], seconds: float) -> list[Ended]:
    """Run all at once; after ``seconds`` those that still run are killed. Never raises for a failing child.

    Output goes to memory files: no pipe to fill, no disk that could be full, and a killed child's words stay.
    """
    deadline = time.monotonic() + seconds
    files = [os.memfd_create("answer") for _ in commands]
    try:
        running = [_start(argv, fd) for argv, fd in zip(commands, files, strict=True)]
        while time.monotonic() < deadline and any(child and child.poll() is None for child in running):
            time.sleep(0.01)
        codes = [_end(child) for child in running]
        return [Ended(code, _read(fd)) for code, fd in zip(codes, files, strict=True)]
    finally:
        for fd in files:
            os.close(fd)


def _start(argv: Sequence[str], output: int) -> subprocess.Popen[bytes] | None:
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.Popen(argv, stdout=output, **quiet)  # type: ignore[call-overload, no-any-return]
    except OSError:  # no processes left, or the program is not there
        return None


def _end(child: subprocess.Popen[bytes] | None) -> int | None:
    if child is None:
        return 127
    if child.poll() is not None:
        return child.returncode
    child.kill()  # ours and not yet reaped: its pid cannot be another's
    try:
        child.wait(_REAP)
    except subprocess.TimeoutExpired:
        child.returncode = -9  # not ours to wait for any more
    return None


def _read(fd: int) -> str:
    return os.pread(fd, os.fstat(fd).st_size, 0).decode("utf-8", "replace")
