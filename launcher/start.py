"""``tts-launch start``: one of many wins and spawns the supervisor; everybody waits until it is ready."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from . import state, stop, way
from .errors import (
    EXIT_CONFIG,
    EXIT_USAGE,
    BadArguments,
    Failed,
    Interrupted,
    LauncherError,
    NotConfigured,
    Reported,
)
from .identity import MARKER, Identity
from .instance import Instance
from .lock import COMMAND_WAIT, Lock
from .messages import say
from .options import Settings
from .signals import Signals
from .state import FINAL, Record, State

REPORT_WAIT = 30.0  # seconds for the supervisor to take over (a Python start and two locks)
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Started:
    """What a start found or made. ``ours``: this command spawned it."""

    supervisor: Identity
    record: Record
    ours: bool
    ended: tuple[int, ...] = ()  # pids of leftovers that were ended first


def start(settings: Settings, timeout: float, progress: Progress, lock: Lock | None = None) -> Started:
    """Start, or join the instance that is there, and wait until it is ready.

    ``lock``: the command lock, if the caller holds it already (restart); it is released once the
    supervisor has taken over. On Ctrl+C and on a timeout nothing of our own start is left.
    """
    with Signals((signal.SIGINT, signal.SIGTERM)) as signals:
        running = None if lock else _joinable(settings.instance)
        ended: tuple[int, ...] = ()
        ours = False
        if running is None:
            running, ours, ended = _launch(settings, lock or Lock(settings.instance.command_lock), signals)
        while True:
            try:
                record = _wait_ready(settings, running, timeout, progress, signals)
                return Started(running, record, ours, ended)
            except _Stopped:  # by a stop, or by a restart, whose new server is as good as ours
                running, ours = _successor(settings.instance, signals), False
            except (Interrupted, _TimedOut) as error:
                if ours:
                    stop.stop(settings.instance, force=isinstance(error, Interrupted))
                raise


def _launch(settings: Settings, lock: Lock, signals: Signals) -> tuple[Identity, bool, tuple[int, ...]]:
    """The supervisor, whether it is ours, and the leftovers that were ended for it."""
    settings.instance.prepare()
    if lock.fd < 0:
        _take(lock, signals)
    with lock:
        if not lock.works():
            click.echo(say("no_flock", path=lock.path, reason="flock"), err=True)
        while True:
            if running := _after_its_end(settings.instance, signals):
                return running, False, ()
            try:
                ended = way.clear(settings)
                return _spawn(settings, signals), True, tuple(item.pid for item in ended)
            except LauncherError as error:
                if error.key != "already_supervised":  # else it came in between: it is joined
                    raise


def _take(lock: Lock, signals: Signals) -> None:
    lock.acquire(COMMAND_WAIT, lambda: _check(signals))
    lock.write(f"{os.getpid()}\n")


def _successor(instance: Instance, signals: Signals) -> Identity:
    """The supervisor that whoever stopped ours has started, once its command is that far."""
    with Lock(instance.command_lock) as lock:
        _take(lock, signals)
        if running := _after_its_end(instance, signals):
            return running
    raise Failed("stopped_while_starting")


def _joinable(instance: Instance) -> Identity | None:
    """A live supervisor that is not about to end (one that ends removes its record first)."""
    running = way.find_supervisor(instance)
    record = state.read(instance.state)
    stays = record and record.supervisor == running and record.state not in (State.STOPPING, *FINAL)
    return running if stays else None


def _after_its_end(instance: Instance, signals: Signals) -> Identity | None:
    """A supervisor that is stopping is waited for; one that is not is joined once it has its record."""
    deadline = time.monotonic() + COMMAND_WAIT
    while (running := way.find_supervisor(instance)) and _joinable(instance) is None:
        _check(signals)
        if time.monotonic() > deadline:
            raise Failed("lock_timeout", path=instance.lock, seconds=COMMAND_WAIT, pid=running.pid)
        signals.wait(0.05)
    return running


def _check(signals: Signals) -> None:
    if pending := signals.take():
        raise Interrupted(pending[0])


def _spawn(settings: Settings, signals: Signals) -> Identity:
    """A supervisor in a session of its own; none of its descriptors is the caller's terminal or pipe."""
    read_fd, write_fd = os.pipe()
    argv = [sys.executable, "-P", "-m", "launcher", "run", "--report-fd", str(write_fd), *settings.typed()]
    log = open(settings.instance.launcher_log, "ab")  # noqa: SIM115
    with log:
        try:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=settings.instance.home,
                env={key: value for key, value in os.environ.items() if key != MARKER},
                pass_fds=(write_fd,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(read_fd)
            raise Failed("cannot_spawn", reason=error.strerror) from error
        finally:
            os.close(write_fd)
    try:
        return _taken_over(child, read_fd, signals)
    except Interrupted:
        _undo(settings, child)
        raise
    finally:
        os.close(read_fd)


def _taken_over(child: subprocess.Popen[bytes], read_fd: int, signals: Signals) -> Identity:
    deadline = time.monotonic() + REPORT_WAIT
    data = b""
    while not data.endswith(b"\n"):
        _check(signals)
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
            raise Failed("no_report", seconds=REPORT_WAIT)
        if select.select([read_fd], [], [], 0.05)[0]:
            chunk = os.read(read_fd, 1 << 16)
            if not chunk:
                raise Failed("supervisor_died", code=child.wait(timeout=10))
            data += chunk
    report = json.loads(data)
    if "error" in report:
        child.wait(timeout=10)
        raise Reported(report["error"], report["message"], report["exit_code"])
    identity = Identity.of(child.pid)
    child.returncode = 0  # it outlives us: not ours to wait for
    if identity is None:
        raise Failed("supervisor_died", code=child.wait(timeout=10))
    return identity


def _undo(settings: Settings, child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGQUIT)
    try:
        child.wait(timeout=15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    stop.stop(settings.instance, force=True, locked=True)


class _TimedOut(Failed):
    """Not ready within --start-timeout."""


class _Stopped(Failed):
    """It ended before it was ready, and not by itself."""


def _wait_ready(
    settings: Settings, supervisor: Identity, timeout: float, progress: Progress, signals: Signals
) -> Record:
    over = _TimedOut("start_timeout", seconds=timeout)
    return follow(settings, supervisor, timeout, lambda record: record.ready, progress, signals, _check, over)


def follow(
    settings: Settings,
    supervisor: Identity,
    timeout: float,
    done: Callable[[Record], bool],
    progress: Progress,
    signals: Signals,
    check: Callable[[Signals], None],
    over: Failed,
) -> Record:
    """Watch what ``supervisor`` records until ``done``; returns that record.

    Raises:
        Failed: ``over`` after ``timeout`` seconds; "stopped_while_starting" where it ends before.
        LauncherError: it recorded FATAL; or what ``done`` and ``check`` raise.
    """
    deadline = time.monotonic() + timeout
    while True:
        alive = supervisor.alive()  # asked first, so that a record written at the very end is still seen
        record = state.read(settings.instance.state)
        if record and record.supervisor == supervisor:
            if done(record) and alive:
                return record
            if record.state == State.FATAL:
                raise fatal(record)
            progress(record.fraction, record.text)
        if not alive:
            raise _Stopped("stopped_while_starting")
        if time.monotonic() > deadline:
            raise over
        signals.wait(0.05)
        check(signals)


def fatal(record: Record) -> LauncherError:
    """What a record in state FATAL means for the command that waits."""
    kinds: dict[int | None, type[LauncherError]] = {EXIT_CONFIG: NotConfigured, EXIT_USAGE: BadArguments}
    error = kinds.get(record.exit_code, Failed)(
        "fatal", reason=record.reason, tail="\n".join(record.log_tail)
    )
    if record.exit_code == 5:
        error.exit_code = 5  # type: ignore[misc]
    return error
