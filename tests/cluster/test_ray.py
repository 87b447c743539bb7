"""Ray Serve places the replicas: one machine, brought up and taken down by ``tts-launch cluster``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ..api.server import free_port
from .load import Load
from .ray_place import Machine, machines, until

pytestmark = pytest.mark.slow
SLOW = "step_ms=10,char_ms=5,ahead=0"


class Place:
    """The head, its front's address, its settings."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.settings = machine.configure(
            min_replicas=1,
            max_replicas=2,
            upscale_seconds=1,
            downscale_seconds=4,
            segments_per_replica=8,
        )
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def up(self) -> str:
        """tts-launch cluster up."""
        flags = ["--port", str(self.port), "--engine", "tone", "--engine-options", SLOW]
        flags += ["--max-batch-size", "4", "--no-page", "--rate", "off", "--queue-timeout", "120"]
        return self.machine.launch("cluster", "up", *flags)

    def states(self) -> list[str]:
        """Of the workers, as the front sees them."""
        workers = httpx.get(f"{self.url}/v1/status", timeout=20).json()["workers"]
        return [worker["state"] for worker in workers]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A cluster of this machine alone, shared by the module's tests."""
    machine = Machine(tmp_path_factory.mktemp("head"), "127.0.0.1")
    with machines(machine):
        made = Place(machine)
        made.up()
        yield made


def _status(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(machine.launch("cluster", "status", "--json").strip().splitlines()[-1])
    return found


def test_it_is_up_speaks_and_says_how_it_is(place: Place) -> None:
    until(lambda: place.states() == ["ready"], "the replica has joined", 90)
    status = _status(place.machine)
    assert status["status"] == "RUNNING" and status["replicas"] == {"RUNNING": 1}
    assert [node["alive"] for node in status["nodes"]] == [True]
    load = Load(place.url)
    load.start()
    until(lambda: load.served >= 3, "it speaks")
    load.over.set()
    load.join(60)
    assert not load.failed


def test_a_word_of_the_fronts_dictionary_is_heard_from_the_replica(place: Place) -> None:
    until(lambda: place.states() == ["ready"], "the replica has joined", 90)
    with httpx.Client(base_url=f"{place.url}/v1/audio", timeout=60) as client:

        def said(text: str) -> bytes:
            body = {"model": "tone", "input": text, "voice": "tone-a", "response_format": "pcm"}
            answer = client.post("/speech", json=body)
            assert answer.status_code == 200, answer.text
            return answer.content

        as_written, as_meant = said("The ox sits."), said("The ant sits.")
        made = client.post("/dictionary", json={"word": "ox", "said": "ant"})
        assert made.status_code == 201, made.text
        assert said("The ox sits.") == as_meant != as_written
        assert client.delete(f"/dictionary/{made.json()['id']}").status_code == 200
        assert said("The ox sits.") == as_written


def test_the_queue_brings_a_second_replica_and_its_end_takes_it_away(place: Place) -> None:
    users = [Load(place.url, "This is a sentence. " * 12) for _ in range(4)]
    for user in users:
        user.start()
    try:
        until(lambda: place.states() == ["ready", "ready"], "there are two", 90)
    finally:
        for user in users:
            user.over.set()
        for user in users:
            user.join(90)
    until(lambda: place.states() == ["ready"], "there is one again", 90)
    assert not [reason for user in users for reason in user.failed]


def test_a_killed_replica_costs_no_request_and_is_replaced_by_ray(place: Place) -> None:
    users = [Load(place.url) for _ in range(3)]
    for user in users:
        user.start()
    until(lambda: all(user.served for user in users), "they are served")
    (worker,) = place.machine.processes("index_tts_ui.worker")
    replica = worker.parent()
    replica.kill()
    before = [user.served for user in users]
    until(
        lambda: all(user.served > count + 2 for user, count in zip(users, before, strict=True)),
        "they are served again",
        90,
    )
    for user in users:
        user.over.set()
    for user in users:
        user.join(90)
    print(f"longest request, with the only replica killed: {max(user.longest for user in users):.1f} s")
    assert not [reason for user in users for reason in user.failed]


def test_up_again_changes_nothing_and_down_leaves_nothing(place: Place) -> None:
    place.up()
    until(lambda: place.states() == ["ready"], "it is still there")
    told = place.machine.launch("cluster", "down")
    assert "front, ray" in told
    with pytest.raises(httpx.ConnectError):
        httpx.get(place.url, timeout=5)
    assert not place.machine.processes("index_tts_ui.worker")
    assert "Nothing" in place.machine.launch("cluster", "down")
