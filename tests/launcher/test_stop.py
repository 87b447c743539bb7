"""Stopping: drained, then pressed harder step by step, until nothing of the tree is left."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launcher import identity
from launcher.tree import descendants

from .conftest import Launch, finish, wait_for


@pytest.mark.fault(23)
def test_stop_drains_then_terminates_and_leaves_no_files(launch: Launch) -> None:
    launch.start()
    assert "Stopped" in launch("stop")
    assert "drained" in launch.log() and "killing" not in launch.log()
    assert sorted(path.name for path in launch.instance.run.iterdir()) == ["command.lock", "lock"]
    launch("status", code=3)


@pytest.mark.fault(1)
def test_stopping_what_does_not_run_is_fine(launch: Launch) -> None:
    assert "Not running" in launch("stop")


@pytest.mark.fault(47)
def test_a_server_that_ignores_everything_is_killed_but_not_before_its_time(launch: Launch) -> None:
    launch.behaviour = "deaf"
    launch.start("--drain-timeout", "0.3")
    began = time.monotonic()
    launch("stop")
    assert time.monotonic() - began > 0.3 + launch.policy["term"]
    assert "killing the whole tree" in launch.log()
    launch.gone(3)


def _sleepers(launch: Launch) -> set[int]:
    """Pids below the supervisor, whatever their session and environment."""
    return {item.pid for item in descendants([launch.status()["supervisor_pid"]])}


@pytest.mark.fault(50, 51)
def test_a_grandchild_in_its_own_session_ends_with_the_rest(launch: Launch) -> None:
    launch.behaviour = "family"
    launch.start("--drain-timeout", "0.2")
    members = wait_for("three generations", lambda: len(pids := _sleepers(launch)) >= 3 and pids)
    launch("stop")
    assert not [pid for pid in members if identity.Identity.of(pid)]


@pytest.mark.fault(51)
def test_an_orphan_without_marker_is_still_of_the_tree(launch: Launch) -> None:
    launch.behaviour = "orphan"
    launch.start("--drain-timeout", "0.2")
    server = launch.status()["server_pid"]

    def orphans() -> set[int]:
        supervisor = launch.status()["supervisor_pid"]
        return {
            s.pid
            for s in identity.processes()
            if s.parent == supervisor and s.pid != server and s.state != "Z"
        }

    orphan = wait_for("the orphan has come to the supervisor", orphans)
    launch("stop")
    assert not [pid for pid in orphan if identity.Identity.of(pid)]


@pytest.mark.fault(48)
def test_ctrl_c_makes_a_long_stop_quick(launch: Launch) -> None:
    launch.behaviour = "busy"
    launch.start("--drain-timeout", "60")
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    child.send_signal(signal.SIGINT)
    finish(child, 0)
    launch.gone(3)


def test_a_frozen_supervisor_is_ended_with_its_tree(launch: Launch) -> None:
    launch.behaviour = "family"
    launch.start()
    os.kill(launch.status()["supervisor_pid"], signal.SIGSTOP)
    launch("stop", "--force", seconds=40)
    launch.gone(3)


@pytest.mark.fault(61)
def test_the_tree_of_a_killed_supervisor_ends_within_seconds(launch: Launch) -> None:
    launch.start()
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    launch.gone(5)
    assert launch.json("status", code=1)["state"] == "DEAD"
    assert launch.start()["ended_leftovers"] == []


@pytest.mark.fault(26)
def test_leftovers_of_a_dead_supervisor_are_ended_before_a_start(launch: Launch) -> None:
    launch.behaviour = "family"
    launch.start()
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    wait_for("the server has noticed", lambda: launch.status()["state"] == "DEAD")
    before = launch.processes()
    assert before, "the stubborn grandchild is left"
    launch.behaviour = "normal"
    assert set(launch.start()["ended_leftovers"]) & before
    assert not before & launch.processes()


@pytest.mark.fault(60, 61)
def test_stop_finishes_what_a_killed_supervisor_left(launch: Launch) -> None:
    launch.behaviour = "family"
    launch.start()
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    launch("stop")
    launch.gone(3)
    launch("status", code=3)


@pytest.mark.fault(26)
def test_a_process_that_only_holds_the_lock_is_ours_too(launch: Launch) -> None:
    """A worker that lost its environment: the inherited lock reveals it, and the next start waits for no one."""
    launch.start()
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    launch.gone(5)
    held = os.open(launch.instance.lock, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={}, pass_fds=(held,))
    os.close(held)
    assert launch.start()["ended_leftovers"] == [holder.pid]
    assert holder.wait(timeout=5) == -signal.SIGTERM


def test_foreground_run_stops_on_sigterm_with_0(launch: Launch) -> None:
    child = launch.spawn("run")
    wait_for("it is ready", lambda: launch.status()["ready"])
    child.terminate()
    finish(child, 0)
    launch.gone(3)


@pytest.mark.fault(48, 49)
def test_foreground_run_stops_at_once_on_the_second_ctrl_c(launch: Launch) -> None:
    launch.behaviour = "busy"
    child = launch.spawn("run", "--drain-timeout", "60")
    wait_for("it is ready", lambda: launch.status()["ready"])
    child.send_signal(signal.SIGINT)
    wait_for("it drains", lambda: launch.status()["state"] == "STOPPING")
    child.send_signal(signal.SIGTERM)  # a TERM in between changes nothing
    child.send_signal(signal.SIGINT)
    finish(child, 0)
    launch.gone(3)


def test_foreground_run_refuses_a_second_supervisor(launch: Launch) -> None:
    pid = launch.start()["supervisor_pid"]
    assert str(pid) in launch("run", code=1)


def test_run_ends_with_78_where_the_server_does(launch: Launch) -> None:
    launch.behaviour = "exit-78"
    launch("run", code=78)


@pytest.mark.fault(81)
def test_the_supervisor_works_as_pid_1(launch: Launch) -> None:
    """In a pid namespace of its own, as in a container: TERM ends it, orphans are reaped, the code is 0."""
    unshare = shutil.which("unshare")
    probe = [unshare, "--pid", "--fork", "--kill-child", "--mount-proc", "true"]
    if not unshare or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("unshare needs root or user namespaces")
    launch.behaviour = "orphan"
    argv = [unshare, "--pid", "--fork", "--mount-proc", sys.executable, "-P", "-m", "launcher", "run"]
    child = subprocess.Popen([*argv, "--drain-timeout", "0.2"], env=launch.env(), cwd=launch.home, text=True)
    record = Path(launch.instance.state)
    wait_for("it is ready", lambda: record.exists() and '"ready": true' in record.read_text())
    inner = next(s.pid for s in identity.processes() if s.parent == child.pid)
    os.kill(inner, signal.SIGTERM)
    finish(child, 0)
