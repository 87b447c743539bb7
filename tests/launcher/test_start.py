"""Starting: exactly one server, ready when the command returns, nothing left when it does not come up."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess

import pytest

from .conftest import LAUNCH, Launch, finish, wait_for


def test_start_prints_address_logs_and_how_to_stop(launch: Launch) -> None:
    said = launch("start")
    assert f"http://127.0.0.1:{launch.port}" in said
    assert str(launch.home / "logs") in said and "stop" in said
    assert launch.ask()["pid"] == launch.status()["server_pid"]


@pytest.mark.fault(41)
def test_start_returns_when_its_output_is_captured(launch: Launch) -> None:
    child = subprocess.run(
        ["bash", "-c", 'x="$("$@")"; printf "got %s" "$x"', "-", *LAUNCH, "start"],
        env=launch.env(), cwd=launch.home, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert child.returncode == 0 and "got Ready" in child.stdout, child


@pytest.mark.slow
@pytest.mark.fault(13, 17)
def test_twenty_simultaneous_starts_make_one_server(launch: Launch) -> None:
    launch.behaviour = "slow"
    children = [launch.spawn("start", "--json") for _ in range(20)]
    ends = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0] * 20, ends
    answers = [json.loads(out) for out, _ in ends]
    assert len({answer["pid"] for answer in answers}) == 1
    assert sum(not answer["already_running"] for answer in answers) == 1
    assert launch.log().count("started (generation") == 1


@pytest.mark.fault(40)
def test_a_second_start_keeps_the_server_and_names_other_settings(launch: Launch) -> None:
    first = launch.start()
    assert launch.start()["pid"] == first["pid"]
    assert "Already running" in launch("start", "--device", "cpu") and launch.ask()["pid"] == first["pid"]
    assert "device auto" in launch("start", "--device", "cpu")


def test_unknown_options_go_to_the_server_as_typed(launch: Launch) -> None:
    launch("start", "--max-waiting", "7", "--cors-origins=*", "--engine", "tone")
    argv = launch.ask()["argv"]
    assert argv[-3:] == ["--max-waiting", "7", "--cors-origins=*"]
    assert argv[:2] == ["--home", str(launch.home)] and argv[8:10] == ["--engine", "tone"]


@pytest.mark.fault(25, 32)
def test_a_foreign_port_holder_is_named_and_left_alone(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", launch.port)):
        said = launch("start", code=1)
    assert f"Port {launch.port} is in use by pid" in said
    assert "started (generation" not in launch.log()


@pytest.mark.fault(29)
def test_a_port_that_is_bound_but_not_listening_is_busy(launch: Launch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", launch.port))
        assert "in use" in launch("start", code=1)


@pytest.mark.fault(88)
def test_a_missing_model_is_found_before_anything_is_spawned(launch: Launch) -> None:
    for launch.engine in ("kokoro", "auto"):
        assert "tts-launch models fetch kokoro" in launch("start", code=6)
    assert not launch.instance.launcher_log.exists()


@pytest.mark.fault(34, 35)
@pytest.mark.parametrize(("behaviour", "code", "reason"), [
    ("exit-1", 1, "3 times in a row"), ("exit-0", 1, "3 times in a row"), ("exit-2", 2, "exit code 2"),
    ("exit-78", 6, "exit code 78"), ("refuse", 6, "the voice is not there"), ("spew", 1, "exit code 3"),
])  # fmt: skip
def test_a_server_that_does_not_come_up_is_a_failed_start(
    launch: Launch, behaviour: str, code: int, reason: str
) -> None:
    launch.behaviour = behaviour
    said = launch("start", code=code)
    assert reason in said and "\x1b" not in said
    assert launch.log().count("started (generation") == (3 if code == 1 else 1)
    status = launch.json("status", code=1)
    assert status["state"] == "FATAL" and status["log_tail"]
    launch.gone()


@pytest.mark.fault(36)
def test_a_program_that_is_missing_is_exit_5_at_once(launch: Launch) -> None:
    launch.environ["TTS_SERVER_COMMAND"] = "/nonexistent/python"
    assert "/nonexistent/python" in launch("start", code=5)
    assert not launch.instance.pidfile.exists()


@pytest.mark.fault(33)
def test_a_start_that_takes_too_long_is_undone(launch: Launch) -> None:
    launch.behaviour = "never-ready"
    assert "--start-timeout" in launch("start", "--start-timeout", "1", code=1)
    launch.gone()
    launch("status", code=3)


@pytest.mark.fault(42)
@pytest.mark.parametrize("moment", [pytest.param("spawning", marks=pytest.mark.slow), "loading"])
def test_ctrl_c_during_start_leaves_nothing(launch: Launch, moment: str) -> None:
    launch.behaviour = "never-ready"
    child = launch.spawn("start")
    if moment == "loading":
        wait_for("the server loads", lambda: launch.status().get("fraction"))
    else:
        wait_for("the command has begun", launch.instance.command_lock.exists)
    child.send_signal(signal.SIGINT)
    finish(child, 130)
    launch.gone()
    launch("status", code=3)


@pytest.mark.fault(19)
def test_stop_during_a_start_wins(launch: Launch) -> None:
    launch.behaviour = "never-ready"
    child = launch.spawn("start")
    wait_for("the server loads", lambda: launch.status().get("fraction"))
    launch("stop")
    assert "stopped while it was starting" in finish(child, 1)
    launch.gone()


@pytest.mark.fault(18)
def test_a_start_during_a_stop_waits_for_it_and_then_starts(launch: Launch) -> None:
    launch.behaviour = "busy"
    first = launch.start("--drain-timeout", "1")
    child = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    launch.behaviour = "normal"
    second = launch.start()
    finish(child, 0)
    assert second["pid"] == launch.ask()["pid"] != first["pid"]
    os.kill(second["supervisor_pid"], signal.SIGTERM)  # stopped by hand: no command lock is held
    wait_for("it has heard that", lambda: not launch.status()["ready"])
    assert launch.start()["pid"] not in (first["pid"], second["pid"])


@pytest.mark.fault(41)
def test_the_server_survives_its_terminal(launch: Launch) -> None:
    child = launch.spawn("start", start_new_session=True)
    child.communicate(timeout=40)
    pid = launch.ask()["pid"]
    with pytest.raises(ProcessLookupError):  # nobody of it is left in the caller's session
        os.killpg(child.pid, signal.SIGHUP)
    assert launch.ask()["pid"] == pid


def test_a_full_restart_keeps_the_port_and_the_options(launch: Launch) -> None:
    first = launch.start("--max-waiting", "7", "--device", "cpu")
    again = launch.json("restart")
    assert again["pid"] != first["pid"] and again["address"] == first["address"]
    assert launch.ask()["argv"][-4:] == ["--device", "cpu", "--max-waiting", "7"]
    launch("restart", "--device", "auto", "--max-waiting", "9")
    assert launch.ask()["argv"][-6:] == ["--device", "auto", "--max-waiting", "7", "--max-waiting", "9"]


def test_restart_starts_what_is_not_running(launch: Launch) -> None:
    assert launch.json("restart")["pid"] == launch.ask()["pid"]


def test_two_instances_share_a_home_and_a_machine(launch: Launch) -> None:
    launch.start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]
    second = launch.json("start", "--name", "second", "--port", str(other))
    assert second["pid"] != launch.ask()["pid"]
    launch("stop", "--name", "second")
    launch("status", "--name", "second", code=3)
    launch("status")


def test_a_public_address_comes_with_addresses_to_share_and_a_warning(launch: Launch) -> None:
    said = launch("start", "--host", "0.0.0.0")
    assert "no key or password" in said and f"http://127.0.0.1:{launch.port}" in said
    assert launch.start()["public"] is True


def test_messages_are_chinese_in_a_chinese_locale(launch: Launch) -> None:
    launch.environ = {"LANG": "zh_CN.UTF-8", "PYTHONUTF8": "1"}
    assert (
        "已就绪" in launch("start") and "停止服务" not in launch("status") and "启动服务" in launch("--help")
    )


@pytest.mark.fault(28)
def test_time_wait_of_the_last_server_is_not_a_busy_port(launch: Launch) -> None:
    for _ in range(2):
        launch.start()
        with socket.create_connection(("127.0.0.1", launch.port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.recv(100)
            launch("stop")  # the server closes first: its end stays in TIME_WAIT
