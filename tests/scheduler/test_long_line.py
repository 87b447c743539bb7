"""Who would wait for longer than a request may is told so at the door: the real scheduler on a virtual clock."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks import simulate
from benchmarks.simulate import Arrival, Asked, World
from index_tts_ui.pace import SURE
from index_tts_ui.room import UNBOUNDED, Limits
from index_tts_ui.speech import Owner

T0, T1, ROWS = 0.04, 0.001, 4
TOKENS = 40
RATE = ROWS / (T0 + ROWS * T1)  # tokens a second that the engine can do
PATIENCE = 20.0
LIMITS = Limits(UNBOUNDED, math.inf, PATIENCE)
WARM = [Arrival(number * 1.0, 0, "chat", (TOKENS,)) for number in range(30)]  # the engine has spoken before
BEGIN, END = 40.0, 160.0


def _played(
    arrivals: list[Arrival],
    limits: Limits = LIMITS,
    again: Callable[[Asked, float], Arrival | None] | None = None,
) -> list[Asked]:
    world = World(ROWS, T0, T1, limits=limits, **({"again": again} if again else {}))
    return [one for one in world.run([*WARM, *arrivals], look_every=0.1) if one.at >= BEGIN]


def _crowd(users: int, segments: int, owner: Callable[[int], int]) -> list[Asked]:
    """Each asks again, a moment after they had their answer or were refused."""
    dice = random.Random(5)

    def texts() -> tuple[int, ...]:
        return tuple(dice.choices(range(TOKENS // 2, TOKENS * 3 // 2), k=segments))

    def again(asked: Asked, now: float) -> Arrival | None:
        later = now + dice.uniform(1, 3)
        return Arrival(later, asked.user, "chat", texts()) if BEGIN <= later < END else None

    return _played(
        [Arrival(BEGIN + user / 50, owner(user), "chat", texts()) for user in range(users)], again=again
    )


def _let_in_in_vain(asked: list[Asked]) -> list[Asked]:
    """Whether they were sent away in the end, or waited until it was too late."""
    return [one for one in asked if one.error and math.isfinite(one.last)]


@pytest.mark.parametrize("owner", [lambda user: user + 1, lambda user: 1, lambda user: user % 5 + 1])
@pytest.mark.parametrize("segments", [1, 3])
def test_with_far_too_many_users_those_who_are_let_in_are_served(
    owner: Callable[[int], int], segments: int
) -> None:
    """Five times as many as the engine can serve within their patience; from an address each, from one, from five."""
    asked = _crowd(round(5 * PATIENCE * RATE / TOKENS), segments, owner)
    ends = Counter(one.error for one in asked)
    assert set(ends) <= {"", "queue_long", "queue_timeout"}
    served, late = ends[""], len(_let_in_in_vain(asked))
    assert ends["queue_long"] > served > 50
    assert not late, f"of {served + late} who were let in, {late} waited in vain"
    waits = sorted(one.began - one.at for one in asked if not one.error and one.at > BEGIN + PATIENCE)
    assert waits[len(waits) // 2] > PATIENCE / 4, "people were sent away who could have been served"


def test_who_can_be_served_in_time_is_not_refused() -> None:
    """A rush that the engine has spoken within three quarters of the patience."""
    count = round(0.75 * SURE * PATIENCE * RATE / TOKENS)
    asked = _played([Arrival(BEGIN + number / 1000, number, "chat", (TOKENS,)) for number in range(count)])
    assert not [one.error for one in asked if one.error]


def test_a_stranger_is_let_in_beside_one_user_who_fills_the_line() -> None:
    """That one's requests are refused; a stranger's turn comes next."""
    flood = [Arrival(BEGIN + number / 100, 1, "chat", (TOKENS,)) for number in range(400)]
    strangers = [Arrival(BEGIN + 5 + number, 100 + number, "chat", (TOKENS,)) for number in range(10)]
    asked = _played([*flood, *strangers])
    assert sum(one.error == "queue_long" for one in asked if one.user == 1) > 200
    mine = [one for one in asked if one.user >= 100]
    assert len(mine) == 10 and not any(one.error for one in mine)
    assert max(one.began - one.at for one in mine) < 5


def test_who_has_a_long_answer_yet_to_come_is_not_taken_for_a_newcomer() -> None:
    """Everybody asks again while the second part of their first answer waits for its turn."""
    users = round(0.7 * PATIENCE * RATE / TOKENS)
    asked = _played(
        [
            Arrival(BEGIN + wave * PATIENCE * 0.8 + user / 100, user, "chat", (TOKENS,) * 3)
            for wave in range(5)
            for user in range(users)
        ]
    )
    ends = Counter(one.error for one in asked)
    assert ends["queue_long"] > 20 and ends[""] > 20 and not _let_in_in_vain(asked), ends


def test_nobody_is_refused_before_the_engines_pace_is_known_nor_in_the_background() -> None:
    new = World(ROWS, T0, T1, limits=LIMITS)
    asked = new.run(
        [Arrival(number / 1000, number, "chat", (TOKENS,)) for number in range(400)], look_every=0.1
    )
    assert not [one for one in asked if one.error and math.isnan(one.last)], "refused at the door"
    books = [Arrival(BEGIN, 9, "book", (TOKENS,) * 400), Arrival(BEGIN + 1, 9, "book", (TOKENS,) * 40)]
    assert not any(one.error for one in _played(books))


def test_no_key_is_starved_at_the_door_nor_behind_it_whatever_its_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = [0.1, 0.5, 1.0, 4.0]
    monkeypatch.setattr(
        simulate, "Owner", lambda name: Owner(name, weight=weights[int(name) % 4] if int(name) else 1.0)
    )
    asked = _crowd(round(5 * PATIENCE * RATE / TOKENS), 2, lambda user: user + 1)
    for kind, weight in enumerate(weights):
        ends = Counter(one.error for one in asked if one.user % 4 == kind)
        assert not _let_in_in_vain(asked) and ends["queue_long"] > ends[""], f"{weight}: {ends}"
        assert ends[""] >= 20, f"{weight}: {ends}"


SLOW = 0.0125, 0.04  # a row of two is nearly half as fast as one alone: two cores


@pytest.mark.parametrize(("rows", "t0", "t1"), [(ROWS, T0, T1), (2, *SLOW), (4, 0.01, 0.02), (1, 0.05, 0.0)])
@pytest.mark.parametrize("warm", [0, 3, 40])
def test_those_who_were_let_in_too_hopefully_are_sent_away_as_soon_as_that_is_known(
    rows: int, t0: float, t1: float, warm: int
) -> None:
    """A rush on an engine that has spoken nothing yet, or to one user at a time."""
    patience = 3 * PATIENCE
    world = World(rows, t0, t1, limits=Limits(UNBOUNDED, math.inf, patience))
    quiet = [Arrival(number * 5.0, 0, "chat", (TOKENS // 2,)) for number in range(warm)]
    begin = warm * 5.0
    places = patience * rows / (t0 + rows * t1) / (TOKENS // 2)
    rush = [
        Arrival(begin + number / 1000, number, "chat", (TOKENS // 2,)) for number in range(int(3 * places))
    ]
    asked = [one for one in world.run([*quiet, *rush], look_every=0.1) if one.at >= begin]
    ends = Counter(one.error for one in asked)
    assert ends["queue_timeout"] <= 0.03 * ends[""] and set(ends) <= {"", "queue_long", "queue_timeout"}, ends
    assert ends[""] >= 0.7 * places, "people were sent away who could have been served"
    told = sorted(one.last - one.at for one in asked if one.error and math.isfinite(one.last))
    assert not told or told[len(told) // 2] < patience / 2, "half of them were told late"
    for one in _let_in_in_vain(asked):
        if one.error == "queue_long":
            assert one.told["seconds"] > patience, "how long it would have waited in all"


@pytest.mark.parametrize("sign", ["", "coming", "waking"])
def test_nobody_is_sent_away_while_another_worker_is_about_to_help(sign: str) -> None:
    """It crashed, or slept: with it they may all be served in time."""
    rush = [Arrival(number / 1000, number, "chat", (TOKENS // 2,)) for number in range(100)]
    world = World(1, 0.05, 0.0, limits=Limits(UNBOUNDED, math.inf, 2 * PATIENCE))
    setattr(world.scheduler.open_lane(), sign or "rows", 1)
    ends = Counter(one.error for one in world.run(rush, look_every=0.2))
    assert (ends["queue_timeout"], ends["queue_long"])[not sign] > 50, ends
    assert ends["queue_timeout"] <= 1 or not ends["queue_long"], ends


def test_a_segment_that_hangs_for_a_while_sends_nobody_away() -> None:
    """One row, and everybody has time enough left; what takes ten times its time says nothing about the others."""
    world = World(1, 0.05, 0.0, ahead=0, limits=Limits(UNBOUNDED, math.inf, 3 * PATIENCE))
    engine, due = world.engine, world.engine.next_at

    def next_at() -> float:
        at = due()
        return at + 15.0 if engine._told < BEGIN + 5 <= at < math.inf else at

    engine.next_at = next_at  # type: ignore[method-assign]
    rush = [Arrival(BEGIN + number / 100, number, "chat", (TOKENS // 2,)) for number in range(40)]
    quiet = [Arrival(number * 2.0, 100, "chat", (TOKENS // 2,)) for number in range(20)]
    asked = [one for one in world.run([*quiet, *rush], look_every=0.1) if one.at >= BEGIN]
    waits = [one.began - one.at for one in asked]
    assert max(waits) > 40 and not any(one.error for one in asked)
