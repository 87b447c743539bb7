"""The port: never shared unseen, never stolen unseen, and our own leftovers on it are ended."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

import pytest

from launcher import ports
from launcher.errors import Failed
from launcher.options import Settings

from .conftest import Launch, finish, wait_for
from .tools import AS_NOBODY, need


@pytest.mark.fault(31)
def test_nobody_can_share_the_port_unseen(launch: Launch) -> None:
    launch.start()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError):
            thief.bind(("127.0.0.1", launch.port))
    with ports.bind("127.0.0.1", 0) as ours:
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


@pytest.mark.fault(31)
def test_a_port_that_others_offer_to_share_is_taken_all_the_same(free_port: int) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(Failed, match="in use"):
            ports.check_free("127.0.0.1", free_port)


@pytest.mark.fault(32)
def test_the_server_is_always_told_its_port(launch: Launch) -> None:
    """Without one a page server would look for a free port by itself."""
    assert Settings(launch.instance).flags()[4:8] == ["--host", "127.0.0.1", "--port", "7860"]
    launch.start()
    argv = launch.ask()["argv"]
    assert argv[argv.index("--port") + 1] == str(launch.port)


@pytest.mark.fault(26)
def test_our_own_leftover_on_the_port_is_ended_first(launch: Launch) -> None:
    """A child of the server has inherited the socket, and does not notice that all others are gone."""
    launch.behaviour = "twin"
    first = launch.start()
    twin = launch.processes() - {first["pid"]}
    os.kill(first["supervisor_pid"], signal.SIGKILL)
    wait_for("only the twin is left", lambda: launch.processes() == twin)
    with pytest.raises(Failed, match="in use"):
        ports.check_free("127.0.0.1", launch.port)
    launch.behaviour = "normal"
    second = launch.start()
    assert set(second["ended_leftovers"]) == twin and launch.ask()["pid"] == second["pid"]


@pytest.mark.fault(30)
def test_a_port_stolen_after_the_look_is_a_failed_start_without_a_loop(launch: Launch) -> None:
    """The look and the bind are in two processes: the thief comes when the second is born."""
    stolen = threading.Event()

    def steal() -> None:
        deadline = time.monotonic() + 20
        while not launch.instance.launcher_log.exists():  # opened for the supervisor, after the look
            if time.monotonic() > deadline:
                return
        with socket.create_server(("127.0.0.1", launch.port)):
            stolen.set()
            done.wait(30)

    done = threading.Event()
    thief = threading.Thread(target=steal)
    thief.start()
    said = finish(launch.spawn("start"), 1)
    done.set()
    thief.join()
    assert stolen.is_set() and f"Port {launch.port} is in use" in said
    assert "started (generation" not in launch.log() and not launch.processes()


@pytest.mark.fault(27)
def test_an_owner_that_cannot_be_seen_is_another_user(launch: Launch) -> None:
    launch.prefix = need(AS_NOBODY)
    launch.instance.prepare()
    for folder in (launch.home, launch.instance.run, launch.instance.logs):
        folder.chmod(0o777)
    with socket.create_server(("127.0.0.1", launch.port)):
        assert "in use by a process of another user" in launch("start", code=1)


@pytest.mark.fault(27)
def test_a_system_that_shows_no_owners_at_all_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    def denied(kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(Failed, match="another user"):
        ports.check_free("127.0.0.1", holder.getsockname()[1])
