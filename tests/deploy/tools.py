"""The programs that check deploy/: the machine's own, and those of tools.txt in an environment of their own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
LIST = Path(__file__).with_name("tools.txt")
OWN = ROOT / "tests" / ".cache" / "deploy-tools"
INSTALL_SECONDS = 300


def unavailable(reason: str) -> NoReturn:
    """Skip; a failure where every tool has to be there (TTS_TESTS_STRICT=1)."""
    if os.environ.get("TTS_TESTS_STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """The machine's own, also where /usr/sbin is not in PATH; else see ``unavailable``."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    return found or unavailable(f"{name} is missing: .ci/run installs it from Debian's packages")


def own(name: str) -> str:
    """One of tools.txt; the first who asks installs them all."""
    OWN.mkdir(parents=True, exist_ok=True)
    with (OWN / "lock").open("w") as lock:  # two test processes may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = OWN / "installed.txt"
        if not stamp.exists() or stamp.read_text() != LIST.read_text():
            _install(stamp)
    return str(OWN / "bin" / name)


def _install(stamp: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(OWN)], check=True, timeout=INSTALL_SECONDS)
    pip = [str(OWN / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    ran = subprocess.run(
        [*pip, "--no-deps", "-r", str(LIST)], capture_output=True, text=True, timeout=INSTALL_SECONDS
    )
    if ran.returncode:
        unavailable(f"the tools of tests/deploy/tools.txt could not be installed: {ran.stderr[-500:]}")
    stamp.write_text(LIST.read_text())


def passes(argv: Sequence[str | Path], seconds: float = 60, **more: object) -> str:
    """What a command prints, both streams; fails with it where the command does."""
    ran = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, timeout=seconds, **more
    )  # type: ignore[call-overload]
    assert ran.returncode == 0, f"{argv} -> {ran.returncode}:\n{ran.stdout}{ran.stderr}"
    return str(ran.stdout + ran.stderr)


def exchanged(text: str, *pairs: tuple[str, str]) -> str:
    """``text`` with the first of each pair replaced by the second; each must be there, so that none goes stale."""
    for old, new in pairs:
        assert old in text, f"there is no {old!r} any more"
        text = text.replace(old, new)
    return text


def with_defaults(text: str) -> str:
    """``${NAME:-value}`` and ``${NAME-value}`` of a compose file as without an environment."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)
