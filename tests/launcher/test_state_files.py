"""Files are never trusted alone: stale, reused, garbage and foreign ones harm nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import state
from launcher.identity import Identity, me
from launcher.lock import Lock, held
from launcher.state import Record, State

from .conftest import Launch, wait_for

GARBAGE = [
    b"",
    b"0",
    b"-1",
    b"-5",
    b"1",
    b"18446744073709551617",
    b"123abc",
    b"\0\0",
    b"\xef\xbb\xbf12",
    b"9" * (10 << 20),
]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process, which must outlive every test."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield child
    assert child.poll() is None, "an unrelated process was ended"
    child.kill()
    child.wait()


def _pretend(launch: Launch, supervisor: Identity, **more: object) -> None:
    """The files that a supervisor would have left."""
    launch.instance.prepare()
    record = Record(State.RUNNING, ready=True, supervisor=supervisor, server=supervisor, port=launch.port)
    for key, value in more.items():
        setattr(record, key, value)
    launch.instance.state.write_bytes(record.to_bytes())
    launch.instance.pidfile.write_bytes(state.pid_line(supervisor))
    launch.instance.lock.write_text(f"{supervisor.pid}\n{json.dumps(supervisor.to_json())}\n")


@pytest.mark.fault(2)
def test_a_dead_pid_is_status_1_and_stop_cleans_it_up(launch: Launch) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    identity = Identity(*me().to_json().values())
    dead.wait()
    _pretend(launch, Identity(identity.host, identity.boot, dead.pid, 5))
    assert launch.json("status", code=1)["state"] == "DEAD"
    launch("stop")
    launch("status", code=3)


@pytest.mark.fault(3)
def test_a_reused_pid_is_stale_and_never_signalled(launch: Launch, sleeper: subprocess.Popen[bytes]) -> None:
    real = Identity.of(sleeper.pid)
    assert real
    _pretend(launch, Identity(real.host, real.boot, real.pid, real.ticks - 1))
    launch("status", code=1)
    launch("stop", "--force")
    launch.start()
    launch("stop")


@pytest.mark.fault(9)
def test_a_zombie_is_dead(launch: Launch) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = Identity.of(child.pid)
    assert identity and child.stdin
    child.stdin.close()
    wait_for("it is a zombie", lambda: not identity.alive())
    os.kill(child.pid, 0)  # the kernel still knows the pid
    _pretend(launch, identity)
    launch("status", code=1)
    child.wait()


@pytest.mark.fault(4, 6, 7)
@pytest.mark.parametrize("content", GARBAGE, ids=lambda value: repr(value[:12]))
def test_garbage_in_the_files_is_stale_and_signals_nobody(content: bytes, tmp_path: Path) -> None:
    """In-process, since each is only read: ten commands would show the same."""
    from launcher import way
    from launcher.instance import Instance
    from launcher.status import look
    from launcher.stop import stop

    instance = Instance(tmp_path)
    instance.prepare()
    for path in (instance.pidfile, instance.state, instance.lock):
        path.write_bytes(content)
    assert look(instance).code == 1 and way.find_supervisor(instance) is None
    assert stop(instance) is False
    assert look(instance).code == 3 and not instance.pidfile.exists()


@pytest.mark.fault(7)
def test_a_garbage_pidfile_does_not_keep_an_instance_from_starting(launch: Launch) -> None:
    launch.instance.prepare()
    launch.instance.pidfile.write_text("-1")
    launch.instance.state.write_text("{")
    assert launch.start()["pid"] == int(launch.instance.pidfile.read_text().splitlines()[0])


@pytest.mark.fault(12)
def test_a_run_folder_that_cannot_be_written_is_exit_4_with_its_path(launch: Launch) -> None:
    (launch.home / "run").write_text("a file in its place")
    assert str(launch.home / "run") in launch("start", code=4)
    (launch.home / "run").unlink()
    (launch.home / "logs").write_text("")
    assert str(launch.home / "logs") in launch("start", code=4)
    assert not launch.processes()


@pytest.mark.fault(10)
def test_another_host_is_not_judged_by_pid(launch: Launch, sleeper: subprocess.Popen[bytes]) -> None:
    real = Identity.of(sleeper.pid)
    assert real
    _pretend(launch, Identity("other-host", real.boot, real.pid, real.ticks))
    assert launch.json("status", code=4)["state"] == "UNKNOWN"
    with Lock(launch.instance.lock) as lock:
        assert lock.try_acquire()
        launch("status")
        assert "other-host" in launch("stop", code=1) and "other-host" in launch("start", code=1)


@pytest.mark.fault(10)
def test_an_earlier_boot_of_this_machine_is_dead(launch: Launch) -> None:
    mine = me()
    _pretend(launch, Identity(mine.host, "another-boot", mine.pid, mine.ticks))
    launch("status", code=1)


@pytest.mark.fault(16)
def test_a_newer_state_file_is_unknown_and_an_older_one_is_read(launch: Launch) -> None:
    dead = Identity(me().host, me().boot, 2**22 + 1, 1)
    _pretend(launch, dead, version=99)
    launch("status", code=4)
    launch.instance.state.write_text('{"state": "FATAL", "reason": "old", "new_key": [1], "port": "x"}')
    assert launch.json("status", code=1)["reason"] == "old"


@pytest.mark.fault(86)
def test_secrets_on_the_command_line_are_not_in_the_status(launch: Launch) -> None:
    launch("start", "--api-key", "hunter2")
    assert "hunter2" not in launch("status", "--json") + launch("status")
    assert oct(launch.instance.state.stat().st_mode & 0o777) == "0o600"


@pytest.mark.fault(14)
def test_a_write_that_fails_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state.write_atomic(path, b"old")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the kernel refuses bytes, as on a full disk
    try:
        with pytest.raises(OSError):
            state.write_atomic(path, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.fault(14)
def test_a_full_disk_at_start_leaves_no_server(launch: Launch) -> None:
    full = ["-c", "ulimit -f 0; trap '' XFSZ; exec \"$@\"", "-"]
    from .conftest import LAUNCH

    child = subprocess.run(
        ["bash", *full, *LAUNCH, "start"], env=launch.env(), cwd=launch.home, capture_output=True
    )
    assert child.returncode in (1, 4) and b"Traceback" not in child.stderr, child
    assert not launch.processes()


@pytest.mark.fault(21)
def test_a_lock_is_freed_by_death_and_seen_while_a_child_holds_it(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert lock.try_acquire() and lock.works() and held(lock.path)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.fd,))
    lock.release()
    assert held(lock.path) and not Lock(lock.path).try_acquire()
    child.kill()
    child.communicate(timeout=60)
    again = Lock(lock.path)
    assert again.try_acquire()
    again.release()


@pytest.mark.fault(23)
def test_a_lock_on_a_deleted_file_is_not_the_lock(tmp_path: Path) -> None:
    first = Lock(tmp_path / "lock")
    assert first.try_acquire()
    first.path.unlink()
    second = Lock(tmp_path / "lock")
    assert second.try_acquire(), "the new file is a new lock"
    second.release()
    first.release()


@pytest.mark.fault(7)
def test_a_signal_never_reaches_groups_or_everybody(sleeper: subprocess.Popen[bytes]) -> None:
    mine = me()
    for pid in (0, -1, -sleeper.pid):
        assert Identity(mine.host, mine.boot, pid, 0).signal(signal.SIGKILL) is False
    assert mine.signal(signal.SIGKILL) is False, "nor ourselves"
