"""Who is signalled: exactly the recorded process, never a newcomer with its pid, never ourselves."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import launcher
from launcher import identity, tree
from launcher.identity import MARKER, Identity, me
from launcher.instance import Instance

from .conftest import LAUNCH, Launch, finish
from .test_state_files import _pretend
from .tools import AS_NOBODY, PIDS, need

REUSE = """
import os, signal, subprocess, sys, time
from launcher.identity import Identity

def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

def with_pid(pid):
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(pid - 1))
    child = sleeper()
    assert child.pid == pid, (child.pid, pid)
    return child

def end(child):
    child.kill()
    child.wait()
    time.sleep(0.03)  # start times have a resolution of 10 ms

first = sleeper()
old = Identity.of(first.pid)
assert old
end(first)
second = with_pid(old.pid)
assert not old.alive() and old.signal(signal.SIGKILL) is False
time.sleep(0.1)
assert second.poll() is None, "the newcomer was signalled"

# and in the narrowest gap: it is the same process when we look, and another when we send
old = Identity.of(second.pid)
real = signal.pidfd_send_signal
def late(fd, signum):
    global third
    end(second)
    third = with_pid(old.pid)
    return real(fd, signum)
signal.pidfd_send_signal = late
assert old.signal(signal.SIGKILL) is False
time.sleep(0.1)
assert third.poll() is None, "the newcomer was signalled"
print("both live")
"""


@pytest.mark.fault(3, 55)
def test_a_real_newcomer_with_the_old_pid_is_never_signalled() -> None:
    ran = subprocess.run(
        [*need(PIDS), sys.executable, "-c", REUSE], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "both live\n", ran


@pytest.mark.fault(55)
def test_a_start_time_that_differs_by_one_tick_is_another_process() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        real = Identity.of(child.pid)
        assert real
        for wrong in (
            Identity(real.host, real.boot, real.pid, real.ticks + 1),
            Identity(real.host, "another boot", real.pid, real.ticks),
            Identity("another host", real.boot, real.pid, real.ticks),
        ):
            assert wrong.signal(signal.SIGKILL) is False and not wrong.alive()
        assert child.poll() is None and real.signal(signal.SIGTERM)


@pytest.mark.fault(4)
def test_pid_1_with_another_start_time_is_stale(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    from launcher import way
    from launcher.stop import stop

    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda *args: sent.append(args))
    monkeypatch.setattr(os, "kill", lambda *args: sent.append(args))
    init = identity.read_stat(1)
    assert init
    _pretend(launch, Identity(*identity.this_host(), 1, init.ticks + 1))
    assert way.find_supervisor(launch.instance) is None
    assert stop(launch.instance, force=True) is False and not sent


@pytest.mark.fault(54)
def test_a_process_that_ends_while_it_is_signalled_is_a_success() -> None:
    _race(50)


@pytest.mark.slow
@pytest.mark.fault(54)
def test_a_process_that_ends_while_it_is_signalled_is_a_success_every_time() -> None:
    _race(2000)


def _race(rounds: int) -> None:
    """The child ends by itself at about the moment of the signal: sometimes before, sometimes after."""
    answers = set()
    for number in range(rounds):
        child = subprocess.Popen(["true"])
        target = Identity.of(child.pid)
        time.sleep(number % 10 * 2e-4)
        if target:
            answers.add(target.signal(signal.SIGTERM))
        assert child.wait(timeout=10) in (0, -signal.SIGTERM)
        assert target is None or target.signal(signal.SIGTERM) is False
    assert answers <= {True, False} and answers


@pytest.mark.fault(59)
def test_a_command_below_a_marked_shell_spares_its_own_ancestors(launch: Launch) -> None:
    """A shell that somebody opened from within the server's environment runs stop: it is an "orphan" too."""
    with subprocess.Popen(["true"]) as dead:
        pass
    gone = Identity(*identity.this_host(), dead.pid, 5)
    launch.instance.prepare()
    environ = launch.env() | {MARKER: identity.marker(launch.instance.key, gone)}
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=environ)
    shell = subprocess.Popen(
        ["bash", "-c", '"$@"; echo "ended with $?"', "-", *LAUNCH, "stop", "--force"],
        env=environ, cwd=launch.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "ended with 0" in finish(shell, 0)
    assert orphan.wait(timeout=5) == -signal.SIGTERM, "the marker alone did count"


@pytest.mark.fault(59)
def test_another_users_process_with_our_marker_is_not_ended(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.prepare()
    gone = Identity(*identity.this_host(), 2**22 + 1, 5)
    environ = os.environ | {MARKER: identity.marker(instance.key, gone)}
    sleep = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    child = subprocess.Popen([*need(AS_NOBODY), *sleep], env=environ, stdout=subprocess.PIPE)
    try:
        assert child.stdout and child.stdout.readline()
        assert child.pid in {item.process.pid for item in identity.marked(instance.key)}
        assert tree.leftovers(instance) == set()
    finally:
        child.kill()
        child.communicate(timeout=60)


@pytest.mark.fault(59)
def test_our_own_ancestors_go_up_to_the_first_process() -> None:
    assert {os.getpid(), os.getppid()} <= tree.ancestors()
    assert me().signal(signal.SIGTERM) is False


@pytest.mark.fault(83)
def test_no_decision_rests_on_what_psutil_thinks_of_a_process() -> None:
    """Its create_time is of the wall clock, its is_running of that: neither may appear in the launcher."""
    for path in Path(launcher.__file__).parent.rglob("*.py"):
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        assert not names & {"create_time", "is_running", "pid_exists", "killpg"}, path
