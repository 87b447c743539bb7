"""Rates and quotas, against clocks that the test turns."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from index_tts_ui.errors import Overloaded
from index_tts_ui.quota import Quota, Rate
from index_tts_ui.speech import Owner


class Clock:
    def __init__(self) -> None:
        self.now = 86_400.0 * 20_000 + 100

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def taken(rate: Rate, who: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            rate.hit(who)
        except Overloaded:
            continue
        count += 1
    return count


def test_ten_at_once_then_five_a_second(clock: Clock) -> None:
    rate = Rate("5:10")
    assert taken(rate, "a", 30) == 10
    assert taken(rate, "b", 30) == 10  # each on their own
    total = 0
    for _ in range(200):
        clock.now += 0.1
        total += taken(rate, "a", 30)
    assert 90 <= total <= 101


def test_a_refusal_says_when_the_next_one_is_allowed(clock: Clock) -> None:
    rate = Rate("1:2")
    assert taken(rate, "a", 2) == 2
    with pytest.raises(Overloaded) as refused:
        rate.hit("a")
    assert refused.value.code == "rate_limited"
    clock.now += refused.value.retry_after or 0
    rate.hit("a")


def test_off_is_no_limit() -> None:
    assert taken(Rate("off"), "a", 1000) == 1000
    assert taken(Rate("0"), "a", 1000) == 1000


def test_an_owner_s_own_rate_goes_before_the_setting(tmp_path: Path, clock: Clock) -> None:
    quota = Quota("1:1", tmp_path / "q.json")
    fast, plain = Owner("key:1", rate="1:5"), Owner("key:2")
    for _ in range(5):
        quota.hit(fast)
    quota.hit(plain)
    with pytest.raises(Overloaded):
        quota.hit(plain)


def test_a_day_s_characters_are_counted_and_start_anew_at_midnight(tmp_path: Path) -> None:
    clock = Clock()
    quota = Quota("off", tmp_path / "q.json", clock)
    owner = Owner("key:1", quota=100)
    quota.check(owner, 100)
    quota.charge(owner, 60)
    quota.check(owner, 40)
    with pytest.raises(Overloaded) as refused:
        quota.check(owner, 41)
    assert refused.value.code == "quota_used"
    quota.check(Owner("key:2"), 10**9)  # no quota, no limit
    clock.now += 86_400
    quota.check(owner, 100)


async def _charged(path: Path, owner: Owner, clock: Clock) -> None:
    quota = Quota("off", path, clock)
    quota.charge(owner, 70)
    quota.close()


def test_what_was_used_outlives_a_restart(tmp_path: Path) -> None:
    import asyncio

    clock, owner, path = Clock(), Owner("key:1", quota=100), tmp_path / "run" / "q.json"
    asyncio.run(_charged(path, owner, clock))
    assert Quota("off", path, clock).used(owner) == 70
    path.write_text("{")
    assert Quota("off", path, clock).used(owner) == 0
