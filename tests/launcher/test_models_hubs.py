"""Two hubs and several files at once: the faster hub is preferred, one failure stops all, nothing half stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher import catalogue, models
from launcher.errors import Failed
from launcher.models import Wish

from . import weights
from .hub import Hub, serving
from .test_models_fetch import MODEL, REPO, repositories

AGREED = Wish(accepted=True)


@dataclass
class Hubs:
    """Both, with everything on each."""

    hub: Hub
    modelscope: Hub

    def came_from(self, name: str) -> list[str]:
        """Which hubs were asked for the bytes of a file to the end, apart from comparing."""
        both = {"hub": self.hub, "modelscope": self.modelscope}
        return [
            kind
            for kind, one in both.items()
            for path, part in one.requests
            if path.endswith(name) and not part
        ]


@pytest.fixture
def hubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hubs]:
    """Each on a port of its own."""
    theirs = repositories(MODEL, "modelscope") | {
        f"{REPO}/hf_cache/bigvgan/{name}": weights.MADE[kind]()
        for name, kind in (("config.json", "json"), ("bigvgan_generator.pt", "torch"))
    }
    with (
        serving(Hub(repositories(MODEL), lists=("hub",))) as hub,
        serving(Hub(theirs, lists=("modelscope",))) as scope,
    ):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("MODELSCOPE_DOMAIN", scope.url)
        monkeypatch.setattr("launcher.download.PAUSE", 0.01)
        monkeypatch.setattr("launcher.sources.COMPARE_SECONDS", 1.0)
        yield Hubs(hub, scope)


@pytest.mark.parametrize("slow", ["hub", "modelscope"])
def test_the_faster_hub_is_asked_first(
    hubs: Hubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    monkeypatch.setattr("launcher.sources.COMPARE_FROM", 0)
    getattr(hubs, slow).rate = 4000
    fast = {"hub": "modelscope", "modelscope": "hub"}[slow]
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []
    assert [hubs.came_from(name) for name in ("gpt.pth", "codec.pth")] == [[fast], [fast]]


def test_a_named_source_and_a_small_fetch_compare_nothing(
    hubs: Hubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.fetch(tmp_path / "small", MODEL, AGREED)
    monkeypatch.setattr("launcher.sources.COMPARE_FROM", 0)
    models.fetch(tmp_path / "named", MODEL, Wish("hub", True))
    assert not hubs.modelscope.requests and not [part for _, part in hubs.hub.requests if part]


def test_a_hub_that_does_not_answer_when_compared_is_the_slower_one(
    hubs: Hubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setattr("launcher.sources.COMPARE_FROM", 0)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port}")
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.is_ready(tmp_path, MODEL) and not hubs.hub.requests


@pytest.mark.parametrize("status", [403, 500])
def test_what_one_hub_refuses_the_other_gives(hubs: Hubs, tmp_path: Path, status: int) -> None:
    hubs.hub.faults = [status] * 200
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []
    assert "modelscope" in hubs.came_from("gpt.pth")


def test_files_come_several_at_once(hubs: Hubs, tmp_path: Path) -> None:
    hubs.hub.gate = threading.Barrier(3)  # breaks, and fails the requests, unless three are there together
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []
    assert not hubs.hub.gate and not hubs.modelscope.requests


def test_progress_never_falls_and_ends_with_all_bytes(hubs: Hubs, tmp_path: Path) -> None:
    seen: list[int] = []
    totals: list[int] = []
    models.fetch(
        tmp_path,
        MODEL,
        Wish(accepted=True, progress=lambda have, what: seen.append(have), on_total=totals.append),
    )
    assert seen == sorted(seen) and seen[-1] == totals[-1] > 0


def test_one_failure_stops_the_others_and_the_next_fetch_mends_it(hubs: Hubs, tmp_path: Path) -> None:
    for one in (hubs.hub, hubs.modelscope):
        del one.files[f"{REPO}/s2mel.pth"]
    with pytest.raises(Failed, match=r"s2mel\.pth"):
        models.fetch(tmp_path, MODEL, AGREED)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fetch-")]
    assert not models.is_ready(tmp_path, MODEL)
    assert not list((tmp_path / MODEL).rglob("*.hub")), "nothing half is in the model's folder"
    body = next(weights.content(file) for file in catalogue.load(MODEL).files if file.name == "s2mel.pth")
    hubs.hub.files[f"{REPO}/s2mel.pth"] = body
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []


def test_a_hub_that_dies_half_way_is_gone_on_with_later(hubs: Hubs, tmp_path: Path) -> None:
    hubs.modelscope.faults = [500] * 500
    hubs.hub.faults = ["half", "half", *[503] * 500]
    with pytest.raises(Failed):
        models.fetch(tmp_path, MODEL, AGREED)
    hubs.hub.faults.clear()
    hubs.hub.requests.clear()
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []
    assert [part for _, part in hubs.hub.requests if part.startswith("bytes=")], "from where it was"
