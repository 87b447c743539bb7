"""``ps`` shows every process of an instance with its role and what it uses."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import ps
from launcher.identity import MARKER, marker, me
from launcher.instance import Instance

from . import driver as stub
from .conftest import Launch, finish, wait_for

driver, built_driver = stub.driver, stub.built_driver  # fixtures


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Launch]:
    """Another instance, in a home of its own."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    home = tmp_path / "second"
    home.mkdir()
    instance = Launch(home, port)
    yield instance
    instance.clean_up()


def _processes(launch: Launch, *args: str) -> list[dict]:
    return launch.json("ps", *args)["processes"]


def test_nothing_that_runs_is_an_empty_table(launch: Launch) -> None:
    assert launch.json("ps") == {"processes": []} and "Not running" in launch("ps")


def test_every_process_has_its_role_and_what_it_uses(launch: Launch) -> None:
    launch.behaviour = "family"
    launch.start("--drain-timeout", "0.2", "--api-key", "hunter2")
    status = launch.status()
    found = wait_for("four processes", lambda: len(seen := _processes(launch)) == 4 and seen)
    roles = {item["role"]: item["pid"] for item in found}
    assert [item["role"] for item in found] == ["supervisor", "server", "other", "other"]
    assert (roles["supervisor"], roles["server"]) == (status["supervisor_pid"], status["server_pid"])
    for item in found:
        assert item["home"] == str(launch.instance.home) and item["name"] == "default"
        assert item["memory"] > 100_000 and item["memory_kind"] in ("pss", "rss")
        assert item["cpu"] >= 0 and 0 <= item["age"] < 600 and not item["leftover"]
        assert item["gpu_memory"] is None and item["state"] in ("sleeping", "running", "disk-sleep")
    text = launch("ps")
    assert "ROLE" in text and str(status["server_pid"]) in text and " MB" in text
    assert "hunter2" not in text + str(found), "a secret of the command line"


def test_gpu_memory_is_that_of_the_driver(launch: Launch, driver: stub.StubDriver) -> None:
    pid = launch.start()["pid"]
    driver.says(f"process {pid} 3000000000", "process 1 5")
    launch.environ = driver.environ
    assert {item["role"]: item["gpu_memory"] for item in _processes(launch)} == {
        "supervisor": None,
        "server": 3_000_000_000,
    }
    assert "3000 MB" in launch("ps")


@pytest.mark.fault(61)
def test_what_a_killed_supervisor_left_is_shown_as_such(launch: Launch) -> None:
    launch.behaviour = "family"
    server = launch.start()["pid"]
    wait_for("its family", lambda: len(launch.processes()) == 3)
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    wait_for("the server follows its supervisor", lambda: server not in launch.processes())
    found = _processes(launch)
    assert [(item["role"], item["leftover"]) for item in found] == [("other", True)] * 2
    assert "left behind" in launch("ps")


def test_all_shows_every_instance_with_its_home(launch: Launch, second: Launch) -> None:
    launch.start()
    second.behaviour = "exit-3"  # nothing of it carries a marker for most of the time
    second.policy |= {"first_deaths": 1000, "deaths": 1000, "base": 20, "cap": 20}
    child = second.spawn("start")
    wait_for("it backs off", lambda: second.status()["state"] == "BACKOFF")
    homes = {
        (item["home"], item["role"]) for item in _processes(launch, "--all") if item["role"] == "supervisor"
    }
    assert homes >= {(str(launch.instance.home), "supervisor"), (str(second.instance.home), "supervisor")}
    assert f"default in {second.instance.home}:" in launch("ps", "--all")
    assert {item["home"] for item in _processes(launch)} == {str(launch.instance.home)}
    child.send_signal(signal.SIGINT)
    finish(child, 130)


def test_a_worker_is_told_by_its_command_line(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    environ = {**os.environ, MARKER: marker(instance.key, me())}
    child = subprocess.Popen(["index_tts_ui.worker", "300"], executable="/bin/sleep", env=environ)
    try:
        roles = wait_for("it is seen", lambda: {i.pid: i.role for i in ps.of(instance) if i.pid == child.pid})
        assert roles == {child.pid: "worker"}
    finally:
        child.kill()
        child.wait()


def test_chinese_columns_line_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    facts = {
        "leftover": False,
        "memory": 1,
        "memory_kind": "pss",
        "gpu_memory": None,
        "age": 3700.0,
        "cpu": 1.0,
    }
    rows = [
        ps.Process(home="/h", name="n", role=role, pid=pid, state="sleeping", command="COMMAND", **facts)
        for role, pid in (("supervisor", 1), ("worker", 1234567))
    ]
    lines = ps.table(rows, titled=False)[1:]
    starts = {ps._wide(line[: line.index("COMMAND")]) for line in lines}
    assert len(starts) == 1 and "1:01:40" in lines[0] and "模型进程" in lines[1]
    assert all(len(line) <= 30 for line in ps.table(rows, titled=False, width=30))


@pytest.mark.slow
def test_the_real_application_shows_all_three_roles(launch: Launch) -> None:
    launch.environ["TTS_SERVER_COMMAND"] = ""
    launch.policy = {}
    launch.start()
    assert {item["role"] for item in _processes(launch)} >= {"supervisor", "server", "worker"}
