"""benchmarks/simulate.py: a small run of it says what a day's run says."""

from __future__ import annotations

import pytest

from benchmarks import simulate


def test_a_small_day_shows_people_before_books_and_nothing_lost(capsys: pytest.CaptureFixture[str]) -> None:
    found = simulate.main(
        ["--users", "50", "--hours", "1", "--t0", "400", "--t1", "10", "--load", "1", "--no-write"]
    )
    assert found["requests"] == sum(kind["requests"] for kind in found["ours"].values())
    assert found["requests"] == sum(kind["requests"] for kind in found["fifo"].values())
    for kind in ("chat", "page"):
        assert found["ours"][kind]["first_p95"] < found["fifo"][kind]["first_p95"]
    assert "| book | this service |" in capsys.readouterr().out
