"""``tts-launch status``: what state the instance is in, and the LSB exit code for it. Imports nothing slow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from . import ports, state, tree, way
from .identity import Identity, read_stat
from .instance import Instance
from .lock import held
from .state import Record, State

RUNNING, DEAD, NOT_RUNNING, UNKNOWN = 0, 1, 3, 4  # LSB


@dataclass(frozen=True, slots=True)
class Status:
    """One look at an instance."""

    instance: Instance
    code: int
    state: str  # a State, or DEAD, STOPPED, UNKNOWN
    record: Record
    supervisor: Identity | None

    @property
    def ready(self) -> bool:
        """Whether it serves now."""
        return self.code == RUNNING and self.record.ready

    def to_json(self) -> dict[str, Any]:
        """For ``--json``; never the forwarded flags, which may hold secrets."""
        record = self.record
        return {
            "state": self.state,
            "ready": self.ready,
            "code": self.code,
            "name": self.instance.name,
            "home": str(self.instance.home),
            "supervisor_pid": self.supervisor.pid if self.supervisor else None,
            "server_pid": record.server.pid if record.server and self.supervisor else None,
            "address": ports.url(record.host, record.port, record.https) if record.port else None,
            "engine": record.engine or None,
            "device": record.device or None,
            "generation": record.generation,
            "restarts": record.restarts,
            "uptime": uptime(record.server) if self.supervisor else None,
            "fraction": record.fraction,
            "text": record.text,
            "reason": record.reason,
            "exit_code": record.exit_code,
            "log_tail": record.log_tail,
            "logs": str(self.instance.logs),
        }


def look(instance: Instance) -> Status:
    """Judge by identity first, then by the lock, then by what another host would answer."""
    record = state.read(instance.state)
    if Identity.of(os.getpid()) is None:  # no /proc: nobody can be identified
        return _unverified(instance, record or Record())
    supervisor = way.find_supervisor(instance)
    if supervisor:
        mine = record if record and record.supervisor == supervisor else Record()
        return Status(instance, RUNNING, mine.state, mine, supervisor)
    if record is None:
        return _without_record(instance)
    if record.supervisor and not record.supervisor.here:
        return _other_host(instance, record)
    occupied = held(instance.lock)
    unseen = occupied and not tree.leftovers(instance)  # held in a container, for instance
    if record.version > state.VERSION or unseen:
        return Status(instance, UNKNOWN, "UNKNOWN", record, None)
    if record.state == State.EXITED and not occupied:  # something of it may have outlived its SIGKILL
        return Status(instance, NOT_RUNNING, State.EXITED, record, None)
    return Status(instance, DEAD, record.state if record.state == State.FATAL else "DEAD", record, None)


def _without_record(instance: Instance) -> Status:
    if held(instance.lock):  # between taking the lock and the first write, or leftovers
        starting = not tree.leftovers(instance)
        code, name = (RUNNING, State.STARTING.value) if starting else (DEAD, "DEAD")
        return Status(instance, code, name, Record(), None)
    stale = os.path.lexists(instance.pidfile) or os.path.lexists(instance.state)
    return Status(instance, DEAD if stale else NOT_RUNNING, "DEAD" if stale else "STOPPED", Record(), None)


def _unverified(instance: Instance, record: Record) -> Status:
    from . import probe
    from .messages import say

    record.reason = say("unverified")
    answers = record.port and probe.answers(record.host, record.port, https=record.https)
    if held(instance.lock) or answers:
        return Status(instance, RUNNING, record.state, record, record.supervisor)
    return Status(instance, UNKNOWN, "UNKNOWN", record, None)


def _other_host(instance: Instance, record: Record) -> Status:
    from . import probe

    if held(instance.lock) or probe.answers(record.host, record.port, https=record.https):
        return Status(instance, RUNNING, record.state, record, record.supervisor)
    same_host = record.supervisor is not None and record.supervisor.host == os.uname().nodename
    if same_host:  # an earlier boot of this machine: nothing of it can be alive
        return Status(instance, DEAD, "DEAD", record, None)
    return Status(instance, UNKNOWN, "UNKNOWN", record, None)


def uptime(process: Identity | None) -> float | None:
    """Seconds since ``process`` started, from the kernel's own counters."""
    stat = read_stat(process.pid) if process else None
    if stat is None:
        return None
    with open("/proc/uptime", encoding="ascii") as file:
        now = float(file.read().split()[0])
    return round(now - stat.ticks / os.sysconf("SC_CLK_TCK"), 1)
