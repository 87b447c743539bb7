"""``tts-launch ps``: every process of an instance, with its role and what it uses. Sizes are bytes, times seconds."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any

from . import gpu, leftovers, state, status, tree, way
from .errors import LauncherError
from .identity import Identity, marked, processes
from .instance import Instance
from .lock import held
from .messages import say

ROLES = ("supervisor", "server", "worker", "other")  # in this order in the table
_COLUMNS = ("role", "pid", "state", "memory", "gpu", "age", "cpu", "command")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``leftover``: its supervisor is dead. ``memory_kind`` is pss or rss ("" where hidden)."""

    home: str  # "" where no process tells it any more
    name: str
    role: str
    pid: int
    state: str
    leftover: bool
    memory: int | None
    memory_kind: str
    gpu_memory: int | None
    age: float | None
    cpu: float | None
    command: str


def of(instance: Instance) -> list[Process]:
    """All of one instance: what its supervisor has below it, and what a dead one left."""
    return _measured([(instance, identity) for identity in _members(instance)])


def everywhere() -> list[Process]:
    """All instances of this user on this machine, found by marker and by their supervisors' command lines."""
    pairs: list[tuple[Instance | None, Identity]] = []
    places = {instance.key: instance for instance in _supervised()}
    for key in leftovers.keys() - places.keys():
        if place := leftovers.place_of(key):
            places[key] = place
        else:
            pairs += [(None, item.process) for item in marked(key)]
    for place in places.values():
        try:
            pairs += [(place, identity) for identity in _members(place)]
        except LauncherError:  # its files cannot be read: what carries its marker is shown all the same
            pairs += [(None, item.process) for item in marked(place.key)]
    return _measured(pairs)


def _members(instance: Instance) -> set[Identity]:
    supervisor = way.find_supervisor(instance)
    found = {item.process for item in marked(instance.key)} | tree.leftovers(instance)
    if supervisor:
        found |= {supervisor} | tree.descendants([supervisor.pid])
    return found


def _supervised() -> list[Instance]:
    """Instances with a live supervisor of this user, even where nothing marked runs just now (back-off)."""
    found = []
    for stat in processes():
        argv = leftovers.arguments(stat.pid) if leftovers.is_mine(stat.pid) else []
        if not ("run" in argv and ("launcher" in argv or any(item.endswith("tts-launch") for item in argv))):
            continue
        instance = leftovers.instance_of(stat.pid)
        try:
            supervisor = way.find_supervisor(instance) if held(instance.lock) else None
        except LauncherError:
            continue
        if supervisor and supervisor.pid == stat.pid:
            found.append(instance)
    return found


def _measured(pairs: list[tuple[Instance | None, Identity]]) -> list[Process]:
    on_gpu = gpu.memory_of(gpu.look())
    places = {instance for instance, _ in pairs if instance}
    supervisors = {instance: way.find_supervisor(instance) for instance in places}
    servers = {instance: _server(instance) for instance in places}
    left = {instance: tree.leftovers(instance) for instance in places}
    found = []
    for place, identity in pairs:
        role = _role(identity, supervisors[place], servers[place]) if place else _role(identity, None, None)
        leftover = place is None or identity in left[place]
        if item := _measure(identity, place, role, leftover, on_gpu):
            found.append(item)
    return sorted(found, key=lambda item: (item.home, item.name, ROLES.index(item.role), item.pid))


def _server(instance: Instance) -> Identity | None:
    record = state.read(instance.state)
    return record.server if record else None


def _role(identity: Identity, supervisor: Identity | None, server: Identity | None) -> str:
    if identity in (supervisor, server):
        return "supervisor" if identity == supervisor else "server"
    argv = leftovers.arguments(identity.pid)
    if "index_tts_ui.worker" in argv:
        return "worker"
    return "server" if "index_tts_ui" in argv else "other"


def _measure(
    identity: Identity, instance: Instance | None, role: str, leftover: bool, on_gpu: dict[int, int]
) -> Process | None:
    """None where it has ended meanwhile."""
    import psutil

    try:
        process = psutil.Process(identity.pid)
        with process.oneshot():
            times, kind, word = process.cpu_times(), "pss", process.status()
            try:
                memory = process.memory_full_info().pss
            except (psutil.AccessDenied, AttributeError):
                memory, kind = process.memory_info().rss, "rss"
            command = leftovers.shown(process.cmdline()) or process.name()
    except (psutil.Error, OSError):
        return None
    if not identity.alive():  # what was read may be another's
        return None
    return Process(
        home=str(instance.home) if instance else "",
        name=instance.name if instance else "?",
        role=role,
        pid=identity.pid,
        state=word,
        leftover=leftover,
        memory=memory,
        memory_kind=kind,
        gpu_memory=on_gpu.get(identity.pid),
        age=status.uptime(identity),
        cpu=round(times.user + times.system, 2),
        command=command,
    )


def to_json(found: list[Process]) -> dict[str, Any]:
    """For ``--json``."""
    return {"processes": [asdict(item) for item in found]}


def table(found: list[Process], titled: bool, width: int = 0) -> list[str]:
    """Lines for people; ``titled`` puts a line with name and home above each instance; ``width`` cuts lines."""
    if not found:
        return [say("not_running")]
    rows = [[say(f"ps_{name}") for name in _COLUMNS], *(_row(item) for item in found)]
    sizes = [max(_wide(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
    lines = [_line(row, sizes, width) for row in rows]
    if not titled:
        return lines
    shown, before = [lines[0]], None
    for item, line in zip(found, lines[1:], strict=True):
        if (item.home, item.name) != before:
            before = (item.home, item.name)
            shown.append(say("ps_title", name=item.name, home=item.home or "?"))
        shown.append(line)
    return shown


def _row(item: Process) -> list[str]:
    return [
        say(f"role_{item.role}"),
        str(item.pid),
        say("ps_leftover", state=item.state) if item.leftover else item.state,
        _megabytes(item.memory),
        _megabytes(item.gpu_memory),
        _span(item.age),
        _span(item.cpu),
        item.command,
    ]


def _line(row: list[str], sizes: list[int], width: int) -> str:
    cells = [cell + " " * (size - _wide(cell)) for cell, size in zip(row[:-1], sizes, strict=True)]
    line = "  ".join([*cells, row[-1]])
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def _wide(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.0f} MB"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
