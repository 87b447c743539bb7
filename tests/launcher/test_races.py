"""Commands at the same time: many starts, two restarts, commands killed halfway; always one server at most."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import identity, options, start, stop, way
from launcher.instance import Instance

from .conftest import Launch, finish, wait_for

# Waits with everything imported, so that a round's commands really begin together; one round a line.
READY_STARTER = """
import json, os, sys
from launcher import options, output, restart, start, stop
from launcher.errors import LauncherError
for line in sys.stdin:
    settings = options.resolve({})
    try:
        if line == "start\\n":
            started = start.start(settings, 60, lambda *_: None)
        else:
            started = restart.restart(settings, {}, (), 60, lambda *_: None)
        answer = {"pid": started.record.server.pid, "ours": started.ours}
    except LauncherError as error:
        answer = {"error": error.key, "message": error.message}
    print(json.dumps(answer), flush=True)
"""


class Crowd:
    """Processes that run one command each, all at once, round after round."""

    def __init__(self, launch: Launch, size: int) -> None:
        self.launch = launch
        argv = [sys.executable, "-P", "-c", READY_STARTER]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.children = [
            subprocess.Popen(argv, env=launch.env(), cwd=launch.home, text=True, bufsize=1, **pipes)  # type: ignore[call-overload]
            for _ in range(size)
        ]

    def all(self, command: str) -> list[dict[str, object]]:
        """Every process's answer to ``command``."""
        for child in self.children:
            child.stdin.write(command + "\n")
        return [json.loads(child.stdout.readline()) for child in self.children]

    def close(self) -> None:
        """End them."""
        for child in self.children:
            child.communicate(timeout=30)


@pytest.fixture
def crowd(launch: Launch) -> Iterator[Crowd]:
    """Four that start at once."""
    found = Crowd(launch, 4)
    yield found
    found.close()


def _servers(launch: Launch) -> set[int]:
    """Live stand-in servers of the instance."""
    found = set()
    for pid in launch.processes():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"server.py" in line:
            found.add(pid)
    return found


def _many_starts(launch: Launch, crowd: Crowd, rounds: int) -> None:
    for number in range(rounds):
        answers = crowd.all("start")
        pids = {answer.get("pid") for answer in answers}
        assert len(pids) == 1 and None not in pids, (number, answers)
        assert sum(bool(answer["ours"]) for answer in answers) == 1, (number, answers)
        assert _servers(launch) == pids, number
        launch("stop", "--force")
        assert not _servers(launch), number


@pytest.mark.fault(17)
def test_of_simultaneous_starts_one_wins(launch: Launch, crowd: Crowd) -> None:
    _many_starts(launch, crowd, 2)


@pytest.mark.slow
@pytest.mark.fault(17)
def test_of_simultaneous_starts_one_wins_200_times(launch: Launch, crowd: Crowd) -> None:
    _many_starts(launch, crowd, 200)


def _many_restarts(launch: Launch, crowd: Crowd, rounds: int) -> None:
    before = launch.start()["pid"]
    for number in range(rounds):
        answers = crowd.all("restart")
        assert not any("error" in answer for answer in answers), (number, answers)
        after = launch.ask()["pid"]
        assert after != before and after in {answer["pid"] for answer in answers}, (number, answers)
        assert _servers(launch) == {after}, number
        before = after


@pytest.mark.fault(20)
def test_simultaneous_restarts_leave_one_new_server(launch: Launch) -> None:
    crowd = Crowd(launch, 2)
    try:
        _many_restarts(launch, crowd, 1)
    finally:
        crowd.close()


@pytest.mark.slow
@pytest.mark.fault(20)
def test_simultaneous_restarts_leave_one_new_server_50_times(launch: Launch, crowd: Crowd) -> None:
    _many_restarts(launch, crowd, 50)


