"""Hashes: ``requirements-hashes.txt``, the base set with the sha256 of every file that pip may choose.

pip itself is asked, for each Python and processor that we serve, which files it would take; so its configured
index is used, mirrors, proxies and certificates included. What has no wheel is asked for as source.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .closure import MACHINES, PYTHONS, ROOT, Pin, closure

FILE = ROOT / "requirements-hashes.txt"
SECONDS = 900.0
HEAD = """\
# The base set at the versions of constraints.txt, with the sha256 of each file that pip may choose on Linux
# (x86_64 and ARM64, Python 3.11 to 3.13). Made by: python -m supply hashes
#   pip install --require-hashes -r requirements-hashes.txt && pip install --no-deps -e .
"""
_PLATFORMS: tuple[str, ...] = (
    "manylinux_2_34",
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_26",
    "manylinux_2_24",
)
_PLATFORMS += ("manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010", "manylinux_2_5", "linux")
_MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class NotFound(Exception):
    """pip finds no file for a pin, or does not answer."""


def collect(pins: Sequence[Pin]) -> dict[str, set[str]]:
    """Hashes by name. Raises NotFound."""
    found: dict[str, set[str]] = {pin.name: set() for pin in pins}
    for machine in MACHINES:
        for python in PYTHONS:
            here = [pin for pin in pins if pin.fits(python, machine)]
            for name, digest in _wheels(here, python, machine):
                found[name].add(digest)
    sources = [pin for pin in pins if not found[pin.name]]
    for name, digest in _asked(sources, []) if sources else []:
        found[name].add(digest)
    if lacking := [name for name, digests in found.items() if not digests]:
        raise NotFound(f"no file with a hash for {', '.join(lacking)}")
    return found


def _wheels(pins: Sequence[Pin], python: str, machine: str) -> list[tuple[str, str]]:
    """Of those that have one there; those without are left out."""
    left = list(pins)
    words = [f"--python-version={python}", "--implementation=cp", "--only-binary=:all:"]
    words += [f"--platform={name}_{machine}" for name in _PLATFORMS]
    while True:
        try:
            return _asked(left, words)
        except NotFound as error:
            gone = _MISSING.search(str(error))
            fewer = [pin for pin in left if gone is None or pin.name.lower() != gone[1].lower()]
            if len(fewer) == len(left) or gone is None:
                raise
            left = fewer


def _asked(pins: Sequence[Pin], words: Sequence[str]) -> list[tuple[str, str]]:
    """(name, sha256) of what pip would install."""
    with tempfile.TemporaryDirectory() as folder:
        wishes, report = Path(folder, "wishes.txt"), Path(folder, "report.json")
        wishes.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins))
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--quiet", "--no-input", "--disable-pip-version-check", "--report", str(report)]
        command += ["--target", str(Path(folder, "nowhere")), "-r", str(wishes), *words]
        environ = {key: value for key, value in os.environ.items() if key not in ("PIP_TARGET", "PIP_PREFIX")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environ)
        if done.returncode:
            raise NotFound(done.stderr.strip() or f"pip ended with {done.returncode}")
        items = json.loads(report.read_text("utf-8"))["install"]
    names = {_plain(pin.name): pin.name for pin in pins}
    return [(names[_plain(item["metadata"]["name"])], _digest(item)) for item in items]


def _digest(item: dict[str, dict[str, dict[str, dict[str, str]]]]) -> str:
    return item["download_info"]["archive_info"]["hashes"]["sha256"]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def text(pins: Sequence[Pin], found: dict[str, set[str]]) -> str:
    """The file."""
    blocks = (
        " \\\n".join([pin.line, *(f"    --hash=sha256:{digest}" for digest in sorted(found[pin.name]))])
        for pin in pins
    )
    return HEAD + "\n".join(blocks) + "\n"


def problems(path: Path = FILE) -> list[str]:
    """What in the file is not as ``constraints.txt`` and ``pyproject.toml`` want it; asks no index."""
    try:
        blocks = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    except OSError as error:
        return [f"{path.name}: {error.strerror}"]
    there = {
        line.partition(" --hash")[0].strip(): _HASH.findall(line) for line in blocks if line[:1] not in "#"
    }
    wanted = {pin.line for pin in closure()}
    found = [f"{line}: is missing" for line in sorted(wanted - there.keys())]
    found += [f"{line}: is not wanted (any more)" for line in sorted(there.keys() - wanted)]
    return found + [f"{line}: has no hash" for line, digests in there.items() if not digests]


def write() -> int:
    """Make the file anew; returns how many files it names. Raises NotFound."""
    pins = closure()
    found = collect(pins)
    FILE.write_text(text(pins, found), "utf-8")
    return sum(map(len, found.values()))
