"""FairQueue as a pure object: shares, starvation, order."""

from __future__ import annotations

import itertools
import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui.policy import ROUNDS, FairQueue


def _serve(queue: FairQueue, left: dict[str, list[int]], rounds: int, now: float = 0.0) -> list[str]:
    """A token takes a second."""
    served = []
    for _ in range(rounds):
        job = queue.pick(lambda _job: True, now)
        if job is None:
            break
        cost = left[job].pop(0)
        queue.charge(job, cost, now)
        now += cost
        served.append(job)
        if not left[job]:
            queue.remove(job)
    return served


def test_owners_share_equally_however_many_requests_each_has() -> None:
    queue = FairQueue()
    left = {f"a{n}": [10] * 100 for n in range(9)} | {"b": [10] * 100}
    for job in left:
        queue.add(job, job[0])
    shares = Counter(job[0] for job in _serve(queue, left, 100))
    assert shares["a"] == shares["b"] == 50


def test_a_weight_of_two_gets_twice_the_service() -> None:
    queue = FairQueue()
    left = {"a": [10] * 100, "b": [10] * 100}
    queue.add("a", "a", weight=2.0)
    queue.add("b", "b")
    shares = Counter(_serve(queue, left, 90))
    assert shares["a"] == 60


def test_a_newcomer_goes_next_but_gains_no_credit_from_having_been_away() -> None:
    queue = FairQueue()
    left = {"old": [10] * 100, "new": [10] * 100}
    queue.add("old", "x")
    _serve(queue, left, 50)
    queue.add("new", "y")
    served = _serve(queue, left, 10)
    assert served[0] == "new" or served[1] == "new"
    assert 4 <= served.count("new") <= 6


def test_leaving_and_coming_back_is_no_way_to_jump_the_queue() -> None:
    queue = FairQueue()
    left = {"steady": [1] * 1000}
    queue.add("steady", "x")
    shares: Counter[str] = Counter()
    for n in range(100):
        left[f"hop{n}"] = [100]
        queue.add(f"hop{n}", "y")
        shares.update("y" if job.startswith("hop") else "x" for job in _serve(queue, left, 1))
        queue.remove(f"hop{n}")
    assert shares["x"] >= 90, shares


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.lists(st.integers(1, 200), min_size=1, max_size=30)),
        min_size=1,
        max_size=40,
    )
)
def test_nobody_starves_and_everything_is_served_once(arrivals: list[tuple[int, list[int]]]) -> None:
    queue = FairQueue()
    left = {f"{owner}-{n}": list(costs) for n, (owner, costs) in enumerate(arrivals)}
    for job in left:
        queue.add(job, job.split("-")[0])
    total = sum(len(costs) for costs in left.values())
    last_seen: dict[str, int] = {}
    owners = len({job.split("-")[0] for job in left})
    cost_since: Counter[str] = Counter()
    for turn in range(total):
        job = queue.pick(lambda _job: True)
        assert job is not None
        cost = left[job].pop(0)
        queue.charge(job, cost)
        owner = job.split("-")[0]
        for other in {name.split("-")[0] for name, costs in left.items() if costs} - {owner}:
            cost_since[other] += cost
            assert cost_since[other] <= 400 * owners, "an owner with work waited for more than its turn"
        cost_since[owner] = 0
        last_seen[owner] = turn
        if not left[job]:
            queue.remove(job)
    assert len(queue) == 0 and queue.pick(lambda _job: True) is None


def test_whoever_was_served_is_served_again_however_many_others_are_always_new() -> None:
    """A public server that is never without strangers: twenty wait at any time, each with one segment."""
    queue = FairQueue()
    left = {"long": [10] * 5} | {f"new{number}": [10] for number in range(20)}
    for job in left:
        queue.add(job, job)
    turns = []
    for turn in range(2000):
        (job,) = _serve(queue, left, 1)
        if job == "long":
            turns.append(turn)
        else:
            left[f"new{turn + 20}"] = [10]
            queue.add(f"new{turn + 20}", f"new{turn + 20}")
    gaps = [after - before for before, after in itertools.pairwise(turns)]
    assert len(turns) == 5 and max(gaps) <= (ROUNDS + 1) * 21, gaps
    assert min(gaps) > 20, "newcomers go ahead of who had more"


