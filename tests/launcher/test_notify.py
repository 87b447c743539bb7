"""systemd's protocol, against a datagram socket that plays systemd."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.identity import Identity

from .conftest import Launch, finish, wait_for
from .test_graceful import Team


class Systemd:
    """A notification socket; what came is kept, oldest first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def listen(self) -> list[str]:
        """All lines so far."""
        while True:
            try:
                self.heard += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def count(self, line: str) -> int:
        """How often it came."""
        return self.listen().count(line)

    def has(self, start: str) -> bool:
        """Whether a line that begins so has come."""
        return any(line.startswith(start) for line in self.listen())

    def close(self) -> None:
        """The end."""
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """With a socket file."""
    played = Systemd(str(tmp_path / "notify"))
    yield played
    played.close()


def _under(launch: Launch, systemd: Systemd, **more: str) -> Launch:
    launch.environ = {**launch.environ, "NOTIFY_SOCKET": systemd.address, **more}
    return launch


@pytest.mark.fault(84)
def test_a_unit_hears_how_it_loads_that_it_is_ready_and_that_it_stops(
    launch: Launch, systemd: Systemd
) -> None:
    launch.behaviour = "slow"
    child = _under(launch, systemd).spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    before = systemd.heard[: systemd.heard.index("READY=1")]
    assert "EXTEND_TIMEOUT_USEC=30000000" in before
    assert sum(line.startswith("STATUS=Loading ") for line in before) > 5, "in words, as it goes on"
    assert any(line.endswith("part 7") for line in before)
    assert launch.status()["ready"] and systemd.has("STATUS=Ready: http://127.0.0.1:")
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)
    assert systemd.count("STOPPING=1") == 1 and systemd.count("READY=1") == 1
    assert not systemd.has("WATCHDOG=1"), "nobody asked for it"


@pytest.mark.slow
@pytest.mark.fault(84)
def test_the_watchdog_hears_of_a_healthy_server_and_not_of_a_hung_one(
    launch: Launch, systemd: Systemd
) -> None:
    launch.policy |= {"dump": 3}
    child = _under(launch, systemd, WATCHDOG_USEC="400000").spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    before = systemd.count("WATCHDOG=1")
    wait_for("five signs of life", lambda: systemd.count("WATCHDOG=1") >= before + 5)
    server = launch.status()["server_pid"]
    os.kill(server, signal.SIGSTOP)
    wait_for("it is seen to hang", lambda: "no sign of life" in launch.log())
    hung = systemd.count("WATCHDOG=1")
    time.sleep(1)
    assert systemd.count("WATCHDOG=1") <= hung + 1
    wait_for("it is replaced", lambda: launch.status()["server_pid"] not in (server, None))
    wait_for("and heard of again", lambda: systemd.count("WATCHDOG=1") > hung + 2)
    assert systemd.count("READY=1") == 1, "a crash does not take the unit down"
    os.kill(child.pid, signal.SIGQUIT)
    finish(child, 0)


@pytest.mark.fault(84)
def test_a_socket_that_is_in_no_file_system_is_spoken_to(launch: Launch) -> None:
    systemd = Systemd(f"@tts-launch-test-{os.getpid()}")
    child = _under(launch, systemd).spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)
    systemd.close()


@pytest.mark.fault(84)
def test_a_watchdog_meant_for_another_process_is_none_of_ours(launch: Launch, systemd: Systemd) -> None:
    child = _under(launch, systemd, WATCHDOG_USEC="100000", WATCHDOG_PID="1").spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    time.sleep(0.5)
    assert not systemd.has("WATCHDOG=1")
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)


@pytest.mark.fault(84)
def test_the_servers_environment_knows_nothing_of_systemd(launch: Launch, systemd: Systemd) -> None:
    child = _under(launch, systemd, WATCHDOG_USEC="60000000").spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    environ = Path(f"/proc/{launch.status()['server_pid']}/environ").read_bytes()
    assert b"NOTIFY_SOCKET" not in environ and b"WATCHDOG" not in environ
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)


def test_a_graceful_restart_is_a_reload(launch: Launch, systemd: Systemd) -> None:
    team = Team(launch.home, launch.port, "good,slow")
    child = _under(team, systemd).spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    began = time.monotonic()
    team("restart", "--graceful")
    wait_for("READY again", lambda: systemd.count("READY=1") == 2)
    reloading = systemd.heard.index("RELOADING=1")
    microseconds = int(systemd.heard[reloading + 1].removeprefix("MONOTONIC_USEC="))
    assert began <= microseconds / 1e6 <= time.monotonic()
    assert "EXTEND_TIMEOUT_USEC=30000000" in systemd.heard[reloading:]
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)


def test_a_reload_that_fails_ends_too(launch: Launch, systemd: Systemd) -> None:
    team = Team(launch.home, launch.port, "good,exit-78")
    child = _under(team, systemd).spawn("run")
    wait_for("READY", lambda: systemd.count("READY=1"))
    team("restart", "--graceful", code=6)
    wait_for("READY again", lambda: systemd.count("READY=1") == 2)
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)


@pytest.mark.fault(84)
@pytest.mark.parametrize(
    "address", ["/nowhere/notify", "nonsense", "vsock:2:1234", "@" + "x" * 300, "/" + "x" * 300, "@"]
)
def test_a_socket_that_is_not_there_is_ignored(launch: Launch, address: str) -> None:
    launch.environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2O0"}
    child = launch.spawn("run")
    wait_for("ready", lambda: launch.status()["ready"])
    os.kill(child.pid, signal.SIGTERM)
    assert "Traceback" not in finish(child, 0)


def test_a_full_socket_delays_and_does_not_block(launch: Launch, tmp_path: Path) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stuffing:
        stuffing.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                stuffing.sendto(b"x", systemd.address)
    child = _under(launch, systemd, WATCHDOG_USEC="200000").spawn("run")
    wait_for("ready all the same", lambda: launch.status()["ready"])
    wait_for("READY, once there is room", lambda: systemd.count("READY=1"))
    os.kill(child.pid, signal.SIGTERM)
    finish(child, 0)
    systemd.close()


def test_an_instance_that_start_detaches_does_not_speak_for_the_unit(
    launch: Launch, systemd: Systemd
) -> None:
    started = _under(launch, systemd).start()
    supervisor = Identity.of(started["supervisor_pid"])
    assert supervisor and not systemd.listen()
