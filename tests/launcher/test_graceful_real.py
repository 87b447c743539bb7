"""A graceful restart of the application itself, under load."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time

import pytest

from launcher import identity

from .conftest import QUICK, Launch, finish, wait_for
from .load import BODY, HEADERS, load

REAL = {"TTS_SERVER_COMMAND": ""}  # the application itself, with the test engine
PATIENT = QUICK | {"silence": 15, "hello": 60, "dump": 2, "term": 8, "kill": 8, "orphans": 3}


@pytest.fixture
def real(launch: Launch) -> Launch:
    """An instance of the application itself."""
    launch.environ.update(REAL)
    launch.policy = dict(PATIENT)
    return launch


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "given"),
    [
        ("--graceful", ()),
        ("--overlap", ()),
        ("--graceful", ("--device", "a,b", "--keep-alive", "0.02")),  # two workers that rest all the time
    ],
)
def test_two_restarts_under_twenty_requests_a_second_fail_none(
    real: Launch, flag: str, given: tuple[str, ...]
) -> None:
    first = real.start(*given)
    before = real.processes()
    with load(real.port, 20) as clients:
        wait_for("the clients are served", lambda: clients.done >= 20)
        for generation in (2, 3):
            real("restart", flag, seconds=120)
            status = real.status()
            assert status["generation"] == generation and status["ready"]
            reached = clients.done
            wait_for("the new server serves them", lambda: clients.done >= reached + 20, 30)  # noqa: B023
    print(
        f"{flag}: {clients.done} requests, longest {clients.longest:.2f} s, {clients.closed} kept ones closed"
    )
    assert clients.failures == []
    assert clients.closed >= 2, "kept connections were asked to reconnect"
    assert status["supervisor_pid"] == first["supervisor_pid"] and status["restarts"] == 0
    left = {pid for pid in before & real.processes() if identity.Identity.of(pid)}
    assert not left, f"of the first server there is still {left}"
    assert real.log().count(", 0 cancelled") >= 2
    os.kill(status["server_pid"], 0)


@pytest.mark.slow
def test_a_long_answer_to_a_slow_reader_is_whole_when_the_server_hands_over(real: Launch) -> None:
    real.start("--engine-options", "step_ms=10", "--max-text", "20000")
    text = "A sentence of some length. " * 12
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", real.port, timeout=60)) as connection:
        body = {**json.loads(BODY), "input": text, "response_format": "pcm"}
        connection.request("POST", "/v1/audio/speech", json.dumps(body), HEADERS)
        with connection.getresponse() as answer:
            size = len(answer.read(10_000))
            child = real.spawn("restart", "--graceful")
            wait_for("the old server hands over", lambda: "has left the socket" in real.log(), 60)
            while data := answer.read(40_000):
                size += len(data)
                time.sleep(0.05)
    finish(child, 0, 90)
    assert size >= len(text.replace(" ", "")) * 24_000 * 2 * 0.06 * 0.9, "every character was spoken"
    assert "drained, 0 cancelled" in real.log()
