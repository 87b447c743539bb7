"""Folders and disks that refuse: full, read-only, made by others, crashed in the middle of a write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launcher import state
from launcher.state import Record, State

from .conftest import Launch, finish, wait_for
from .tools import fill, mounting, small_disk

# Writes records of two sizes for ever; a reader must only ever see one of them.
WRITE = """
import sys
from pathlib import Path
from launcher.state import Record, write_atomic
path = Path(sys.argv[1])
records = [Record(reason=letter * size).to_bytes() for letter, size in (("a", 10), ("b", 200_000))]
print(flush=True)
while True:
    for record in records:
        write_atomic(path, record)
"""


def _crashes(folder: Path, rounds: int) -> int:
    """How many temporary files the killed writers left."""
    path = folder / "state.json"
    for number in range(rounds):
        child = subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE)
        assert child.stdout and child.stdout.readline() == b"\n"
        deadline = time.monotonic() + 0.05 + number % 7 * 0.003
        while time.monotonic() < deadline:
            record = state.read(path)
            assert record is None or record.reason in ("a" * 10, "b" * 200_000)
        child.kill()
        child.communicate(timeout=60)
        record = state.read(path)
        assert record and record.reason in ("a" * 10, "b" * 200_000), number
    state.write_atomic(path, Record().to_bytes())
    assert state.read(path) == Record()
    return len(list(folder.iterdir())) - 1


@pytest.mark.fault(15)
def test_readers_see_old_or_new_while_writers_are_killed(tmp_path: Path) -> None:
    _crashes(tmp_path, 4)


@pytest.mark.slow
@pytest.mark.fault(15)
def test_readers_see_old_or_new_while_200_writers_are_killed(tmp_path: Path) -> None:
    assert _crashes(tmp_path, 200), "some died between the write and the rename"


@pytest.mark.fault(15)
def test_a_start_is_not_disturbed_by_what_a_crashed_write_left(launch: Launch) -> None:
    launch.instance.prepare()
    (launch.instance.run / ".state.json.1.tmp").write_text('{"state": "RUN')
    launch("status", code=3)
    launch.start()


@pytest.mark.fault(12)
def test_a_read_only_home_is_exit_4_with_its_path_and_starts_nothing(launch: Launch) -> None:
    launch.instance.prepare()
    launch.prefix = mounting('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"', launch.instance.run)
    said = launch("start", code=4)
    assert str(launch.instance.run) in said and "Read-only" in said
    assert not launch.instance.launcher_log.exists()
    launch("stop", code=4)
    launch("status", code=3)


@pytest.mark.fault(14)
def test_a_full_disk_under_the_state_is_a_start_that_leaves_nothing(launch: Launch) -> None:
    with small_disk(launch.instance.run, 64):
        fill(launch.instance.run)
        child = launch.spawn("start")
        said = finish(child, 1) if child.wait(timeout=30) == 1 else finish(child, 4)
        assert str(launch.instance.run) in said and len(said.strip().splitlines()) == 1
        assert not launch.processes()


@pytest.mark.fault(14)
def test_a_disk_that_fills_while_it_runs_stops_nothing(launch: Launch) -> None:
    """The old state stays whole; a crash is mended all the same; afterwards the truth is written again."""
    with small_disk(launch.instance.run, 64):
        first = launch.start()["pid"]
        ballast = fill(launch.instance.run)
        os.kill(first, signal.SIGKILL)
        second = launch.ask()["pid"]
        assert second != first, "a new server, though nothing can be written"
        record = state.read(launch.instance.state)
        assert record and record.state in State and launch.json("status")["code"] == 0
        ballast.unlink()
        wait_for("the state is written again", lambda: launch.status()["server_pid"] == second)
        wait_for("the pid file too", lambda: launch.instance.pidfile.read_text().startswith(f"{second}\n"))
        launch("stop")


@pytest.mark.fault(13)
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_new_folders_are_ours_alone_whatever_the_umask(launch: Launch, umask: int) -> None:
    before = os.umask(umask)
    try:
        launch("start", "--name", "second")
        launch("stop", "--name", "second")
    finally:
        os.umask(before)
    for folder in (launch.home / "run", launch.home / "run" / "second"):
        assert oct(folder.stat().st_mode & 0o777) == "0o700", folder


@pytest.mark.fault(13)
def test_a_run_folder_that_is_there_already_is_used(launch: Launch) -> None:
    (launch.home / "run").mkdir(mode=0o700)
    (launch.home / "logs").mkdir()
    launch.start()
    assert json.loads(launch.instance.state.read_text())["state"] == "RUNNING"


@pytest.mark.fault(8)
@pytest.mark.parametrize("name", ["state.json", "server.pid", "lock", "command.lock"])
def test_only_plain_files_are_written_to(launch: Launch, name: str) -> None:
    launch.instance.prepare()
    path, victim = launch.instance.run / name, launch.home / "precious"
    victim.write_text("keep")
    for make, remove in (
        (lambda: path.symlink_to(victim), path.unlink),
        (lambda: os.mkfifo(path), path.unlink),
        (path.mkdir, path.rmdir),
    ):
        make()
        said = launch("start", code=4)
        assert str(path) in said and len(said.strip().splitlines()) == 1
        assert victim.read_text() == "keep" and not launch.instance.launcher_log.exists()
        remove()
