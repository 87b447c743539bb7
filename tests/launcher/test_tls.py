"""HTTPS through the launcher: start, status, probe, graceful restart and stop of the real server."""

from __future__ import annotations

import http.client
import ssl

import pytest

from launcher.probe import answers

from .conftest import QUICK, Launch

PATIENT = QUICK | {"silence": 15, "hello": 60, "dump": 2, "term": 8, "kill": 8, "orphans": 3}


def _asked(launch: Launch, path: str = "/readyz") -> int:
    """The status that a client gets who trusts the server's own certificate, and no other."""
    trust = ssl.create_default_context(cafile=str(launch.home / "tls" / "cert.pem"))
    connection = http.client.HTTPSConnection("127.0.0.1", launch.port, timeout=30, context=trust)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_a_start_with_tls_serves_https_and_every_command_knows_it(launch: Launch) -> None:
    launch.environ["TTS_SERVER_COMMAND"] = ""
    launch.policy = dict(PATIENT)
    started = launch.start("--tls", "auto", "--no-page")
    address = f"https://127.0.0.1:{launch.port}"
    assert started["address"] == address and launch.status()["address"] == address
    assert launch.status()["ready"] and _asked(launch) == 200
    assert answers("127.0.0.1", launch.port, https=True) == 200
    assert answers("127.0.0.1", launch.port) != 200
    found = {item["check"]: item for item in launch.json("doctor", code=None)["findings"]}
    assert "this instance's" in found["port"]["text"]
    launch("restart", "--graceful", seconds=120)
    assert launch.status()["generation"] == 2 and _asked(launch) == 200
    assert launch.status()["address"] == address
    launch("stop")
    assert answers("127.0.0.1", launch.port, https=True) == 0
    launch.gone(3)
