"""A second look is given to few failures, and to none of what plays races; the suite fails all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import again

ROOT = Path(__file__).parents[1]
UNSTEADY = """
from pathlib import Path
def test_unsteady():
    seen = Path({flag!r})
    first = not seen.exists()
    seen.touch()
    assert not first
"""


def test_few_are_tried_again_and_none_that_plays_races() -> None:
    assert again.worth_a_look(["tests/api/test_x.py::test_a", "tests/webui/test_y.py::test_b"])
    assert not again.worth_a_look([])
    assert not again.worth_a_look([f"tests/api/test_x.py::test_{number}" for number in range(again.MOST + 1)])
    for name in (
        "launcher/test_races.py::test_a",
        "chaos/test_x.py::test_a",
        "a/test_x.py::test_kill_worker",
    ):
        assert not again.worth_a_look([f"tests/{name}"])


@pytest.mark.parametrize(("body", "status"), [(UNSTEADY, 0), ("def test_broken(): assert False\n", 1)])
def test_who_fails_twice_has_failed(tmp_path: Path, body: str, status: int) -> None:
    (tmp_path / "test_it.py").write_text(body.format(flag=str(tmp_path / "flag")))
    pytest_here = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-m", "not slow"]
    first = subprocess.run([*pytest_here, "test_it.py"], cwd=tmp_path, capture_output=True, timeout=60)
    assert first.returncode == 1
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.again import main; sys.exit(main('not slow'))"
    second = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == status, second.stdout + second.stderr
    assert "Once more, by themselves: test_it.py::" in second.stdout
    assert again.failed(tmp_path / again.CACHE), "what failed first is still named"
