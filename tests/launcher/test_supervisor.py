"""Supervision: a crash is mended, a crash loop is given up, a hung server is replaced."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest

from launcher.policy import Backoff, Policy
from launcher.state import FINAL, TABLE, Event, State, after

from .conftest import Launch, finish, wait_for


def test_a_killed_server_is_restarted_on_the_same_socket(launch: Launch) -> None:
    first = launch.start()["pid"]
    os.kill(first, signal.SIGKILL)
    second = launch.ask()["pid"]  # connects at once: the socket is the supervisor's, and never closed
    assert second != first
    status = wait_for("it is ready again", lambda: (s := launch.status())["ready"] and s)
    assert status["restarts"] == 1 and status["generation"] == 2
    assert "out of memory" in launch.log()


def test_a_server_that_dies_again_and_again_is_given_up_with_its_last_words(launch: Launch) -> None:
    launch.behaviour = "die-9"
    child = launch.spawn("run")
    finish(child, 9)
    status = launch.json("status", code=1)
    assert status["state"] == "FATAL" and "4 times" in status["reason"]
    assert any("die-9" in line for line in status["log_tail"])
    launch.gone()


def test_an_orderly_end_is_not_restarted(launch: Launch) -> None:
    launch.behaviour = "die-0"
    child = launch.spawn("run")
    finish(child, 0)
    assert launch.json("status", code=3)["state"] == "EXITED"


@pytest.mark.parametrize("behaviour", ["silent", "no-hello"])
def test_a_silent_server_is_dumped_killed_and_replaced(launch: Launch, behaviour: str) -> None:
    launch.behaviour, launch.policy["hello"] = behaviour, 1.5
    child = launch.spawn("run")
    wait_for("a second generation", lambda: launch.status()["generation"] >= 2)
    assert "no sign of life" in launch.log()
    assert (
        "Fatal Python error: Aborted" in launch.instance.server_log.read_text()
    )  # the stacks of all threads
    child.send_signal(signal.SIGQUIT)
    finish(child, 0)


def test_a_stopped_server_is_killed_and_replaced(launch: Launch) -> None:
    first = launch.start()["pid"]
    os.kill(first, signal.SIGSTOP)
    wait_for("a new server", lambda: launch.status()["server_pid"] not in (first, None))
    assert wait_for("ready", lambda: launch.status()["ready"])


def test_a_supervisor_that_was_frozen_does_not_blame_the_server(launch: Launch) -> None:
    first = launch.start()
    os.kill(first["supervisor_pid"], signal.SIGSTOP)
    time.sleep(launch.policy["silence"] + 0.5)
    os.kill(first["supervisor_pid"], signal.SIGCONT)
    time.sleep(0.5)
    assert launch.ask()["pid"] == first["pid"] and launch.status()["generation"] == 1


def test_a_crash_during_a_stop_starts_nothing(launch: Launch) -> None:
    launch.behaviour = "busy"
    launch.start("--drain-timeout", "30")
    server = launch.status()["server_pid"]
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    os.kill(server, signal.SIGKILL)
    finish(child, 0)
    assert launch.log().count("started (generation") == 1


def test_deleted_files_of_a_running_instance_come_back(launch: Launch) -> None:
    pid = launch.start()["pid"]
    launch.instance.state.unlink()
    launch.instance.pidfile.unlink()
    assert launch.json("status")["code"] == 0
    wait_for(
        "the files are back", lambda: launch.instance.state.exists() and launch.instance.pidfile.exists()
    )
    assert launch.start()["pid"] == pid
    launch("stop")
    launch.gone(0.5)


def test_a_run_folder_deleted_whole_still_leaves_the_instance_in_charge(launch: Launch) -> None:
    first = launch.start()
    shutil.rmtree(launch.instance.run)
    assert launch.json("status")["supervisor_pid"] == first["supervisor_pid"]
    assert launch.json("stop")["stopped"]
    launch.gone(0.5)


def test_no_state_leaves_a_final_state_and_every_other_can_be_stopped() -> None:
    for state in State:
        if state in FINAL:
            assert all(after(state, event) == state for event in Event)
        elif state != State.STOPPING:
            assert TABLE[state, Event.STOP] == State.STOPPING
    assert set(TABLE.values()) == set(State)


def test_back_off_grows_to_its_cap_and_gives_up() -> None:
    policy = Policy(base=1, factor=2, cap=5, jitter=0, deaths=6, window=100, stable=60)
    backoff = Backoff(policy, ever_ready=True)
    assert [backoff.died(now, 0) for now in range(6)] == [1, 2, 4, 5, 5, None]


def test_back_off_forgets_after_a_stable_time_and_outside_the_window() -> None:
    backoff = Backoff(Policy(base=1, jitter=0, deaths=3, window=50, stable=60), ever_ready=True)
    assert [backoff.died(now, 0) for now in (0, 1)] == [1, 2]
    assert backoff.died(2, 61) == 1, "it served for a minute: a new count"
    assert backoff.died(100, 10) == 1, "the others are out of the window"
    assert backoff.died(101, 10) == 2 and backoff.died(102, 10) is None, (
        "ready, but never for long: a slow loop"
    )


def test_jitter_stays_in_its_share() -> None:
    policy = Policy(base=1, jitter=0.25)
    delays = [Backoff(policy, ever_ready=True).died(0, 0) for _ in range(200)]
    assert all(0.75 <= delay <= 1.25 for delay in delays if delay is not None) and len(set(delays)) > 100
