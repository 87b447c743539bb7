"""Programs that do not start, and systems that have nothing left: one line, the right code, no remains."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import LAUNCH, Launch
from .tools import AS_NOBODY, RIGHTS, need


def _missing(path: Path) -> None:
    """Nothing there."""


def _not_executable(path: Path) -> None:
    path.write_text("#!/bin/sh\n")


def _folder(path: Path) -> None:
    path.mkdir(mode=0o755)


def _no_interpreter(path: Path) -> None:
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)


def _no_program(path: Path) -> None:
    path.write_bytes(b"\x7fELF is not all that it takes")
    path.chmod(0o755)


@pytest.mark.fault(36)
@pytest.mark.parametrize("make", [_not_executable, _folder, _no_interpreter, _no_program])
def test_a_program_that_cannot_be_executed_is_exit_5_at_once(
    launch: Launch, make: Callable[[Path], None]
) -> None:
    program = launch.home.parent / "program"
    make(program)
    launch.environ["TTS_SERVER_COMMAND"] = str(program)
    assert str(program) in launch("start", code=5)
    assert not launch.instance.pidfile.exists() and not launch.processes()


def _limited(launch: Launch, prefix: list[str], what: int, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *LAUNCH, "start"], env=launch.env(), cwd=launch.home, text=True, capture_output=True,
        timeout=60, preexec_fn=lambda: resource.setrlimit(what, (number, number)),
    )  # fmt: skip


@pytest.mark.fault(37)
@pytest.mark.parametrize("number", [7, 10, 13])
def test_no_descriptors_left_is_one_line(launch: Launch, number: int) -> None:
    """At first the command itself has too few, then the supervisor, then it is enough."""
    ran = _limited(launch, [], resource.RLIMIT_NOFILE, number)
    assert "Traceback" not in ran.stdout + ran.stderr + launch.log(), ran
    if ran.returncode:
        assert ran.returncode in (1, 4) and ran.stderr.strip(), ran
        launch.gone(5)


@pytest.mark.fault(37)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_processes_left_is_one_line(launch: Launch, number: int) -> None:
    """The command alone, with its supervisor, and with one server: the limit counts a user's processes."""
    need(AS_NOBODY)
    user = 61_000 + os.getpid() % 4_000  # nobody else's
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", *RIGHTS]
    launch.instance.prepare()
    for folder in (launch.home, launch.instance.run, launch.instance.logs):
        os.chown(folder, user, user)
    ran = _limited(launch, prefix, resource.RLIMIT_NPROC, number)
    assert "Traceback" not in ran.stdout + ran.stderr + launch.log(), ran
    if number < 3:
        assert ran.returncode == 1 and "process" in ran.stderr, ran
        launch.gone(5)
