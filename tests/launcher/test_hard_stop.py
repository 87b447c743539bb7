"""Stops against resistance: loads that hear nothing, broods, processes that even SIGKILL does not end."""

from __future__ import annotations

import os
import signal

import pytest

from launcher import state

from .conftest import QUICK, Launch, finish, wait_for
from .tools import patch

# SIGKILL that changes nothing, as for a process in state D; everything else works.
STUCK = """
import signal

send = signal.pidfd_send_signal
signal.pidfd_send_signal = lambda fd, number, *rest: None if number == signal.SIGKILL else send(fd, number, *rest)
"""


@pytest.mark.fault(43)
def test_a_load_that_hears_nothing_is_killed_after_its_bound(launch: Launch) -> None:
    launch.behaviour = "deaf-loading"
    start = launch.spawn("start")
    wait_for("the server loads", lambda: launch.status().get("fraction"))
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    assert not launch.status()["ready"]
    finish(child, 0)
    assert "killing the whole tree" in launch.log()
    finish(start, 1)
    launch.gone(3)


@pytest.mark.fault(49)
def test_more_signals_while_it_stops_change_nothing(launch: Launch) -> None:
    launch.behaviour = "family"
    supervisor = launch.start("--drain-timeout", "0.5")["supervisor_pid"]
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    for _ in range(5):
        os.kill(supervisor, signal.SIGTERM)
        os.kill(supervisor, signal.SIGHUP)
    finish(child, 0)
    launch.gone(3)
    assert launch.log().count("stopping (") == 1 and not launch.instance.state.exists()


@pytest.mark.fault(52)
def test_a_brood_that_forks_while_it_is_killed_is_ended(launch: Launch) -> None:
    launch.behaviour = "brood"
    launch.start("--drain-timeout", "0.2")
    before = launch.processes()
    wait_for("the brood renews itself", lambda: launch.processes() - before)
    launch("stop")
    assert not launch.processes()
    launch("status", code=3)


@pytest.mark.fault(53)
def test_what_sigkill_does_not_end_is_named_and_its_files_stay(launch: Launch) -> None:
    launch.behaviour, launch.policy = "stuck", {**QUICK, "kill": 0.3, "leftovers": 0.1, "term": 0.2}
    patch(launch, STUCK)
    server = launch.start("--drain-timeout", "0.2")["pid"]
    try:
        said = launch("stop", code=1)
        assert str(server) in said and "state D" in said
        assert f"pid {server} does not end" in launch.log()
        record = state.read(launch.instance.state)
        assert record and record.server and record.server.pid == server
        assert launch.instance.pidfile.exists()
        launch("status", code=1)
        assert str(server) in launch("start", code=1), "nor is a second server started beside it"
    finally:
        launch.environ.clear()
    launch("stop")
    launch.gone(3)
