"""The real server under the real supervisor: what a stop does to requests that are under way."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import QUICK, Launch, finish, wait_for

CHARACTER_BYTES = 24_000 * 40 // 1000 * 2  # of 40 ms of 16-bit sound
HOUR = 3600.0


@pytest.fixture
def real(launch: Launch) -> Launch:
    """20 ms of work and 40 ms of sound for a character."""
    launch.environ = {"TTS_SERVER_COMMAND": "", "TTS_ENGINE_OPTIONS": "char_ms=40,step_ms=20"}
    launch.policy = {**QUICK, "silence": 30, "term": 5}
    return launch


class Request(threading.Thread):
    """One request for speech; ``sound`` and ``failed`` say what became of it."""

    def __init__(self, launch: Launch, text: str) -> None:
        super().__init__(daemon=True)
        self.sound = b""
        self.failed = ""
        self.begun = threading.Event()
        self._port = launch.port
        self._body = json.dumps({"model": "tone", "voice": "tone-a", "input": text, "response_format": "pcm"})
        self.start()

    def run(self) -> None:
        """See the class."""
        with _connection(self._port) as connection:
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/v1/audio/speech", self._body, headers)
                answer = connection.getresponse()
                self.begun.set()
                self.sound = answer.read()
                assert answer.status == 200, self.sound
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed = repr(error)


@contextmanager
def _connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def _status(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _is_running(launch: Launch) -> bool:
    with _connection(launch.port) as connection:
        connection.request("GET", "/v1/status")
        return bool(json.loads(connection.getresponse().read())["running"])


@pytest.mark.fault(39, 44, 46)
def test_a_stop_lets_a_request_finish_and_waits_for_no_idle_client(real: Launch) -> None:
    real.start("--drain-timeout", "30")
    with _connection(real.port) as idle, _connection(real.port) as stream:
        assert _status(idle, "/readyz") == 200  # this connection stays open
        stream.request("GET", "/gradio_api/heartbeat/nobody")  # events for as long as the page is open
        assert stream.getresponse().status == 200
        request = Request(real, "bcdfghjk bcdfghjk bcdfghjk. " * 6)
        wait_for("it is spoken", lambda: _is_running(real))
        child = real.spawn("stop")
        wait_for("it is stopping", lambda: '"STOPPING"' in real.instance.state.read_text())
        wait_for("it takes nothing new", lambda: _status(idle, "/readyz") == 503)
        assert request.is_alive()
        assert not real.status()["ready"]
        refused = Request(real, "too late")
        finish(child, 0)
        request.join(timeout=5)
        refused.join(timeout=5)
    assert not request.failed and len(request.sound) > 150 * CHARACTER_BYTES
    assert refused.failed
    assert "0 cancelled" in real.log() and "killing" not in real.log()
    real.gone(3)


@pytest.mark.slow
@pytest.mark.fault(45)
def test_a_request_that_outlasts_the_drain_is_cancelled_and_counted(real: Launch) -> None:
    real.environ["TTS_ENGINE_OPTIONS"] = "char_ms=40,step_ms=500"
    real.start("--drain-timeout", "0.5", "--timeout", str(HOUR))
    request = Request(real, "bcdfghjk " * 40)
    wait_for("it is spoken", lambda: _is_running(real))
    real("stop")
    request.join(timeout=10)
    assert not request.is_alive() and request.failed
    assert "1 cancelled" in real.log()
    real.gone(3)
