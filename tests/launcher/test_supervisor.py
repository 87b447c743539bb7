"""Supervision: a crash is mended, a crash loop is given up, a hung server is replaced."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from launcher.identity import processes
from launcher.kernel import dying_with_parent
from launcher.policy import Backoff, Policy
from launcher.state import FINAL, TABLE, Event, State, after

from .conftest import SERVER, Launch, finish, wait_for


@pytest.mark.fault(66)
def test_a_killed_server_is_restarted_on_the_same_socket(launch: Launch) -> None:
    first = launch.start()["pid"]
    os.kill(first, signal.SIGKILL)
    second = launch.ask()["pid"]  # connects at once: the socket is the supervisor's, and never closed
    assert second != first
    status = wait_for("it is ready again", lambda: (s := launch.status())["ready"] and s)
    assert status["restarts"] == 1 and status["generation"] == 2
    assert "out of memory" in launch.log()


@pytest.mark.fault(63)
def test_a_server_that_dies_again_and_again_is_given_up_with_its_last_words(launch: Launch) -> None:
    launch.behaviour = "die-9"
    child = launch.spawn("run")
    finish(child, 9)
    status = launch.json("status", code=1)
    assert status["state"] == "FATAL" and "4 times" in status["reason"]
    assert any("die-9" in line for line in status["log_tail"])
    launch.gone()


@pytest.mark.fault(67)
def test_an_orderly_end_is_not_restarted(launch: Launch) -> None:
    launch.behaviour = "die-0"
    child = launch.spawn("run")
    finish(child, 0)
    assert launch.json("status", code=3)["state"] == "EXITED"


@pytest.mark.fault(68)
@pytest.mark.parametrize("behaviour", ["silent", "no-hello"])
def test_a_silent_server_is_dumped_killed_and_replaced(launch: Launch, behaviour: str) -> None:
    launch.behaviour, launch.policy["hello"] = behaviour, 1.5
    child = launch.spawn("run")
    wait_for("a second generation", lambda: launch.status()["generation"] >= 2)
    assert "no sign of life" in launch.log()
    # the stacks of all threads; a thread may still be writing between two of its words
    assert "Fatal Python error: " in launch.instance.server_log.read_text()
    child.send_signal(signal.SIGQUIT)
    finish(child, 0)


@pytest.mark.slow
@pytest.mark.fault(68)
def test_a_stopped_server_is_killed_and_replaced(launch: Launch) -> None:
    first = launch.start()["pid"]
    os.kill(first, signal.SIGSTOP)
    wait_for("a new server", lambda: launch.status()["server_pid"] not in (first, None))
    assert wait_for("ready", lambda: launch.status()["ready"])


@pytest.mark.slow
@pytest.mark.fault(69)
def test_a_supervisor_that_was_frozen_does_not_blame_the_server(launch: Launch) -> None:
    first = launch.start()
    os.kill(first["supervisor_pid"], signal.SIGSTOP)
    time.sleep(launch.policy["silence"] + 0.5)
    os.kill(first["supervisor_pid"], signal.SIGCONT)
    time.sleep(0.5)
    assert launch.ask()["pid"] == first["pid"] and launch.status()["generation"] == 1


@pytest.mark.fault(70)
def test_a_crash_during_a_stop_starts_nothing(launch: Launch) -> None:
    launch.behaviour = "busy"
    launch.start("--drain-timeout", "30")
    server = launch.status()["server_pid"]
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    os.kill(server, signal.SIGKILL)
    finish(child, 0)
    assert launch.log().count("started (generation") == 1


@pytest.mark.fault(11)
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
    launch.gone(3)


def test_a_run_folder_deleted_whole_still_leaves_the_instance_in_charge(launch: Launch) -> None:
    first = launch.start()
    shutil.rmtree(launch.instance.run)
    assert launch.json("status")["supervisor_pid"] == first["supervisor_pid"]
    assert launch.json("stop")["stopped"]
    launch.gone(3)


def test_no_state_leaves_a_final_state_and_every_other_can_be_stopped() -> None:
    for state in State:
        if state in FINAL:
            assert all(after(state, event) == state for event in Event)
        elif state != State.STOPPING:
            assert TABLE[state, Event.STOP] == State.STOPPING
    assert set(TABLE.values()) == set(State)


@pytest.mark.fault(63)
def test_back_off_grows_to_its_cap_and_gives_up() -> None:
    policy = Policy(base=1, factor=2, cap=5, jitter=0, deaths=6, window=100, stable=60)
    backoff = Backoff(policy, ever_ready=True)
    assert [backoff.died(now, 0) for now in range(6)] == [1, 2, 4, 5, 5, None]


@pytest.mark.fault(64, 65)
def test_back_off_forgets_after_a_stable_time_and_outside_the_window() -> None:
    backoff = Backoff(Policy(base=1, jitter=0, deaths=3, window=50, stable=60), ever_ready=True)
    assert [backoff.died(now, 0) for now in (0, 1)] == [1, 2]
    assert backoff.died(2, 61) == 1, "it served for a minute: a new count"
    assert backoff.died(100, 10) == 1, "the others are out of the window"
    assert backoff.died(101, 10) == 2 and backoff.died(102, 10) is None, (
        "ready, but never for long: a slow loop"
    )


@pytest.mark.fault(63)
def test_jitter_stays_in_its_share() -> None:
    policy = Policy(base=1, jitter=0.25)
    delays = [Backoff(policy, ever_ready=True).died(0, 0) for _ in range(200)]
    assert all(0.75 <= delay <= 1.25 for delay in delays if delay is not None) and len(set(delays)) > 100


@pytest.mark.fault(62)
def test_a_server_that_hears_nothing_dies_with_its_supervisor(launch: Launch) -> None:
    """Its channel's end would go unnoticed: the kernel ends it."""
    started = launch.start()
    os.kill(started["pid"], signal.SIGSTOP)
    os.kill(started["supervisor_pid"], signal.SIGKILL)
    launch.gone(5)


