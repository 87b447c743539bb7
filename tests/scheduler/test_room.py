"""How much may wait, in total and per owner, and what those who are refused are told."""

from __future__ import annotations

import pytest

from index_tts_ui.errors import Overloaded
from index_tts_ui.pace import Pace
from index_tts_ui.room import Limits, Room
from index_tts_ui.speech import Owner

ANNA, BEN = Owner("anna"), Owner("ben")


class Clock:
    """Stands still until it is told otherwise."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _room(clock: Clock, **bounds: float) -> Room:
    pace = Pace()
    for _ in range(200):
        pace.spoken(0.0, 10, 1.0, 0.5)  # 0.1 s of a row, and 50 ms of sound, a token
    return Room(
        Limits(**{"max_waiting": 100, "segment_timeout": 1, "queue_timeout": 1} | bounds),
        pace,
        clock,
        lambda: 2,
    )  # type: ignore[arg-type]


def _refused(room: Room, owner: Owner, background: bool = False) -> Overloaded:
    with pytest.raises(Overloaded) as refusal:
        room.check(owner, background)
    return refusal.value


@pytest.mark.parametrize("bounds", [{"max_waiting": 4}, {"segments": 8}, {"sound": 4.0}])
def test_each_total_bound_refuses_everybody_and_what_leaves_makes_room(bounds: dict[str, float]) -> None:
    room = _room(Clock(), **bounds)
    for number in range(4):
        room.check(ANNA, False)
        room.enter(f"j{number}", "anna", 2, 20)
    assert _refused(room, BEN).code == "queue_full"
    room.sent("j0", 10)
    room.sent("j0", 10)
    room.leave("j0")
    room.check(BEN, False)


@pytest.mark.parametrize("bounds", [{"owner_segments": 8}, {"owner_sound": 4.0}, {"owner_waiting": 4}])
def test_an_owners_bound_is_theirs_alone(bounds: dict[str, float]) -> None:
    room = _room(Clock(), **bounds)
    for number in range(4):
        room.check(ANNA, False)
        room.enter(f"j{number}", "anna", 2, 20)
    refusal = _refused(room, ANNA)
    assert refusal.code == "share_full"
    assert "8 segments" in refusal.message() and "8 段" in refusal.message("zh")
    room.check(BEN, False)
    room.leave("j3")
    room.check(ANNA, False)


def test_background_requests_leave_half_of_the_room_to_others() -> None:
    room = _room(Clock(), max_waiting=10)
    for number in range(5):
        room.check(ANNA, True)
        room.enter(f"j{number}", "anna", 1, 10)
    assert _refused(room, BEN, background=True).code == "queue_full"
    room.check(BEN, False)


def test_a_text_beyond_every_bound_is_let_in_where_nothing_waits() -> None:
    room = _room(Clock(), segments=8, sound=4.0, owner_segments=4, owner_sound=2.0)
    room.check(ANNA, False)
    room.enter("book", "anna", 1000, 100_000)
    _refused(room, ANNA)
    room.leave("book")
    room.check(ANNA, False)
    assert room.total.requests == room.total.segments == room.total.tokens == 0


def test_who_is_refused_is_told_when_there_will_be_room_each_a_place_later() -> None:
    """Two rows speak 20 tokens a second: a request of 100 tokens is 5 s."""
    clock = Clock()
    room = _room(clock, max_waiting=10)
    for number in range(10):
        room.enter(f"j{number}", str(number), 1, 100)
    told = [_refused(room, BEN).retry_after for _ in range(5)]
    assert told == [5, 10, 15, 20, 25]
    clock.now = 30.0  # all of them should have been back by now
    assert _refused(room, BEN).retry_after == 5


def test_who_is_far_beyond_their_share_is_told_to_wait_for_all_of_the_excess() -> None:
    room = _room(Clock(), owner_segments=10)
    room.enter("book", "anna", 100, 1000)
    refusal = _refused(room, ANNA)
    assert refusal.retry_after is not None and 45 <= refusal.retry_after <= 120, (
        "900 of 1000 tokens, 20 a second"
    )