def _class_of(job: str) -> str:
    return job.partition("-")[0]


def test_background_requests_get_an_eleventh_while_others_wait_and_all_when_nobody_does() -> None:
    queue = FairQueue()
    left = {"page-1": [10] * 100, "book-1": [10] * 100}
    queue.add("book-1", "x", background=True)
    queue.add("page-1", "y")
    shares = Counter(_class_of(job) for job in _serve(queue, left, 110))
    assert shares == {"page": 100, "book": 10}
    assert Counter(_class_of(job) for job in _serve(queue, left, 20)) == {"book": 20}


def test_an_interactive_request_goes_before_a_background_one_that_has_waited() -> None:
    queue = FairQueue()
    left = {"book-1": [100] * 10, "page-1": [10], "page-2": [10]}
    queue.add("book-1", "x", background=True)
    _serve(queue, left, 3)
    queue.add("page-1", "y")
    queue.add("page-2", "x")  # the book's own owner is not held back for it
    assert {_class_of(job) for job in _serve(queue, left, 2)} == {"page"}


def test_an_owner_who_could_not_be_served_saves_nothing_up_for_later() -> None:
    queue = FairQueue()
    left = {"slow-1": [10] * 100, "fast-1": [10] * 100}
    queue.add("slow-1", "x")
    queue.add("fast-1", "y")
    for _ in range(50):
        job = queue.pick(lambda job: job == "fast-1")
        assert job == "fast-1"
        queue.charge(job, left[job].pop())
    shares = Counter(_class_of(job) for job in _serve(queue, left, 20))
    assert abs(shares["slow"] - shares["fast"]) <= 2


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 6),  # services between this arrival and the next
        st.integers(0, 3),  # owner
        st.booleans(),  # background
        st.sampled_from([0.5, 1.0, 4.0]),  # the owner's weight
        st.lists(st.integers(1, 200), min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=30,
)


@given(ARRIVALS)
def test_whoever_comes_when_no_class_and_no_owner_waits_for_more_than_its_turn(
    arrivals: list[tuple[int, int, bool, float, list[int]]],
) -> None:
    """Between two services of a class, or of an owner within it, the others get what their weights say, and at most
    one segment each beyond that."""
    queue = FairQueue()
    left: dict[str, list[int]] = {}
    whose: dict[str, tuple[bool, int]] = {}
    weights = {owner: weight for _, owner, _, weight, _ in arrivals}
    served = Counter[str]()
    passed: Counter[object] = (
        Counter()
    )  # cost of others, of the same class for an owner, since the last service
    last_cost: dict[object, int] = {}

    def serve() -> None:
        job = queue.pick()
        assert job is not None
        cost = left[job].pop(0)
        queue.charge(job, cost)
        served[job] += 1
        background, owner = whose[job]
        last_cost[background], last_cost[job] = cost, cost
        waiting = {whose[name] for name in left if left[name]} | {(background, owner)}
        for side in {side for side, _ in waiting} - {background}:
            passed[side] += cost
            limit = 10 * 200 + 200 if side else 20 + 200
            assert passed[side] <= limit, "a class waited for more than its turn"
        passed[background] = 0
        for side, other in waiting - {(background, owner)}:
            if side == background:
                passed[side, other] += cost
                rivals = sum(weight for name, weight in weights.items() if name != other)
                assert passed[side, other] <= 200 * (rivals / weights[other] + 2 * len(weights)), (
                    "an owner waited"
                )
        passed[background, owner] = 0
        if not left[job]:
            queue.remove(job)
            for key in (background, (background, owner)):
                if not any(left[name] and (whose[name] == key or whose[name][0] is key) for name in left):
                    passed.pop(key, None)

    for number, (gap, owner, background, _, costs) in enumerate(arrivals):
        job = f"j{number}"
        left[job], whose[job] = list(costs), (background, owner)
        queue.add(job, str(owner), weights[owner], background)
        for _ in range(gap):
            if any(left.values()):
                serve()
    while any(left.values()):
        serve()
    assert len(queue) == 0
    assert served == Counter({f"j{number}": len(item[4]) for number, item in enumerate(arrivals)})


