"""A real service moves: saved under load, put back elsewhere, and it serves the same."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..access.conftest import upload
from ..api.server import free_port, until
from ..launcher.conftest import QUICK, Launch

ENGINE = "tone-clone"


def instance(home: Path) -> Launch:
    """The real server under the real supervisor."""
    home.mkdir()
    environ = {"TTS_SERVER_COMMAND": "", "TTS_NO_PAGE": "on", "TTS_RATE": "off"}
    policy = {**QUICK, "silence": 30, "term": 5}
    return Launch(home, free_port(), environ=environ, policy=policy, engine=ENGINE)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Launch]:
    """The instance that is saved."""
    launch = instance(tmp_path / "old")
    yield launch
    launch.clean_up()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Launch]:
    """Where it moves to."""
    launch = instance(tmp_path / "新 home")
    yield launch
    launch.clean_up()


def client(launch: Launch, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{launch.port}", headers=headers, timeout=60)


def spoken(asking: httpx.Client, text: str, **more: Any) -> httpx.Response:
    body = {"model": "tts-1", "voice": "Anna", "input": text, "seed": 5, "response_format": "pcm", **more}
    answer = asking.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def seen(asking: httpx.Client) -> dict[str, Any]:
    """What must be the same afterwards."""
    get = {
        "voices": "/v1/audio/voices",
        "words": "/v1/audio/dictionary",
        "presets": "/v1/audio/presets",
        "history": "/v1/audio/history?favourite=true",
    }
    found = {name: asking.get(path).json() for name, path in get.items()}
    star = found["history"]["data"][0]["audio"]
    found["star"] = asking.get(star, params={"format": "pcm"}).content
    found["sound"] = spoken(asking, "The same sentence, wherever it is spoken.").content
    return found


@contextlib.contextmanager
def load(launch: Launch, key: str) -> Iterator[list[int]]:
    """Three callers, one after the other; yields the count of answers."""
    ends, answers = threading.Event(), [0]

    def ask() -> None:
        with client(launch, key) as asking:
            while not ends.is_set():
                spoken(asking, "One of many.", keep=True)
                answers[0] += 1

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: answers[0] > 3, "it is under load")
        yield answers
    finally:
        ends.set()
        for thread in threads:
            thread.join(60)


def fill(launch: Launch, key: str) -> None:
    with client(launch, key) as asking:
        server: Any = type("Where", (), {"url": f"http://127.0.0.1:{launch.port}"})
        upload(server, "Anna", {"Authorization": f"Bearer {key}"}, shared="true")
        assert (
            asking.post("/v1/audio/dictionary", json={"word": "NVMe", "said": "N V M E"}).status_code == 201
        )
        preset = {"name": "Slow", "settings": {"speed": 0.5}}
        assert asking.post("/v1/audio/presets", json=preset).status_code == 201
        spoken(asking, "A favourite.", keep=True)
        until(lambda: asking.get("/v1/audio/history").json()["data"], "it is in the history")
        entry = asking.get("/v1/audio/history").json()["data"][0]["id"]
        assert asking.patch(f"/v1/audio/history/{entry}", json={"favourite": True}).status_code == 200


@pytest.mark.slow
def test_a_service_moves_to_another_folder_and_serves_the_same(
    old: Launch, new: Launch, tmp_path: Path
) -> None:
    old.start()
    key = old.json("keys", "add", "anna", "--roles", "speak,voices,admin")["key"]
    fill(old, key)
    path = tmp_path / "backup.zip"
    with client(old, key) as asking, load(old, key) as answers:
        made = old.json("backup", str(path))
        before, done = seen(asking), answers[0]
        until(lambda: answers[0] > done, "it goes on serving")
    assert {name for name, count in made["files"].items() if count} >= {
        *("usage", "history", "dictionary", "voices", "sounds", "keys"),
    }
    assert "runs in" in old("restore", str(path), "--replace", code=1)
    used = sum(row["requests"] for row in old.json("usage")["usage"])
    old("stop")
    shutil.rmtree(old.home)  # nothing may still be read from there
    old.home.mkdir()

    assert "whole" in new("restore", str(path), "--check")
    assert not list(new.home.iterdir())
    new("restore", str(path))
    assert 0 < sum(row["requests"] for row in new.json("usage")["usage"]) <= used
    new.start()
    with client(new, key) as asking:
        assert seen(asking) == before
    with client(new, "tts_00000000_" + "x" * 43) as stranger:
        assert stranger.get("/v1/models").status_code == 401


@pytest.mark.slow
def test_a_server_that_was_started_by_hand_is_seen(new: Launch, tmp_path: Path) -> None:
    from ..api.server import serving

    (new.home / "tts.toml").write_text("rate = 'off'\n")
    new("backup", str(tmp_path / "b.zip"))
    with serving(new.home, "--engine", "tone", "--no-page") as server:
        said = new("restore", str(tmp_path / "b.zip"), "--replace", code=1)
        assert f"pid {server.process.pid}" in said
    new("restore", str(tmp_path / "b.zip"), "--replace")
