"""Without /proc, or with one that hides others, nothing is killed on a guess, and the doubt is said."""

from __future__ import annotations

import pytest

from .conftest import Launch, wait_for
from .tools import AS_NOBODY, mounting, need

NO_PROC = "mount -t tmpfs none /proc"
HIDDEN = "mount -t proc -o hidepid=2 proc /proc"


@pytest.mark.fault(82)
def test_without_proc_lock_and_health_decide_and_nothing_is_ended(launch: Launch) -> None:
    pid = launch.start()["pid"]
    launch.prefix = mounting(NO_PROC)
    status = launch.json("status")
    assert status["state"] == "RUNNING" and "unverified" in status["reason"]
    for command in (["stop"], ["stop", "--force"], ["restart"], ["start"], ["run"]):
        said = launch(*command, code=1)
        assert "/proc is not mounted" in said and "Traceback" not in said, command
    launch.prefix = []
    assert launch.ask()["pid"] == pid and launch.status()["generation"] == 1
    launch("stop")
    launch.prefix = mounting(NO_PROC)
    assert launch.json("status", code=4)["state"] == "UNKNOWN"


@pytest.mark.fault(5, 82)
def test_a_proc_that_hides_other_users_is_unknown_and_not_stopped(launch: Launch) -> None:
    pid = launch.start()["pid"]
    for folder in (launch.home, launch.instance.run, launch.instance.logs):
        folder.chmod(0o777)
    for file in (launch.instance.lock, launch.instance.command_lock):
        file.chmod(0o666)
    launch.prefix = [*mounting(HIDDEN), *need(AS_NOBODY)]
    assert launch.json("status", code=4)["state"] == "UNKNOWN"
    assert "cannot be identified" in launch("stop", code=1)
    launch.prefix = []
    wait_for("nothing has happened to it", lambda: launch.status()["ready"])
    assert launch.ask()["pid"] == pid
