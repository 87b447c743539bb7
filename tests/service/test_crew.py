"""What the workers of this machine are started with."""

from __future__ import annotations

import pytest

from index_tts_ui.config import Config
from index_tts_ui.crew import plans


@pytest.mark.parametrize(
    ("engine", "device", "own", "threads"),
    [
        ("indextts2.5", "cpu", None, None),  # all there are
        ("indextts2.5", "cuda:0", None, "1"),
        ("kokoro", "cpu", None, "1"),  # its sessions have threads of their own
        ("indextts2.5", "cpu", "3", "3"),
        ("indextts2.5", "cuda:0", "3", "3"),
    ],
)
def test_a_model_on_the_processor_may_have_all_of_it(
    monkeypatch: pytest.MonkeyPatch, engine: str, device: str, own: str | None, threads: str | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if own is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", own)
    (plan,) = plans(Config(device=device), engine, None)
    assert plan.environ.get("OMP_NUM_THREADS") == threads