def _killed_commands(launch: Launch, rounds: int, seed: int = 0) -> None:
    """A command dies at some moment; the next one finds a free lock and what was half done."""
    chance = random.Random(seed)
    for number in range(rounds):
        command = chance.choice(["start", "start", "restart", "stop"])
        child = launch.spawn(command)
        try:
            child.wait(timeout=chance.uniform(0.05, 0.6))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        pid = launch.start()["pid"]
        assert _servers(launch) == {pid}, (number, command)
        if chance.random() < 0.5:
            launch("stop", "--force")
            assert not _servers(launch), (number, command)


@pytest.mark.slow
@pytest.mark.fault(21)
def test_after_a_killed_command_the_next_one_goes_on(launch: Launch) -> None:
    _killed_commands(launch, 4)


@pytest.mark.slow
@pytest.mark.fault(21)
def test_after_a_killed_command_the_next_one_goes_on_100_times(launch: Launch) -> None:
    _killed_commands(launch, 100)


@pytest.mark.fault(21)
def test_a_supervisor_whose_start_was_killed_before_it_took_over_is_joined(launch: Launch) -> None:
    """Frozen between its birth and its lock, so that the next start finds no trace of it but the process."""
    launch.instance.prepare()
    child = launch.spawn("start")
    young = wait_for("the supervisor is born", lambda: _child_of(child.pid))
    young.signal(signal.SIGSTOP)
    child.kill()
    child.communicate(timeout=60)
    second = launch.spawn("start", "--json")
    os.kill(young.pid, signal.SIGCONT)
    assert json.loads(finish(second, 0).splitlines()[-1])["pid"] in _servers(launch)
    wait_for("one of them has gone", lambda: len(_servers(launch)) == 1)


class _Late:
    """``find_supervisor`` as it was an instant ago, before somebody's supervisor had its lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, launch: Launch) -> None:
        self.real = way.find_supervisor
        self.questions = 0
        monkeypatch.setattr(way, "find_supervisor", self)
        for key, value in launch.env().items():
            monkeypatch.setenv(key, value)

    def __call__(self, instance: Instance) -> identity.Identity | None:
        self.questions += 1
        return self.real(instance) if self.questions > 2 else None


@pytest.mark.fault(21)
def test_a_supervisor_that_takes_the_lock_while_a_start_looks_is_joined(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = launch.start()["pid"]
    _Late(monkeypatch, launch)
    started = start.start(options.resolve({}), 20, lambda *_: None)
    assert (started.record.server.pid, started.ours) == (pid, False)
    assert _servers(launch) == {pid}


@pytest.mark.fault(21)
def test_a_supervisor_that_takes_the_lock_after_the_last_look_is_joined(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new supervisor itself finds the lock taken."""
    pid = launch.start()["pid"]
    _Late(monkeypatch, launch)
    monkeypatch.setattr(way, "clear", lambda settings: [])
    started = start.start(options.resolve({}), 20, lambda *_: None)
    assert (started.record.server.pid, started.ours) == (pid, False)
    assert _servers(launch) == {pid}


@pytest.mark.fault(21)
def test_a_supervisor_that_takes_the_lock_while_a_stop_looks_is_stopped(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch.start()
    _Late(monkeypatch, launch)
    assert stop.stop(launch.instance)
    launch.gone(3)


def _child_of(pid: int) -> identity.Identity | None:
    """The supervisor; before it is one (between fork and exec) it still holds its parent's pipes."""
    born = (stat.pid for stat in identity.processes() if stat.parent == pid)
    return next((identity.Identity.of(child) for child in born if b"\0run\0" in _argv(child)), None)


def _argv(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.fault(60)
def test_a_stop_that_is_killed_halfway_is_finished_by_the_next(launch: Launch) -> None:
    launch.behaviour = "busy"
    launch.start("--drain-timeout", "60")
    first = launch.spawn("stop")
    wait_for("it is stopping", lambda: launch.status()["state"] == "STOPPING")
    first.kill()
    first.communicate(timeout=60)
    assert launch.json("stop", "--force")["stopped"]
    launch.gone(3)
    launch("status", code=3)
