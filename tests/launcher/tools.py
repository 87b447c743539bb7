"""What some faults need: another user, namespaces, a patched Python in the command's own process."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Launch

NOBODY = 65534
# The right to read keeps an interpreter below /root usable; it gives no right to signal or to write.
RIGHTS = ["--clear-groups", "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", *RIGHTS]
MOUNTS = ["unshare", "--mount"]  # a private mount namespace: nothing of it stays
PIDS = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@functools.cache
def _works(*prefix: str) -> bool:
    try:
        return subprocess.run([*prefix, sys.executable, "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def need(prefix: list[str]) -> list[str]:
    """``prefix``, or the test is skipped because it does not work here."""
    if not _works(*prefix):
        pytest.skip(f"needs root: {' '.join(prefix[:2])} does not work here")
    return prefix


def mounting(script: str, *paths: Path | str) -> list[str]:
    """A prefix that runs ``script`` (its $1, $2 ... are ``paths``) in a mount namespace, then the command."""
    shell = ["bash", "-ec", f'{script}; shift {len(paths)}; exec "$@"', "-", *map(str, paths)]
    return [*need(MOUNTS), *shell]


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """``folder`` as a file system of its own with little room."""
    folder.mkdir(parents=True, exist_ok=True)
    size = ["-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0700", "tts-test"]
    if os.geteuid() or subprocess.run(["mount", *size, folder], capture_output=True).returncode:
        pytest.skip("needs root: mount does not work here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


def patch(launch: Launch, code: str) -> None:
    """Run ``code`` at the start of every Python of this instance, for what cannot be caused from outside."""
    folder = launch.home / "patch"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    launch.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
