"""How much an upstream is given: halved when it has too much, more again when it goes well."""

from __future__ import annotations

from index_tts_ui.remote.throttle import Throttle


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(most: int = 8) -> tuple[Throttle, Clock]:
    clock = Clock()
    return Throttle(most, clock), clock


def sent(throttle: Throttle, count: int) -> None:
    for _ in range(count):
        throttle.sent()


def test_it_gives_what_is_configured_until_told_otherwise() -> None:
    throttle, _ = made()
    assert throttle.free == 8
    sent(throttle, 8)
    assert throttle.free == 0
    throttle.spoken()
    assert throttle.free == 1


def test_refusals_of_one_moment_halve_the_window_once() -> None:
    throttle, clock = made()
    sent(throttle, 8)
    for _ in range(8):
        throttle.refused(2.0)
    assert throttle.free == 0 and throttle.rest == 2.0
    clock.now = 2.0
    assert throttle.free == throttle.window == 4


def test_without_a_time_the_rest_grows_and_is_bounded() -> None:
    throttle, clock = made()
    rests = []
    for _ in range(8):
        throttle.sent()
        throttle.refused(None)
        rests.append(throttle.rest)
        clock.now += throttle.rest
    assert rests == [1, 2, 4, 8, 16, 30, 30, 30]


def test_success_opens_the_window_by_one_a_round() -> None:
    throttle, clock = made()
    throttle.sent()
    throttle.refused(1.0)
    clock.now = 1.0
    sent(throttle, 5)
    for _ in range(5):
        throttle.spoken()
    assert throttle.window == 5
    for _ in range(100):
        throttle.sent()
        throttle.spoken()
    assert throttle.window == 8


def test_three_failures_in_a_row_bring_a_rest_and_then_one_at_a_time() -> None:
    throttle, clock = made()
    for _ in range(2):
        throttle.sent()
        throttle.failed()
    throttle.sent()
    throttle.spoken()
    assert not throttle.rest
    for _ in range(3):
        throttle.sent()
        throttle.failed()
    assert throttle.rest == 1.0
    clock.now += 1.0
    assert throttle.window == 1
    throttle.sent()
    throttle.failed()
    assert throttle.rest == 2.0


def test_what_others_have_it_do_is_left_out_but_for_one() -> None:
    throttle, _ = made()
    throttle.shared(5)
    assert throttle.window == 3
    throttle.shared(50)
    assert throttle.window == 1
    throttle.shared(0)
    assert throttle.window == 8
