"""Whether a first sentence may be longer in a crowd."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui.backend import Backend
from index_tts_ui.pool import WorkerPool
from index_tts_ui.scheduler import Limits, Scheduler
from index_tts_ui.speech import SpeechRequest

TEXT = "邻居轻轻打开院子里的树，妹妹悄悄记下桌上的茶。"


def _backend(engine: str) -> Backend:
    scheduler = Scheduler(Limits(10, 10, 10))
    return Backend(engine, Path("nowhere"), scheduler, WorkerPool(scheduler, []))


def _pieces(backend: Backend, hurried: bool) -> list[str]:
    return [piece.text for piece in backend.split(SpeechRequest(text=TEXT), {"": "zh-CN"}, hurried)]


def test_it_may_where_the_engine_has_no_seeds() -> None:
    backend = _backend("kokoro")
    assert _pieces(backend, hurried=True) == ["邻居轻轻打开院子里的树，", "妹妹悄悄记下桌上的茶。"]
    assert _pieces(backend, hurried=False) == [TEXT]


@pytest.mark.parametrize("engine", ["voxcpm1.5", "tone"])
def test_the_same_seed_is_cut_the_same_whoever_else_waits(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = _backend(engine)
    kokoro = _backend("kokoro")
    monkeypatch.setattr(backend, "frontend", kokoro.frontend)
    assert _pieces(backend, hurried=False) == _pieces(backend, hurried=True) == _pieces(kokoro, hurried=True)
