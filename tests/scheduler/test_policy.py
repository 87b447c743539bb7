"""FairQueue as a pure object: shares, starvation, order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui.policy import FairQueue


def _serve(queue: FairQueue, left: dict[str, list[int]], rounds: int) -> list[str]:
    served = []
    for _ in range(rounds):
        job = queue.pick(lambda _job: True)
        if job is None:
            break
        queue.charge(job, left[job].pop(0))
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
