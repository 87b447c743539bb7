"""How memory becomes rows: figures of real models on cards from small to large."""

from __future__ import annotations

import pytest

from index_tts_ui.engines.indextts.plan import SHORTEST, fit

GIB = 1 << 30
BF16 = 2 * 24 * 1280 * 2  # bytes of one position of the published models
LONGEST = 2176


@pytest.mark.parametrize("memory", [0, GIB // 4, GIB, 2 * GIB, 4 * GIB, 16 * GIB, 70 * GIB])
def test_what_is_planned_fits(memory: int) -> None:
    plan = fit(memory, BF16, LONGEST, 64, gpu=True)
    assert 1 <= plan.slots <= 64 and SHORTEST <= plan.positions <= LONGEST
    if memory >= GIB // 2:
        assert plan.slots * plan.positions * BF16 + plan.clips < memory


def test_a_large_card_has_all_rows_at_full_length() -> None:
    plan = fit(70 * GIB, BF16, LONGEST, 64, gpu=True)
    assert (plan.slots, plan.positions) == (64, LONGEST)


def test_a_small_card_has_shorter_rows_rather_than_one() -> None:
    plan = fit(GIB, BF16, LONGEST, 16, gpu=True)
    assert plan.slots >= 4 and plan.positions < LONGEST


def test_without_memory_one_short_row_is_left() -> None:
    plan = fit(-GIB, BF16, LONGEST, 16, gpu=True)
    assert (plan.slots, plan.positions) == (1, SHORTEST)


def test_the_limit_of_rows_holds() -> None:
    assert fit(70 * GIB, BF16, LONGEST, 3, gpu=True).slots == 3
    assert fit(70 * GIB, BF16, LONGEST, 3, gpu=False).slots == 3
