"""The figures that the page plots are those of /metrics: the same counts, over a few seconds or a minute."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from index_tts_ui.account import Account
from index_tts_ui.backend import BackendStatus
from index_tts_ui.errors import EngineFailed, Invalid, Overloaded
from index_tts_ui.handle import Status
from index_tts_ui.host import WorkerStatus
from index_tts_ui.metrics import Metrics
from index_tts_ui.series import KEPT, STEP, Series, quantile
from index_tts_ui.troubles import MOST, Troubles

WORKER = WorkerStatus("cuda:0", "ready", 1.0, "", "", 2, 0, {"resident_mb": 900.5, "device_mb": 4000})
BACKEND = BackendStatus("tone", "ready", "", "closed", 0.0, 3, 2, 0, (WORKER,))
STATUS = Status("ready", "tone", 1.0, "", "", 3, 2, 100, 0, (WORKER,), "", (BACKEND,))


def _spoken(metrics: Metrics, engine: str, first: float) -> None:
    account = Account("me", "", 10, engine=engine, first_seconds=first, wait_seconds=first / 2)
    account.close(None)
    metrics.ended(account)


def test_a_sample_says_what_was_counted_since_the_ones_before() -> None:
    metrics, now = Metrics(), 1000.0
    series = Series(metrics, lambda: STATUS, lambda: now)
    for _ in range(10):
        metrics.segment("tone", 0.4, 4, "", 3.0)
    _spoken(metrics, "tone", 0.15)
    metrics.segment("kokoro", 0.04, 1, "", 1.0)
    series.sample()
    (one,) = series.since(0)
    assert (one["number"], one["at"], one["waiting"], one["running"]) == (1, 1000.0, 3, 2)
    tone = one["engines"]["tone"]
    assert tone["segments"] == 10 / STEP and tone["batch"] == 4 and tone["audio"] == 30 / STEP
    assert one["segments"] == 11 / STEP and one["batch"] == pytest.approx(41 / 11, abs=0.01)
    assert 0.3 <= tone["segment_p50"] <= 0.5 and 0.1 <= tone["first_p95"] <= 0.2 and tone["wait_p50"] <= 0.1
    assert one["workers"] == [{"engine": "tone", "device": "cuda:0", "memory_mb": 900.5, "device_mb": 4000}]
    assert one["server_mb"] > 10 and json.dumps(one)
    for _ in range(12):
        series.sample()
    last = series.since(12)[0]
    assert last["number"] == 13 and last["segments"] == 0 and last["batch"] is None
    assert last["first_p50"] is None and last["audio"] == 0, "a minute later it is forgotten"


def test_failures_are_those_of_the_step_and_a_callers_mistakes_are_none() -> None:
    metrics = Metrics()
    series = Series(metrics, lambda: STATUS)
    for error in (EngineFailed("engine_failed", reason="x"), Overloaded("rate_limited", retry_after=1)):
        account = Account("me", "", 1)
        account.close(error)
        metrics.ended(account)
    account = Account("me", "", 1)
    account.close(Invalid("empty_text", param="input"))
    metrics.ended(account)
    series.sample()
    series.sample()
    first, second = series.since(0)
    assert (first["failed"], first["refused"], second["failed"], second["refused"]) == (1, 1, 0, 0)


def test_only_a_quarter_of_an_hour_is_kept() -> None:
    series = Series(Metrics(), lambda: replace(STATUS, backends=()))
    for _ in range(KEPT + 20):
        series.sample()
    assert [one["number"] for one in series.since(0)] == list(range(21, KEPT + 21))
    assert KEPT * STEP == 15 * 60 and series.since(KEPT + 20) == []


def test_a_quantile_is_prometheus_s() -> None:
    buckets = {0.1: 10.0, 0.5: 30.0, 1.0: 40.0, float("inf"): 40.0}
    assert quantile(buckets, 0.5) == pytest.approx(0.3)
    assert quantile(buckets, 0.95) == pytest.approx(0.9)
    assert quantile({0.1: 0.0, float("inf"): 4.0}, 0.5) == 0.1
    assert quantile({}, 0.5) is None and quantile({0.1: 0.0, float("inf"): 0.0}, 0.5) is None


def test_troubles_are_counted_by_kind_and_bounded() -> None:
    clock = iter(range(1_000))
    troubles = Troubles(lambda: float(next(clock)))
    troubles.note(Invalid("empty_text", param="input"))
    assert troubles.latest() == []
    for reason in ("one", "two"):
        troubles.note(EngineFailed("engine_failed", reason=reason), "tone", f"req-{reason}")
    (one,) = troubles.latest()
    assert (one.count, one.first, one.last, one.request) == (2, 0.0, 1.0, "req-two")
    assert "two" in one.message and "合成" in one.message_zh
    for number in range(MOST + 5):
        troubles.note(EngineFailed("engine_failed", reason="x"), f"engine-{number}")
    assert len(troubles.latest()) == MOST and troubles.latest()[0].engine == f"engine-{MOST + 4}"
