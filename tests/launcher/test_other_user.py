"""Instances of other users: seen, said whose, and never touched."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from launcher.identity import Identity

from .conftest import Launch
from .test_state_files import _pretend
from .tools import AS_NOBODY, need


def _open_to_all(launch: Launch) -> None:
    """A folder that both users may write in, so that only the process itself is out of reach."""
    for folder in (launch.home, launch.instance.run, launch.instance.logs):
        folder.chmod(0o777)
    for file in launch.instance.run.iterdir():
        file.chmod(0o666)


@pytest.mark.fault(5, 56)
def test_another_users_instance_is_seen_and_cannot_be_stopped(launch: Launch) -> None:
    started = launch.start()
    before = launch.instance.state.read_bytes()
    _open_to_all(launch)
    launch.prefix = need(AS_NOBODY)
    assert launch.json("status")["supervisor_pid"] == started["supervisor_pid"]
    for command in (["stop"], ["stop", "--force"], ["restart"]):
        said = launch(*command, code=4)
        assert f"pid {started['supervisor_pid']}" in said and "another user" in said, command
    assert launch.json("start")["pid"] == started["pid"]
    launch.prefix = []
    assert launch.ask()["pid"] == started["pid"] and launch.instance.state.read_bytes() == before


@pytest.mark.fault(5)
def test_another_users_process_with_a_recorded_pid_is_stale(launch: Launch) -> None:
    """Its start time can be read, and it is not the recorded one."""
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(argv) as child:
        real = Identity.of(child.pid)
        assert real
        _pretend(launch, Identity(real.host, real.boot, real.pid, real.ticks - 1))
        _open_to_all(launch)
        launch.prefix = need(AS_NOBODY)
        launch("status", code=1)
        launch("stop")
        launch("status", code=3)
        assert child.poll() is None
        child.send_signal(signal.SIGKILL)


@pytest.mark.fault(56)
def test_a_folder_that_is_not_ours_is_exit_4(launch: Launch) -> None:
    launch.start()
    launch.home.chmod(0o755)
    launch.prefix = need(AS_NOBODY)
    for command in ("stop", "start"):
        said = launch(command, code=4 if command == "stop" else 0)
        assert "Traceback" not in said
    launch.prefix = []
    assert launch.instance.state.exists() and launch.status()["ready"]
