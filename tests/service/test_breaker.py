"""Breaker: pure, with a clock of its own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.breaker import Breaker


class Clock:
    """Time that somebody sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, limit: int = 3, rest: float = 5.0, rest_most: float = 20.0) -> Breaker:
    """One that has just opened."""
    breaker = Breaker(clock, limit, rest, rest_most)
    assert [breaker.failed() for _ in range(limit)] == [False] * (limit - 1) + [True]
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_a_success_forgives_all() -> None:
    breaker = Breaker(Clock(), limit=3)
    for _ in range(10):
        assert not breaker.failed() and not breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed" and breaker.allows(99)


def test_open_it_sends_nothing_for_a_while_and_then_one_trial() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 4.9
    assert breaker.state == "open" and not breaker.allows(0) and 0 < breaker.seconds < 0.2
    clock.now += 0.2
    assert breaker.state == "half-open" and breaker.allows(0) and not breaker.allows(1)
    breaker.succeeded()
    assert breaker.state == "closed" and breaker.allows(1)


def test_each_failed_trial_doubles_the_rest_up_to_a_bound() -> None:
    clock = Clock()
    breaker, rests = opened(clock), []
    for _ in range(5):
        rests.append(breaker.seconds)
        clock.now += breaker.seconds
        assert breaker.failed()
    assert rests == [5, 10, 20, 20, 20]


def test_a_late_success_of_before_does_not_close_it() -> None:
    breaker = opened(Clock())
    breaker.succeeded()
    assert breaker.state == "open"


EVENTS = st.lists(
    st.one_of(st.sampled_from(["send", "success", "failure", "cancel"]), st.floats(0, 30)), max_size=80
)


@given(EVENTS, st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_whatever_happens_it_rests_in_full_tries_one_and_comes_back(
    events: list[str | float], limit: int
) -> None:
    clock = Clock()
    breaker = Breaker(clock, limit, 5.0, 20.0)
    running = row = 0
    opened_at: float | None = None
    for event in events:
        if isinstance(event, float):
            clock.now += event
        elif event == "send" and breaker.allows(running):
            assert opened_at is None or (clock.now - opened_at >= 5.0 and running == 0)
            running += 1
        elif event == "cancel" and running:
            running -= 1
        elif event == "success" and running:
            running -= 1
            breaker.succeeded()
            if breaker.state == "closed":
                row, opened_at = 0, None
        elif event == "failure" and running:
            running -= 1
            row += 1
            if breaker.failed():
                opened_at = clock.now
                assert row >= limit
        assert (breaker.state == "closed") == (opened_at is None)
        assert 0 <= breaker.seconds <= 20.0
    clock.now += 20.0
    assert breaker.allows(0), "an engine is given up for good"
    breaker.succeeded()
    assert breaker.state == "closed"
