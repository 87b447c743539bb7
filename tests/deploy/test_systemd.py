"""The unit that the guide installs, as systemd itself judges it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from launcher import options, service
from launcher.service import Scope

from .tools import passes, program

pytestmark = pytest.mark.slow
EXPOSED = 70  # tenths; systemd's own words: above 7 "medium" ends. A plain unit has 96


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The system's unit of a home that is not root's."""
    home = tmp_path / "home"
    home.mkdir()
    found = service.plan(options.resolve({"home": str(home)}, (), {}), Scope(True, root=str(tmp_path)))
    return next(path for path in service.install(found, force=False) if path.name.endswith("ui.service"))


def test_systemd_reads_it_without_a_word(unit: Path) -> None:
    said = passes([program("systemd-analyze"), "verify", "--man=no", unit])
    assert unit.name not in said


def test_it_is_confined(unit: Path) -> None:
    argv = [
        program("systemd-analyze"),
        "security",
        "--offline=true",
        f"--threshold={EXPOSED}",
        "--no-pager",
        unit,
    ]
    passes(argv)
    plain = unit.with_name("plain.service")
    plain.write_text("[Service]\nExecStart=/bin/true\n")
    worse = subprocess.run([*map(str, argv[:-1]), str(plain)], capture_output=True, text=True, timeout=60)
    assert worse.returncode != 0, "the bound bounds nothing"
