"""Locks: freed by death, bounded in their waits, honest where the file system is not."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.errors import Failed
from launcher.lock import Lock, held

from .conftest import Launch, wait_for
from .tools import patch

HOLD = (
    "import sys, time; from pathlib import Path; from launcher.lock import Lock\n"
    "lock = Lock(Path(sys.argv[1])); assert lock.try_acquire(); lock.write(str(__import__('os').getpid()))\n"
    "print(flush=True); time.sleep(60)"
)
# Each of some processes adds one to a number in a file, often; a lost update is two holders at once.
COUNT = (
    "import sys; from pathlib import Path; from launcher.lock import Lock\n"
    "path = Path(sys.argv[1]); rounds = int(sys.argv[2])\n"
    "for _ in range(rounds):\n"
    "    with Lock(path / 'lock') as lock:\n"
    "        lock.acquire(60)\n"
    "        number = int((path / 'number').read_text())\n"
    "        (path / 'number').write_text(str(number + 1))\n"
)


def _holder(path: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.readline() == b"\n"
    return child


@pytest.mark.fault(24)
def test_the_wait_for_a_hung_holder_ends_and_names_it(tmp_path: Path) -> None:
    child = _holder(tmp_path / "lock")
    child.send_signal(signal.SIGSTOP)
    with pytest.raises(Failed, match=f"pid {child.pid}"):
        Lock(tmp_path / "lock").acquire(0.3)
    child.kill()
    child.communicate(timeout=60)


@pytest.mark.fault(21)
def test_a_lock_is_free_as_soon_as_its_killed_holder_is_gone(tmp_path: Path) -> None:
    child = _holder(tmp_path / "lock")
    assert held(tmp_path / "lock")
    child.kill()
    child.communicate(timeout=60)
    with Lock(tmp_path / "lock") as lock:
        assert lock.try_acquire()


@pytest.mark.fault(23)
def test_two_holders_never_meet_while_somebody_deletes_the_file(tmp_path: Path) -> None:
    _count(tmp_path, 4, 25)


@pytest.mark.slow
@pytest.mark.fault(23)
def test_two_holders_never_meet_in_thousands_of_rounds(tmp_path: Path) -> None:
    _count(tmp_path, 6, 1000)


def _count(folder: Path, processes: int, rounds: int) -> None:
    (folder / "number").write_text("0")
    argv = [sys.executable, "-c", COUNT, str(folder), str(rounds)]
    children = [subprocess.Popen(argv, stderr=subprocess.PIPE) for _ in range(processes)]
    ends = [child.communicate(timeout=300) for child in children]
    assert [child.returncode for child in children] == [0] * processes, ends
    assert int((folder / "number").read_text()) == processes * rounds


@pytest.mark.fault(23)
def test_who_waited_for_a_file_that_was_deleted_takes_the_new_one(tmp_path: Path) -> None:
    """An opened file, deleted before it is locked: the lock on it would be worth nothing."""
    path = tmp_path / "lock"
    child = _holder(path)
    waiting = Lock(path)
    assert not waiting.try_acquire()
    path.unlink()
    newcomer = _holder(path)
    child.kill()
    child.communicate(timeout=60)
    assert not waiting.try_acquire(), "the old file's lock is free, and not the lock any more"
    newcomer.kill()
    newcomer.communicate(timeout=60)
    assert waiting.try_acquire()
    waiting.release()


@pytest.mark.fault(22)
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(fd: int, how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(Failed, match="local disk"):
        Lock(tmp_path / "lock").acquire(1)
    assert not held(tmp_path / "lock")


@pytest.mark.fault(22)
def test_no_locks_at_all_is_a_start_that_fails_in_one_line(launch: Launch) -> None:
    patch(
        launch,
        "import errno, fcntl\ndef flock(fd, how): raise OSError(errno.ENOSYS, 'Function not implemented')\n"
        "fcntl.flock = flock",
    )
    said = launch("start", code=1)
    assert "local disk" in said and len(said.strip().splitlines()) == 1
    assert not launch.processes()


@pytest.mark.fault(22)
def test_locks_that_everybody_is_granted_are_said_to_be_none(launch: Launch) -> None:
    """As on Lustre without its flock option: every caller succeeds."""
    patch(launch, "import fcntl\nfcntl.flock = lambda fd, how: None")
    assert "local disk" in launch("start"), "whoever starts it must read it"
    assert "local disk" in launch.log()
    launch("status")
    launch("stop")
    wait_for("all has ended", lambda: not launch.processes())
