"""The scheduler as a pure machine: played workers that are told, killed and slow in every order there is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.errors import Cancelled
from index_tts_ui.job import Job

from .bench import job
from .played import CRASH, KILLED, World

EVENTS = ("submit", "submit", "attach", "attach", "finish", "finish", "finish", "refuse", "crash", "kill")
EVENTS += ("crash", "cancel", "hold", "rest")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 1000)), max_size=60),
)
def test_whatever_happens_to_the_workers_each_segment_comes_once_and_in_order(
    rows: list[int], events: list[tuple[str, int]]
) -> None:
    world = World(rows)
    world.do("attach", 0)
    for what, number in events:
        world.do(what, number)
    world.finish_everything()
    world.check()


def _two(rows: int = 4) -> World:
    world = World([rows, rows])
    for worker in world.workers:
        worker.attach()
    return world


def _submit(world: World, count: int) -> list[Job]:
    requests = [job("One.", owner=str(number)) for number in range(count)]
    for request in requests:
        world.jobs.append(request)
        world.scheduler.submit(request)
    return requests


def test_a_segment_goes_to_the_worker_with_the_most_free_credit() -> None:
    world = World([2, 6])
    for worker in world.workers:
        worker.attach()
    _submit(world, 6)
    assert [len(worker.held) for worker in world.workers] == [1, 5]
    _submit(world, 9)
    assert [len(worker.held) for worker in world.workers] == [2, 6], "no more than was granted"


def test_the_segments_of_one_request_are_spoken_by_several_workers_and_heard_in_order() -> None:
    world = _two(1)
    request = job("One. Two. Three. Four.")
    world.jobs.append(request)
    world.scheduler.submit(request)
    first, second = world.workers
    assert len(first.held) == len(second.held) == 1
    second.finish(*second.held)
    assert request.delivered == 0
    first.finish(*first.held)
    assert request.delivered == 2
    world.finish_everything()
    world.check()


def test_while_a_worker_is_replaced_the_other_goes_on_as_before() -> None:
    world = _two()
    requests = _submit(world, 30)
    one, other = world.workers
    held = set(other.held)
    one.die(CRASH, coming=True)
    assert set(other.held) == held and not other.cancelled
    for _ in range(20):  # the suspects wait for the worker that comes; new ones are sent all the while
        other.finish(next(iter(other.held)))
        assert len(other.held) == 4 or not world.scheduler.waiting
    assert not any(exclusive for _, exclusive in other.held.values())
    one.attach()
    assert [exclusive for _, exclusive in one.held.values()] == [True]
    assert sum(request.ended for request in requests) == 20
    world.finish_everything()
    world.check()


def test_suspects_do_not_wait_for_a_worker_that_cannot_be_had() -> None:
    world = _two()
    _submit(world, 30)
    one, other = world.workers
    one.die(CRASH, coming=False)
    for _ in range(4):
        other.finish(next(iter(other.held)))
    assert [exclusive for _, exclusive in other.held.values()] == [True], "it was not emptied for them"
    world.finish_everything()
    world.check()


def test_one_that_killed_a_worker_alone_is_not_tried_on_another() -> None:
    world = _two()
    (killer,) = _submit(world, 1)
    struck = next(worker for worker in world.workers if worker.held)
    other = next(worker for worker in world.workers if worker is not struck)
    struck.die(CRASH, coming=True)
    assert not other.held
    struck.attach()
    assert struck.held or other.held
    next(worker for worker in world.workers if worker.held).die(CRASH, coming=True)
    assert killer.ended and world.scheduler.running == 0
    for worker in world.workers:
        if not worker.alive:
            worker.attach()
    _submit(world, 8)
    assert [len(worker.held) for worker in world.workers] == [4, 4], "the worker is as good as new"


def test_a_death_in_company_blames_nobody() -> None:
    world = _two(2)
    requests = _submit(world, 4)
    one, other = world.workers
    for death in (CRASH, CRASH):
        lost = one.die(death, coming=False)
        one.attach()
    assert len(lost) == 1, "the second time they were alone"
    assert not any(request.ended for request in requests)
    other.die(KILLED, coming=False)
    world.finish_everything()
    assert all(request.delivered == 1 for request in requests)
    world.check()


def test_an_innocent_suspect_runs_at_once_where_nothing_else_does() -> None:
    world = _two(2)
    _submit(world, 4)
    one, other = world.workers
    for segment_id in list(other.held):
        other.finish(segment_id)
    one.die(CRASH, coming=True)
    assert [exclusive for _, exclusive in other.held.values()] == [True]
    world.finish_everything()
    world.check()


def test_a_suspect_that_nobody_waits_for_is_not_run_again() -> None:
    world = _two(2)
    requests = _submit(world, 4)
    for worker in world.workers:
        worker.die(CRASH, coming=True)
    for request in requests:
        world.cancelled.add(request.id)
        world.scheduler.cancel(request, Cancelled("cancelled", reason="test"))
    for worker in world.workers:
        worker.attach()
        assert not worker.held
    world.check()
