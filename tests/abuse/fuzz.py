"""Mutated uploads, without end if need be: what is new to the code is kept and mutated further.

    python -m tests.abuse.fuzz [--count 100000] [--seed 0] [--folder tests/.cache/fuzz]

Coverage is the lines of ``index_tts_ui.audio`` that ran, with the refusal that came out; the decoder's own
(FFmpeg's) branches are seen only through its refusals. The decoding runs in a process of its own with
bounded memory: a crash, a hang, an error that is no refusal, or seconds of work for one file is a finding;
the file is kept in the folder. Ends with 1 where there are findings. A later run goes on from the corpus.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from index_tts_ui.audio.reference import read_clip
from index_tts_ui.errors import TTSError

from .mutants import mutant, whole

ROOT = Path(__file__).parent.parent.parent
WATCHED = str(ROOT / "index_tts_ui" / "audio")
MEMORY = 3 << 30  # bytes of address space
SLOW = 5.0  # seconds of processor time for one file
HANG = 60.0  # seconds without a new file
BATCH = 5_000  # files, after which the process is made anew


class Lines:
    """The lines of the watched files that run while it is on."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()

    def __enter__(self) -> Lines:
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(WATCHED) else None

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def outcome(data: bytes) -> str:
    """What reading it comes to: "good", or the refusal. Raises whatever is no refusal."""
    try:
        read_clip(data)
    except TTSError as error:
        return f"{error.code} {error.message()[:60]}"
    return "good"


def fuzz(folder: Path, count: int, seed: int) -> None:
    """The inner process: mutate, read, keep what is new. Dies of what it finds."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    chance = random.Random(seed)
    parents = [*whole(), *(path.read_bytes() for path in sorted(folder.glob("corpus-*")))]
    known: set[object] = set()
    for data in parents:
        known |= _traced(data)[1]
    for number in range(count):
        data = mutant(parents, chance)
        (folder / "current").write_bytes(data)
        print(number, flush=True)
        began = time.process_time()
        _, found = _traced(data)
        if time.process_time() - began > SLOW:
            raise SystemExit("slow")
        if found - known:
            known |= found
            parents.append(data)
            (folder / f"corpus-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)


def _traced(data: bytes) -> tuple[str, set[object]]:
    with Lines() as lines:
        result = outcome(data)
    return result, {result, *lines.seen}


def hunt(folder: Path, count: int, seed: int) -> list[Path]:
    """The outer process: start inner ones until ``count`` files were read; what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    findings, done = [], 0
    while done < count:
        batch = min(BATCH, count - done)
        read, reason = _inner(folder, batch, seed + done)
        done += max(1, read)
        if reason:
            findings.append(_keep(folder, reason))
        print(
            f"{done} files, {len(list(folder.glob('corpus-*')))} kept, {len(findings)} findings", flush=True
        )
    return findings


def _inner(folder: Path, count: int, seed: int) -> tuple[int, str]:
    """How many files it read, and what it died of, if it did."""
    command = [sys.executable, "-m", "tests.abuse.fuzz", "--inner", json.dumps([str(folder), count, seed])]
    with (folder / "error").open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors)
    with process:  # closes its pipe, too
        read = sum(1 for _ in _until_silent(process))
        hung = not _ends(process, 5)
        process.kill()
    if hung:
        return read, "hang"
    return read, "" if process.returncode == 0 else f"ended with {process.returncode}"


def _until_silent(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Its lines, until it ends or says nothing for too long."""
    assert process.stdout is not None
    while select.select([process.stdout], [], [], HANG)[0]:
        line = process.stdout.readline()
        if not line:
            return
        yield line


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def _keep(folder: Path, reason: str) -> Path:
    data = (folder / "current").read_bytes() if (folder / "current").exists() else b""
    kept = folder / f"finding-{hashlib.sha256(data).hexdigest()[:16]}"
    kept.write_bytes(data)
    lines = (folder / "error").read_text("utf-8", "replace").strip().splitlines()
    print(f"FOUND {kept}: {reason}: {lines[-1] if lines else ''}", flush=True)
    return kept


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ROOT / "tests" / ".cache" / "fuzz")
    parser.add_argument("--inner", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.inner:
        folder, count, seed = json.loads(given.inner)
        fuzz(Path(folder), count, seed)
        return 0
    return 1 if hunt(given.folder, given.count, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
