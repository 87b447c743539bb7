"""What is learned of an engine's pace, and from how much."""

from __future__ import annotations

import pytest

from index_tts_ui.pace import ENOUGH, FEW, OUTLIER, Pace

ALONE, BESIDE = 0.05, 0.09  # seconds a token, of a segment that has two cores and of one that has one
TOKENS = 20


def _alone(pace: Pace, now: float, count: int) -> float:
    for _ in range(count):
        pace.load(now, False, 2)
        now += ALONE * TOKENS
        pace.spoken(now, TOKENS, ALONE * TOKENS, 1.0)
        now += 5.0
    return now


def _crowd(pace: Pace, now: float, count: int) -> float:
    """Two rows, each always with a segment, half a segment apart."""
    for _ in range(count):
        pace.load(now, True, 2)
        now += BESIDE * TOKENS / 2
        pace.spoken(now, TOKENS, BESIDE * TOKENS, 1.0)
    return now


def test_a_few_segments_are_enough_to_refuse_and_more_to_send_away() -> None:
    pace, now = Pace(), 0.0
    for spoken in range(1, ENOUGH + 1):
        now = _alone(pace, now, 1)
        assert (pace.known, pace.well_known) == (spoken >= FEW, spoken >= ENOUGH)
    assert pace.row_seconds == pytest.approx(ALONE)


def test_how_much_rows_slow_each_other_down_is_remembered_over_a_quiet_time() -> None:
    """Else the next rush is let in too hopefully."""
    pace = Pace()
    now = _alone(pace, 0.0, 40)
    assert pace.row_seconds == pytest.approx(ALONE)
    now = _crowd(pace, now, 3 * ENOUGH)
    assert pace.row_seconds == pytest.approx(BESIDE, rel=0.1)
    _alone(pace, now, 100)
    assert pace.row_seconds == pytest.approx(BESIDE, rel=0.15)


def test_one_that_hung_counts_as_a_slow_one_not_as_a_hundred() -> None:
    pace = Pace()
    now = _alone(pace, 0.0, 40)
    pace.spoken(now, TOKENS, 100 * ALONE * TOKENS, 1.0)
    assert ALONE < pace.row_seconds <= ALONE * (1 + 0.06 * OUTLIER)