@given(ARRIVALS, st.integers(0, 40), st.sampled_from([math.inf, 300.0]))
def test_a_copy_goes_on_as_the_queue_would(
    arrivals: list[tuple[int, int, bool, float, list[int]]], before: int, patience: float
) -> None:
    queue = FairQueue(patience)
    left = {f"j{number}": list(costs) for number, (_, _, _, _, costs) in enumerate(arrivals)}
    for number, (_, owner, background, weight, _) in enumerate(arrivals):
        queue.add(f"j{number}", str(owner), weight, background, now=number * 10.0)
    _serve(queue, left, before, 200.0)
    twin = queue.copy()
    also_left = {job: list(costs) for job, costs in left.items()}
    assert _serve(twin, also_left, 10_000, 400.0) == _serve(queue, left, 10_000, 400.0)


def test_who_has_waited_for_long_enough_goes_next_by_the_clock_and_heavier_ones_sooner() -> None:
    queue = FairQueue(patience=100.0)
    left = {"old-1": [10] * 9, "late-1": [10], "first-1": [10], "heavy-1": [10], "new-1": [10]}
    queue.add("old-1", "old")
    assert _serve(queue, left, 8) == ["old-1"] * 8  # far ahead of all others, and served at 70 s
    queue.add("first-1", "first", lead=500.0, now=1.0)
    queue.add("late-1", "late", lead=90.0, now=2.0)
    queue.add("heavy-1", "heavy", weight=2.0, lead=900.0, now=40.0)
    queue.add("new-1", "new", now=85.0)
    assert queue.pick(now=89.0) == "new-1"
    assert queue.pick(now=90.0) == "heavy-1", "50 s are its patience"
    assert queue.pick(lambda job: job != "heavy-1", now=110.0) == "first-1"
    assert _serve(queue, left, 4, now=110.0) == ["heavy-1", "first-1", "late-1", "new-1"]


def test_who_has_a_request_in_the_queue_starts_where_it_is_served_next() -> None:
    queue = FairQueue()
    left = {"long-1": [10] * 9, "other-1": [10] * 9}
    queue.add("long-1", "long")
    queue.add("other-1", "other")
    assert _serve(queue, left, 3) == ["long-1", "other-1", "long-1"]
    assert queue.start("long") == queue.tag("long-1") > queue.tag("other-1") == queue.start("other")
    assert queue.start("stranger") < queue.start("long")


def test_a_background_request_is_never_due() -> None:
    queue = FairQueue(patience=10.0)
    queue.add("book-1", "x", background=True)
    queue.add("page-1", "y", lead=100.0, now=1e6)
    queue.add("page-2", "z", now=1e6)
    assert queue.pick(now=1e6) == "page-2" and not queue.is_due("book-1", 1e6)


@given(ARRIVALS, st.sampled_from([0.0, 100.0, 1000.0]))
def test_by_the_clock_nobody_waits_longer_than_the_patience_and_a_round(
    arrivals: list[tuple[int, int, bool, float, list[int]]], patience: float
) -> None:
    """However many come meanwhile: once its patience is over, each of the others is served once before it at most."""
    queue, now = FairQueue(patience), 0.0
    left: dict[str, list[int]] = {}
    whose: dict[str, str] = {}
    weights: dict[str, float] = {}
    since: dict[str, float] = {}  # when an owner came, or was served last
    passed: dict[str, Counter[str]] = {}  # how often others were served since its patience was over

    def serve() -> None:
        nonlocal now
        job = queue.pick(now=now)
        assert job is not None
        cost, owner = left[job].pop(0), whose[job]
        queue.charge(job, cost, now)
        since[owner] = now
        passed.pop(owner, None)
        for other in set(since) - {owner}:
            if now > since[other] + patience / max(1.0, weights[other]):
                passed.setdefault(other, Counter())[owner] += 1
                assert max(passed[other].values()) == 1, "an owner waited in vain"
        now += cost
        if not left[job]:
            queue.remove(job)
        if not any(left[name] for name in left if whose[name] == owner):
            del since[owner]

    for number, (gap, one, _, weight, costs) in enumerate(arrivals * 2):
        job, owner = f"j{number}", str(one) if gap else f"new{number}"
        left[job], whose[job] = list(costs), owner
        weights.setdefault(owner, weight)
        queue.add(job, owner, weights[owner], now=now)
        since.setdefault(owner, now)
        for _ in range(gap):
            if any(left.values()):
                serve()
    while any(left.values()):
        serve()
