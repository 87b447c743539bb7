"""What waiting requests are told, beside what then happens: the real scheduler on a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from benchmarks.simulate import Arrival, Asked, World
from index_tts_ui.outlook import Outlook
from index_tts_ui.pace import Pace
from index_tts_ui.policy import FairQueue

T0, T1, ROWS = 0.04, 0.001, 16
RATE = ROWS / (T0 + ROWS * T1)  # tokens a second that the engine can do
WARM = 40.0  # seconds after which the load counts as steady
FAR = 1.0  # seconds; "in a moment" is good enough for what is nearer
END = 150.0


def _chat(load: float) -> Iterator[Arrival]:
    """A sentence or two, each from somebody else, evenly."""
    gap = 1.5 * 35 / (load * RATE)
    return (
        Arrival(number * gap, 10**9 + number, "chat", (35,) * (1 + number % 2))
        for number in range(int(END / gap))
    )


def _books() -> Iterator[Arrival]:
    """Forty at once, each somebody else's, in the background; together nearly all that the engine has left."""
    return (Arrival(number // 40 * 50.0, 10**10 + number, "book", (60,) * 2) for number in range(120))


def _back(dice: random.Random) -> Callable[[Asked, float], Arrival | None]:
    """Who has heard the answer asks again a moment later."""

    def again(asked: Asked, now: float) -> Arrival | None:
        tokens = tuple(dice.choices(range(10, 61), k=dice.randint(1, 3)))
        return Arrival(now + dice.expovariate(1 / 2), asked.user, "chat", tokens) if now < END else None

    return again


def _told(arrivals: Iterable[Arrival]) -> list[Asked]:
    return World(ROWS, T0, T1).run(arrivals, look_every=0.5)


def _within_two(asked: list[Asked], kind: str, until: float = END) -> tuple[float, int]:
    """The part of all that was told which was right within a factor of two, and how much was told."""
    pairs = [
        (eta, one.began - at)
        for one in asked
        if one.kind == kind
        for at, eta in one.etas
        if WARM <= at <= until and max(eta, one.began - at) > FAR
    ]
    right = [told / 2 <= truth <= told * 2 or abs(told - truth) <= FAR / 4 for told, truth in pairs]
    return sum(right) / max(1, len(right)), len(right)


def test_with_a_hundred_users_it_is_within_a_factor_of_two() -> None:
    """Each asks again when they have heard the answer; five times as much as the engine speaks at once."""
    world = World(ROWS, T0, T1, again=_back(random.Random(3)))
    part, count = _within_two(
        world.run([Arrival(user / 20, user, "chat", (30,)) for user in range(100)], 0.5), "chat"
    )
    assert count > 2000 and part >= 0.97


def test_for_books_beside_an_even_load_it_is_within_a_factor_of_two() -> None:
    part, count = _within_two(_told([*_chat(0.5), *_books()]), "book")
    assert count >= 30, "no book waited"
    assert part >= 0.85


def test_for_one_users_long_line_the_strangers_who_will_go_before_it_are_counted_in() -> None:
    line = [Arrival(WARM + number / 10, 1, "page", (60,) * 3) for number in range(60)]
    part, count = _within_two(_told([*_chat(0.6), *line]), "page")
    assert count > 200 and part >= 0.8


@pytest.mark.parametrize("segments", [1, 8])
def test_in_a_burst_each_is_told_when_its_turn_comes(segments: int) -> None:
    """Two hundred requests of twenty users within a fifth of a second, to an engine that has spoken before."""
    warm = [Arrival(number * 0.5, 0, "page", (40,)) for number in range(20)]
    burst = [Arrival(WARM + number / 1000, number % 20, "chat", (40,) * segments) for number in range(200)]
    asked = _told([*warm, *burst])
    part, count = _within_two(asked, "chat")
    assert count > 500 and part >= 0.95


def test_positions_count_those_who_really_begin_before() -> None:
    """One user's ten requests do not stand before another's one."""
    world = World(1, T0, T1, ahead=0)
    arrivals = [Arrival(0.0, 1, "chat", (100,))] + [Arrival(0.01, 1, "chat", (50,)) for _ in range(9)]
    arrivals += [Arrival(0.02, 2, "page", (50,))]
    asked = world.run(arrivals, look_every=0.5)
    began = sorted(range(len(asked)), key=lambda number: asked[number].began)
    assert began.index(10) == 1, "the other user is next"
    assert asked[10].etas and asked[10].etas[0][1] < asked[1].etas[0][1]


def test_a_long_look_ahead_is_taken_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on the loop that serves: fifty who wait had it take a sixth of a core."""
    looks: list[float] = []

    def look(self: Outlook, now: float, *_: object) -> int:
        looks.append(now)
        return 200 if now < 1 else (9000 if now < 2 else 10)

    monkeypatch.setattr(Outlook, "tell_now", look)
    outlook = Outlook(Pace())
    for tenth in range(32):
        outlook.tell(tenth / 10, {}, FairQueue(), [], False)
    assert looks[:4] == [0.0, 0.8, 1.6, 2.6] and looks[4:] == [2.9]  # every quarter of a second, at most
