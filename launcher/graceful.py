"""``tts-launch restart --graceful``: asks the supervisor for another server, and waits until it serves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import options, request, start, state, way
from .errors import Failed, LauncherError, NotPermitted, Reported
from .identity import Identity
from .lock import COMMAND_WAIT, Lock
from .options import Settings
from .request import Request
from .signals import Signals
from .state import FINAL, Record, State

ANSWER_WAIT = 30.0  # seconds for the supervisor to take the request; it may be ending a tree of processes


class _Unattended(LauncherError):
    """The command ends, the restart does not (128 + signal)."""

    def __init__(self, signum: int) -> None:
        super().__init__("graceful_unattended")
        self.exit_code = 128 + signum  # type: ignore[misc]


def restart(
    settings: Settings,
    given: Mapping[str, Any],
    forwarded: Sequence[str],
    timeout: float,
    progress: start.Progress,
    overlap: bool = False,
) -> start.Started:
    """Replace the running server by a new one on the same socket; an instance that does not run is started.

    ``settings`` names the instance; ``given`` and ``forwarded`` win over the flags of the running
    server. ``overlap``: the new model is loaded beside the old one.

    Raises:
        Reported: the supervisor refuses, or the new server does not come up (the old one goes on).
        NotConfigured: the engine's model is missing.
        Failed: the supervisor is of an older version, gives no answer, or the time is over.
    """
    instance = settings.instance
    instance.prepare()
    flags = {key: value for key, value in given.items() if value is not None and key not in ("home", "name")}
    wanted = Request(flags, tuple(forwarded), overlap)
    with Lock(instance.command_lock) as lock, Signals((signal.SIGINT, signal.SIGTERM)) as signals:
        lock.acquire(COMMAND_WAIT, lambda: _check(signals))
        lock.write(f"{os.getpid()}\n")
        supervisor, record = _in_service(settings, signals)
        if record and supervisor:
            way.check_model(replace(settings, engine=flags.get("engine") or record.engine))
            answer = _ask(settings, supervisor, record, wanted, signals)
            lock.release()
            record = _wait(settings, supervisor, wanted.id, answer, timeout, progress, signals)
            return start.Started(supervisor, record, ours=True)
    return _start(settings, record, flags, forwarded, timeout, progress)


def _start(
    settings: Settings, record: Record | None, flags: dict[str, Any], forwarded: Sequence[str], *rest: Any
) -> start.Started:
    """Nothing runs that could be replaced: as ``restart`` does, with the options it had."""
    if record:
        settings = options.recorded(settings.instance, record)
    return start.start(options.again(settings, flags, forwarded), *rest)


def _in_service(settings: Settings, signals: Signals) -> tuple[Identity | None, Record | None]:
    """The supervisor, unless it is about to end, and the last record.

    Files that were deleted come back within a second.
    """
    if other := way.elsewhere(settings.instance):
        raise Failed("elsewhere", host=other.host, pid=other.pid)
    deadline = time.monotonic() + ANSWER_WAIT
    while True:
        running, record = way.find_supervisor(settings.instance), state.read(settings.instance.state)
        if running is None or (record and record.supervisor == running) or time.monotonic() > deadline:
            break
        signals.wait(0.05)
        _check(signals)
    ends = record is None or record.state in (State.STOPPING, *FINAL)
    return None if ends else running, record


def _check(signals: Signals) -> None:
    if pending := signals.take():
        raise _Unattended(pending[0])


def _ask(
    settings: Settings, supervisor: Identity, record: Record, wanted: Request, signals: Signals
) -> dict[str, Any]:
    """Hand the request over; returns the answer, which may be a refusal."""
    if not record.graceful:
        raise Failed("graceful_old")
    request.put(settings.instance, wanted)
    try:
        supervisor.signal(signal.SIGUSR2)
        answer = _poll(settings, supervisor, wanted.id, ANSWER_WAIT, signals)
    except PermissionError as error:
        raise NotPermitted("other_user", pid=supervisor.pid) from error
    finally:
        request.remove(settings.instance)
    if answer is None:
        raise Failed("graceful_no_answer", pid=supervisor.pid, seconds=ANSWER_WAIT)
    return answer


def _poll(
    settings: Settings, supervisor: Identity, wanted: str, seconds: float, signals: Signals
) -> dict[str, Any] | None:
    deadline = time.monotonic() + seconds
    while supervisor.alive() and time.monotonic() < deadline:
        record = state.read(settings.instance.state)
        answer = record.answers.get(wanted) if record else None
        if isinstance(answer, dict):
            return answer
        signals.wait(0.02)
        _check(signals)
    return None


def _wait(
    settings: Settings,
    supervisor: Identity,
    wanted: str,
    answer: dict[str, Any],
    timeout: float,
    progress: start.Progress,
    signals: Signals,
) -> Record:
    """Until a server that was started after the request can serve; whatever happens, nothing is stopped."""

    def done(record: Record) -> bool:
        now = record.answers.get(wanted, answer)
        if "error" in now:
            raise Reported(now["error"], now["message"], now["exit_code"])
        return record.ready and 0 < now["generation"] <= record.generation

    over = Failed("graceful_timeout", seconds=timeout)
    return start.follow(settings, supervisor, timeout, done, progress, signals, _check, over)
