"""Poor and odd environments, secrets, and instances of other launcher versions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import LAUNCH, Launch, wait_for
from .tools import patch

LIES = """
import psutil
psutil.Process.create_time = lambda self: None
psutil.Process.is_running = lambda self: False
psutil.pid_exists = lambda pid: False
"""


@pytest.mark.fault(83)
def test_a_psutil_that_knows_nothing_changes_nothing(launch: Launch) -> None:
    patch(launch, LIES)
    pid = launch.start()["pid"]
    assert launch.json("status")["server_pid"] == pid and launch.start()["pid"] == pid
    assert launch.json("stop")["stopped"]
    launch.gone(3)


@pytest.mark.fault(85)
@pytest.mark.parametrize("name", ["new\nline", "a b", "语音", "%s {x}", "-n", "\udcff"])
def test_any_name_of_a_folder_will_do(launch: Launch, name: str) -> None:
    home = launch.home / name
    home.mkdir()
    launch.environ["TTS_HOME"] = str(home)
    assert launch.start()["pid"] == launch.ask()["pid"]
    assert launch.json("status")["ready"]
    assert launch.json("stop")["stopped"] and not (home / "run" / "state.json").exists()


@pytest.mark.fault(85)
def test_a_working_folder_that_is_gone_is_no_hindrance(launch: Launch) -> None:
    gone = launch.home / "gone"
    environ = {key: value for key, value in launch.env().items() if key != "PWD"}
    for command in ("start", "status", "stop"):
        gone.mkdir()
        argv = ["bash", "-c", 'cd "$1" && rmdir "$1" && unset PWD && shift && exec "$@"', "-", str(gone)]
        ran = subprocess.run(
            [*argv, *LAUNCH, command],
            env=environ,
            cwd=launch.home,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0 and "Traceback" not in ran.stderr, ran


@pytest.mark.fault(85)
def test_open_umask_leaves_no_file_that_others_may_write(launch: Launch) -> None:
    before = os.umask(0)
    try:
        launch.start()
        files = [path for path in launch.instance.run.rglob("*") if path.is_file()]
        launch("stop")
    finally:
        os.umask(before)
    assert files and not [path for path in files if path.exists() and path.stat().st_mode & 0o077]


@pytest.mark.fault(86)
def test_secrets_in_variables_are_nowhere_in_what_the_launcher_writes(launch: Launch) -> None:
    launch.environ["TTS_API_KEY"] = "hunter2"
    launch.start("--password", "correct-horse")
    launch("restart")
    said = launch("status") + launch("status", "--json") + launch("logs", "--json") + launch.log()
    assert "hunter2" not in said + launch.instance.state.read_text() and "correct-horse" not in said
    for file in launch.instance.run.iterdir():
        assert not file.stat().st_mode & 0o077, file


@pytest.mark.fault(16, 87)
@pytest.mark.parametrize("version", ["older", "newer"])
def test_an_instance_of_another_launcher_version_is_stopped(launch: Launch, version: str) -> None:
    """Its supervisor is frozen while the file is changed into the form that another version would have left."""
    started = launch.start()
    record = json.loads(launch.instance.state.read_text())
    if version == "older":
        record = {key: record[key] for key in ("state", "supervisor", "port")}
    else:
        record |= {"version": 99, "state": "HIBERNATING", "new": {"a": [1]}}
        record["supervisor"]["cgroup"] = "x"
    launch.instance.state.write_text(json.dumps(record))
    assert launch.json("status")["supervisor_pid"] == started["supervisor_pid"]
    assert launch.json("stop")["stopped"]
    launch.gone(3)


@pytest.mark.fault(11)
def test_whatever_is_deleted_it_is_found_and_stopped(launch: Launch) -> None:
    """One file after the other, then all: the marker, the lock file and the state each suffice."""
    started = launch.start()
    os.kill(started["supervisor_pid"], signal.SIGSTOP)  # it would write them again
    for path in (launch.instance.pidfile, launch.instance.state, launch.instance.lock):
        path.unlink()
        assert launch.json("status")["supervisor_pid"] == started["supervisor_pid"], path
        assert launch.start()["pid"] == started["pid"] if path == launch.instance.pidfile else True
    shutil.rmtree(launch.instance.run)
    assert launch.json("status")["supervisor_pid"] == started["supervisor_pid"]
    os.kill(started["supervisor_pid"], signal.SIGCONT)
    assert launch.json("stop")["stopped"]
    wait_for("the server is gone", lambda: not Path(f"/proc/{started['pid']}").exists())
