"""Runs side by side: what comes while others run begins at once, and nothing is lost between steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures

import numpy as np
import pytest

from index_tts_ui.engines import runs
from index_tts_ui.engines.base import Result
from index_tts_ui.engines.runs import Run, Runs
from index_tts_ui.speech import Audio, Segment

SOON = 10.0


class Held(Runs):
    """Each run lasts until its gate is opened."""

    def __init__(self, rows: int) -> None:
        super().__init__("held", rows)
        self.gates: dict[str, threading.Event] = {}
        self.begun: dict[str, threading.Event] = {}

    def admit(self, segment: Segment) -> None:
        self.gates[segment.id], self.begun[segment.id] = threading.Event(), threading.Event()
        super().admit(segment)

    def _speak(self, run: Run) -> Result | None:
        self.begun[run.segment.id].set()
        assert self.gates[run.segment.id].wait(SOON)
        return self._made(run, Audio(24_000, np.zeros(10, np.float32)))


def _segment(name: str) -> Segment:
    return Segment(f"{name}/0", name, name, 1, "en", ())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[futures.ThreadPoolExecutor]:
    """Somebody who steps, while a step that nobody ends waits longer than the test."""
    monkeypatch.setattr(runs, "STEP_SECONDS", 10 * SOON)
    with futures.ThreadPoolExecutor(1) as stepping:
        yield stepping


def test_a_nudged_step_lets_the_next_segment_begin_beside_the_first(
    patient: futures.ThreadPoolExecutor,
) -> None:
    engine = Held(2)
    engine.admit(_segment("a"))
    waits = patient.submit(engine.step)
    assert engine.begun["a/0"].wait(SOON) and not waits.done()
    engine.admit(_segment("b"))
    engine.nudge()
    assert waits.result(SOON) == []
    waits = patient.submit(engine.step)
    assert engine.begun["b/0"].wait(SOON)
    engine.gates["b/0"].set()
    assert [one.segment_id for one in waits.result(SOON)] == ["b/0"]
    waits = patient.submit(engine.step)
    engine.gates["a/0"].set()
    assert [one.segment_id for one in waits.result(SOON)] == ["a/0"]
    assert not engine.busy() and engine.free() == 2


def test_a_nudge_before_the_step_is_not_lost(patient: futures.ThreadPoolExecutor) -> None:
    engine = Held(1)
    engine.admit(_segment("a"))
    engine.nudge()
    assert patient.submit(engine.step).result(SOON) == []
    engine.gates["a/0"].set()
    waits = patient.submit(engine.step)
    assert [one.segment_id for one in waits.result(SOON)] == ["a/0"]
