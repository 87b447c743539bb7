"""Ray in a venv of its own, over the packages of this one; made when it is first wanted and kept.

It is large, so only ``TTS_TESTS_STRICT=1`` has it installed; without, its tests are skipped until it is there.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "tests" / ".cache" / "ray"
SECONDS = 900


def pinned() -> str:
    """The version in constraints.txt."""
    match = re.search(r"^ray==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    assert match, "constraints.txt does not pin ray"
    return match[1]


def python() -> Path:
    """Its interpreter; skips where it is not there and nobody insists."""
    mark, wanted = PLACE / "installed", f"{pinned()} {sys.version.split()[0]}"
    PLACE.parent.mkdir(exist_ok=True)
    with (PLACE.parent / "ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            if os.environ.get("TTS_TESTS_STRICT") != "1":
                pytest.skip(f"Ray {pinned()} is not in tests/.cache/ray: TTS_TESTS_STRICT=1 installs it")
            _install()
            mark.write_text(wanted)
    return PLACE / "bin" / "python"


def _install() -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", PLACE], check=True, timeout=SECONDS)
    (library,) = (PLACE / "lib").glob("python*/site-packages")
    lines = [f"import site; site.addsitedir({folder!r})" for folder in site.getsitepackages()]
    (library / "base.pth").write_text("\n".join(lines) + "\n")
    pip = [PLACE / "bin" / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
    subprocess.run([*pip, f"ray[serve]=={pinned()}"], check=True, timeout=SECONDS)