@pytest.mark.fault(62)
def test_a_child_whose_parent_is_gone_before_it_asks_ends_at_once() -> None:
    ask = dying_with_parent()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:  # its parent is not the one that was meant
            ask()
            os._exit(0)
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.fault(72)
def test_an_unknown_child_that_ends_is_reaped_and_ignored(launch: Launch) -> None:
    command = f'( (sleep 0.5; exit 3) & ) ; exec {sys.executable} {SERVER} normal "$@"'
    launch.environ["TTS_SERVER_COMMAND"] = shlex.join(["sh", "-c", command, "sh"])
    started = launch.start()

    def strangers() -> list[int]:
        return [
            stat.pid
            for stat in processes()
            if stat.parent == started["supervisor_pid"] and stat.pid != started["pid"]
        ]

    wait_for("the orphan has come", strangers)
    wait_for("it has ended and is no zombie", lambda: not strangers())
    time.sleep(0.2)
    status = launch.status()
    assert status["ready"] and status["restarts"] == 0 and status["server_pid"] == started["pid"]


@pytest.mark.slow
@pytest.mark.fault(73)
def test_a_server_that_is_silent_for_a_moment_is_left_alone(launch: Launch) -> None:
    launch.policy["silence"] = 3
    first = launch.start()
    for _ in range(2):
        os.kill(first["pid"], signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(first["pid"], signal.SIGCONT)
        time.sleep(0.3)
    status = launch.status()
    assert status["generation"] == 1 and status["server_pid"] == first["pid"] and status["ready"]


@pytest.mark.slow
@pytest.mark.fault(71)
def test_a_clock_that_jumps_by_hours_disturbs_no_timer(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n"
        "real, calls = time.time, iter(range(10**9))\n"
        "time.time = lambda: real() + (3600 if next(calls) % 2 else -3600)\n"
    )
    launch.environ["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    launch.policy["stable"] = 600
    first = launch.start()["pid"]
    time.sleep(launch.policy["silence"] + 0.5)
    assert launch.status()["server_pid"] == first and launch.status()["generation"] == 1
    os.kill(first, signal.SIGKILL)
    wait_for("it is back", lambda: (s := launch.status())["ready"] and s["generation"] == 2)
    assert launch.json("stop")["stopped"]
    launch.gone(3)


@pytest.mark.fault(35)
def test_a_server_that_finds_its_settings_wrong_later_is_not_restarted(launch: Launch) -> None:
    launch.behaviour = "die-78"
    finish(launch.spawn("run"), 78)
    status = launch.json("status", code=1)
    assert status["state"] == "FATAL" and status["restarts"] == 0 and status["generation"] == 1


def test_each_death_is_explained_by_its_own_reason(launch: Launch) -> None:
    """The last one counts, not the first."""
    deaths = "[ $TTS_GENERATION = 1 ] && exit 9; kill -SEGV $$"
    launch.environ["TTS_SERVER_COMMAND"] = shlex.join(["sh", "-c", deaths, "sh"])
    finish(launch.spawn("run"), 128 + signal.SIGSEGV)
    assert "SIGSEGV" in launch.json("status", code=1)["reason"]


@pytest.mark.slow
def test_a_server_that_closes_its_channel_costs_no_processor(launch: Launch) -> None:
    """Such a server is silent, and ended for it; until then the supervisor sleeps."""
    launch.policy["silence"] = launch.policy["hello"] = 3
    code = "import os, time; os.close(int(os.environ['TTS_CONTROL_FD'])); time.sleep(60)"
    launch.environ["TTS_SERVER_COMMAND"] = shlex.join([sys.executable, "-c", code])
    child = launch.spawn("run")
    wait_for("it runs", lambda: launch.status()["server_pid"])
    before = psutil.Process(child.pid).cpu_times()
    time.sleep(1.5)
    after = psutil.Process(child.pid).cpu_times()
    assert after.user + after.system - before.user - before.system < 0.5
    wait_for("it is found out", lambda: "no sign of life" in launch.log())
    os.kill(child.pid, signal.SIGQUIT)
    finish(child, 0)


@pytest.mark.slow
@pytest.mark.fault(69)
def test_a_busy_model_does_not_make_its_server_look_hung(launch: Launch) -> None:
    """The real server: its loop beats while the worker is in one step of four seconds."""
    launch.environ["TTS_SERVER_COMMAND"] = ""
    launch.policy |= {"hello": 60, "silence": 3}
    started = launch.start("--engine-options", "step_ms=4000", "--timeout", "60")
    body = json.dumps({"model": "tone", "voice": "tone-a", "input": "Ah"}).encode()
    ask = urllib.request.Request(
        f"http://127.0.0.1:{launch.port}/v1/audio/speech", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(ask, timeout=60) as answer:
        assert answer.status == 200 and answer.read()
    assert launch.status()["server_pid"] == started["pid"] and launch.status()["generation"] == 1
