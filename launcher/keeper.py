"""Keeps the supervisor's record, moves it along the state table, and writes it down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import LauncherError
from .identity import Identity
from .instance import Instance
from .journal import Journal
from .options import Settings
from .policy import Policy
from .state import Event, Record, State, after, pid_line, write_atomic


class Keeper:
    """The only writer of state.json and server.pid."""

    def __init__(self, instance: Instance, record: Record, log: Journal) -> None:
        self.instance = instance
        self.record = record
        self.log = log
        self.behind = False  # the files do not say the latest, since the disk was full

    @property
    def state(self) -> State:
        """The present state."""
        return self.record.state

    def use(self, settings: Settings, policy: Policy) -> None:
        """The record names the options that the next server gets, and how long a stop may then take."""
        record = self.record
        record.stop_seconds = settings.drain_timeout + policy.term + policy.kill + policy.orphans + 10
        record.host, record.port = settings.host, settings.port
        record.https = bool(settings.tls)
        record.engine, record.device = settings.engine, settings.device
        record.given, record.arguments = settings.given, list(settings.forwarded)

    def apply(self, event: Event) -> None:
        """Move along the table."""
        before, self.record.state = self.record.state, after(self.record.state, event)
        if self.record.state != before:
            self.log(f"{before} -> {self.record.state} ({event})")

    def update(self, **changes: Any) -> None:
        """Change the record and write it; a full disk must not stop a service that runs."""
        try:
            self.write(**changes)
            self.behind = False
        except (OSError, LauncherError) as error:
            self._refused("state", error)

    def write(self, **changes: Any) -> None:
        """Change the record and write it. Raises OSError: the old file is as it was."""
        for key, value in changes.items():
            setattr(self.record, key, value)
        write_atomic(self.instance.state, self.record.to_bytes())

    def write_pid(self, server: Identity) -> None:
        """server.pid, for other tools."""
        try:
            write_atomic(self.instance.pidfile, pid_line(server))
        except (OSError, LauncherError) as error:
            self._refused("pid", error)

    def _refused(self, what: str, error: Exception) -> None:
        if not self.behind:  # one line, not one a second
            self.log(f"{what} file not written: {error}")
        self.behind = True

    def restore(self) -> None:
        """Files of a running instance that were deleted, or that a full disk refused, are written again."""
        if not self.instance.run.exists():
            return
        behind = self.behind
        if behind or not self.instance.state.exists():
            self.update()
        if self.record.server and (behind or not self.instance.pidfile.exists()):
            self.write_pid(self.record.server)

    def close(self, asked: bool, left: list[Identity]) -> int:
        """The last entry; returns the supervisor's exit code.

        After a stop that was asked for nothing stays behind; any other end stays readable for ``status``.
        """
        if left:
            pids = ", ".join(str(item.pid) for item in left)
            self.update(reason=f"pid {pids}: state D")
            return 1
        remove(self.instance.pidfile)
        if self.state == State.EXITED and asked:
            remove(self.instance.state)
            return 0
        self.update()
        return 0 if self.state == State.EXITED else exit_code(self.record.exit_code)


def exit_code(code: int | None) -> int:
    """A process's end as an exit code of ours: 128 + signal for signals, never 0."""
    if code is None or code == 0:
        return 1
    return 128 - code if code < 0 else code


def remove(path: Path) -> None:
    """Unlink a plain file if it is there."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # a folder in its place is somebody else's
