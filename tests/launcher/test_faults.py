"""The table of faults: every line has a test, every marker names a line, the README is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import faults


def test_every_line_has_a_test_or_a_reason_why_not_yet() -> None:
    proved = {number for test in faults.collect() for number in test.lines}
    known = {int(fault["line"]) for fault in faults.lines()}
    assert sorted(known) == list(range(1, len(known) + 1)) and len(known) >= 101
    assert not known - proved - set(faults.PENDING), "these lines have no test"
    assert not proved - known, "these markers name no line"
    assert not proved & set(faults.PENDING), "these lines are pending no more"


def test_the_readme_is_up_to_date() -> None:
    text = faults.render(faults.collect())
    assert faults.README.read_text("utf-8") == text, "run python -m tests.launcher.faults"


def test_markers_are_read_from_the_sources(tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(
        "import pytest\npytestmark = pytest.mark.fault(3)\n"
        "@pytest.mark.slow\n@pytest.mark.fault(1, 2)\ndef test_a(): ...\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.fault(4))])\ndef test_b(x): ...\n"
    )
    found = faults.collect(tmp_path)
    assert [(test.name, test.lines, test.slow) for test in found] == [
        ("test_a", (1, 2, 3), True),
        ("test_b", (3, 4), False),
    ]
    path.write_text("import pytest\n@pytest.mark.fault(*range(3))\ndef test_a(): ...\n")
    with pytest.raises(ValueError, match="plain numbers"):
        faults.collect(tmp_path)
