"""Audit: whether a known fault is reported for a pinned package, as ``pip-audit`` finds it.

A service that cannot be reached is no good news: it is said as such, with an exit code of its own.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .closure import Pin
from .tools import tool

TOOL = "pip-audit==2.10.1"
SECONDS = 900.0
CLEAN, FAULTY, UNKNOWN = 0, 1, 3  # exit codes
# Advisories that do not concern us, each with the reason. Looked through again whenever one of the packages is raised.
PASSED_OVER: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Audit:
    """``faults``: a line each; ``reason``: why nothing can be said, "" where something can."""

    faults: tuple[str, ...] = ()
    checked: int = 0
    reason: str = ""

    @property
    def code(self) -> int:
        """See the module."""
        return FAULTY if self.faults else UNKNOWN if self.reason else CLEAN

    def lines(self) -> list[str]:
        """For people."""
        if self.reason:
            return [f"NOT CHECKED, the advisory service gave no answer: {self.reason}", *self.faults]
        passed = [f"passed over: {name} ({why})" for name, why in PASSED_OVER.items()]
        said = f"{self.checked} packages, {len(self.faults)} known faults"
        return [*self.faults, *passed, said]


def audit(pins: Sequence[Pin], command: Sequence[str] = ()) -> Audit:
    """Ask; ``command`` instead of pip-audit in an environment of its own."""
    command = command or [str(tool(TOOL) / "bin/pip-audit")]
    with tempfile.TemporaryDirectory() as folder:
        wishes = Path(folder, "wishes.txt")
        wishes.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins))
        words = ["-r", str(wishes), "--no-deps", "--disable-pip", "-f", "json", "--progress-spinner", "off"]
        words += [word for name in PASSED_OVER for word in ("--ignore-vuln", name)]
        try:
            done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Audit(reason=f"{type(error).__name__}: {error}"[:300])
    return read(done.stdout, done.stderr, len(pins))


def read(out: str, err: str, count: int) -> Audit:
    """What pip-audit printed; it ends with 1 both for faults and for a service that is out of reach."""
    try:
        found = json.loads(out)["dependencies"]
        faults = [
            f"{item['name']} {item['version']}: {fault['id']}"
            f" (mended in {', '.join(fault['fix_versions']) or 'no release'})"
            for item in found
            for fault in item.get("vulns", ())
        ]
        skipped = [f"{item['name']}: {item['skip_reason']}" for item in found if "skip_reason" in item]
    except (ValueError, KeyError, TypeError):
        return Audit(reason=(err.strip().splitlines() or ["no answer"])[-1][:300])
    checked = len(found) - len(skipped)
    if checked < count:
        reason = f"{checked} of {count} packages could be looked up; {'; '.join(skipped[:2])}"
        return Audit(tuple(faults), checked, reason)
    return Audit(tuple(faults), len(found))
