"""Tools that only these checks need, each in an environment of its own below ``tests/.cache``."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from .closure import ROOT

CACHE = ROOT / "tests/.cache"
SECONDS = 900.0


def tool(*requirements: str) -> Path:
    """The environment with these installed; made when it is first asked for.

    Raises:
        subprocess.CalledProcessError: pip could not install them.
    """
    name = "-".join("".join(char if char.isalnum() else "_" for char in item) for item in requirements)
    folder = CACHE / f"venv-{name}-{sys.version_info.major}.{sys.version_info.minor}"
    mark = folder / "complete"
    if not mark.exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [
            str(folder / "bin/python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*command, *requirements], check=True, timeout=SECONDS)
        mark.touch()
    return folder
