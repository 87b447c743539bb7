"""``tts-launch run``: the supervisor in this process, for systemd, containers and ``start``."""

from __future__ import annotations

import json
import os
import time

from . import ports, way
from .errors import Failed, LauncherError
from .identity import me
from .journal import Journal
from .lock import COMMAND_WAIT, Lock
from .messages import say
from .notify import Notify, take
from .options import Settings
from .supervisor import Supervisor


class Report:
    """Tells the waiting ``start`` once that the supervisor has taken over, or why not."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd

    def send(self, **fields: object) -> None:
        """One JSON line; nobody may be listening any more."""
        if self.fd is None:
            return
        try:
            os.write(self.fd, json.dumps(fields).encode() + b"\n")
            os.close(self.fd)
        except OSError:
            pass  # the one who asked is gone; the service goes on
        self.fd = None


def run(settings: Settings, report_fd: int | None = None) -> int:
    """Supervise until the end; returns the exit code.

    With ``report_fd`` the caller holds the command lock and has cleared the way; else it is done here.
    """
    report = Report(report_fd)
    if report_fd is not None:
        os.set_inheritable(report_fd, False)
    log = Journal(settings.instance.launcher_log, echo=report_fd is None, form=settings.log_format)
    told = take(os.environ)  # systemd speaks to the unit's own process, not to one that start has detached
    notify = Notify(told if report_fd is None else {})
    try:
        return _supervise(settings, report, log, notify)
    except LauncherError as error:
        log(error.message)
        report.send(error=error.key, message=error.message, exit_code=error.exit_code)
        raise
    except OSError as error:
        failure = Failed("cannot_write", path=settings.instance.run, reason=error.strerror)
        log(failure.message)
        report.send(error=failure.key, message=failure.message, exit_code=failure.exit_code)
        raise failure from error


def _supervise(settings: Settings, report: Report, log: Journal, notify: Notify) -> int:
    command = Lock(settings.instance.command_lock)
    if report.fd is None:
        settings.instance.prepare()
        command.acquire(COMMAND_WAIT)
        command.write(f"{os.getpid()}\n")
        if running := way.find_supervisor(settings.instance):
            raise Failed("already_supervised", pid=running.pid)
        for item in way.clear(settings):
            log(f"ended pid {item.pid}, left over from a dead supervisor")
    lock = _take_lock(settings)
    sock = ports.bind(settings.host, settings.port)
    log(
        f"supervising {settings.instance.name} in {settings.instance.home} on "
        f"{ports.url(settings.host, settings.port, bool(settings.tls))}"
    )
    if ports.is_public(settings.host) and not settings.instance.has_keys:
        log(say("public_warning"))

    def started() -> None:
        report.send(pid=os.getpid())
        command.release()

    return Supervisor(settings, lock, sock, log, notify).run(started)


def _take_lock(settings: Settings) -> Lock:
    lock = Lock(settings.instance.lock)
    deadline = time.monotonic() + way.UNLOCK_WAIT
    while not lock.try_acquire():
        way.not_taken(settings.instance, deadline)
    lock.write(f"{os.getpid()}\n{json.dumps(me().to_json())}\n")
    if not lock.works():
        Journal(settings.instance.launcher_log, echo=True)(say("no_flock", path=lock.path, reason="flock"))
    return lock
