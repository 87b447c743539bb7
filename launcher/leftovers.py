"""``tts-launch kill-leftovers``: what dead supervisors left on this machine, and what only looks like ours.

Ours is what carries our marker or holds our lock. What merely has a telling command line is foreign: it is listed,
and ended only on request. This process, those above it, other users' processes and everything below a live
supervisor are never touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import tree
from .identity import MARKER, Identity, marked, processes
from .instance import Instance
from .lock import COMMAND_WAIT, Lock
from .policy import Policy

_MODULES = ("index_tts_ui", "indextts")  # python -m these, or modules in them
_HELPERS = ("index_tts_ui.admin",)  # short-lived children of the launcher itself
_SCRIPTS = ("indextts", "indextts2")  # console scripts of IndexTTS
_PAGE = "webui.py"  # IndexTTS's own page; other projects have a file of that name, too
_VALUED = ("-W", "-X", "--check-hash-based-pycs")  # Python's options that take a value
_SECRET = re.compile("key|password|token|secret|auth", re.IGNORECASE)
SURE, MAYBE = "sure", "maybe"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A process of this user that looks like a speech server; ``guess`` is SURE, or MAYBE where only a name fits."""

    process: Identity
    guess: str
    command: str
    folder: str

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.process.pid


def arguments(pid: int) -> list[str]:
    """A process's command line; [] where it is gone or not shown."""
    return _strings(pid, "cmdline")


def _strings(pid: int, name: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return [os.fsdecode(part) for part in file.read().split(b"\0")[:-1]]
    except OSError:  # gone, or of another user
        return []


def shown(argv: list[str]) -> str:
    """A command line without what may be secret in it."""
    parts, hide = [], False
    for item in argv:
        name, given, _ = item.partition("=")
        secret = item.startswith("-") and _SECRET.search(name) is not None
        parts.append("***" if hide else f"{name}=***" if secret and given else item)
        hide = secret and not given
    return " ".join(parts)


def folder_of(pid: int) -> str:
    """Its current folder; "" where it is not shown."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def is_mine(pid: int) -> bool:
    """Whether it runs as this user."""
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


# ---- ours


def keys() -> set[str]:
    """Instances that have a marked process of this user on this machine."""
    prefix = f"{MARKER}="
    return {
        item[len(prefix) :].partition(":")[0]
        for stat in processes()
        if is_mine(stat.pid)
        for item in _strings(stat.pid, "environ")
        if item.startswith(prefix)
    }


def option(argv: list[str], name: str) -> str:
    """The value of the last ``name VALUE`` or ``name=VALUE``; "" without one."""
    found = ""
    for index, item in enumerate(argv):
        if item == name and index + 1 < len(argv):
            found = argv[index + 1]
        elif item.startswith(name + "="):
            found = item[len(name) + 1 :]
    return found


def instance_of(pid: int) -> Instance:
    """The instance that a supervisor's or server's command line, variables and folder name."""
    argv = arguments(pid)
    variables = dict(item.split("=", 1) for item in _strings(pid, "environ") if "=" in item)
    home = option(argv, "--home") or variables.get("TTS_HOME") or ""
    name = option(argv, "--name") or variables.get("TTS_NAME") or "default"
    return Instance(Path(folder_of(pid) or "/", home).resolve(), name)


def place_of(key: str) -> Instance | None:
    """The instance of a marker's key, if one of its processes still tells home and name."""
    for item in marked(key):
        instance = instance_of(item.process.pid)
        if instance.key == key:
            return instance
    return None


def of_key(key: str) -> set[Identity]:
    """Marked processes of this user whose supervisor is dead, with their trees (``tree.leftovers`` needs a home)."""
    carriers = marked(key)
    live = {item.supervisor.pid for item in carriers if item.supervisor.alive()}
    spared = live | {item.pid for item in tree.descendants(live)} | tree.ancestors()
    found = {item.process for item in carriers if item.process.pid not in spared}
    found |= tree.descendants(item.pid for item in found)
    return {item for item in found if item.pid > 1 and item.pid not in spared and is_mine(item.pid)}


def of(instance: Instance) -> list[Identity]:
    """Leftovers of one instance, by pid."""
    return sorted(tree.leftovers(instance), key=lambda item: item.pid)


def everywhere(instance: Instance) -> list[Identity]:
    """Leftovers of every instance of this user, ``instance`` included, by pid."""
    found = tree.leftovers(instance).union(*(of_key(key) for key in keys()))
    return sorted(found, key=lambda item: item.pid)


def end(instance: Instance, all_instances: bool) -> tuple[list[Identity], list[Identity]]:
    """End them: SIGTERM, then SIGKILL. Returns those that were found and those that did not end.

    Holds the instance's command lock meanwhile, so that no start or stop is half-way.

    Raises:
        PermissionError: one of them has become another user's.
        Failed: another command holds the lock.
    """
    with Lock(instance.command_lock) as lock:
        if instance.run.is_dir():
            lock.acquire(COMMAND_WAIT)
            lock.write(f"{os.getpid()}\n")

        def find() -> set[Identity]:
            """Looked for anew each round: what they start while they end carries the marker, too."""
            return set(everywhere(instance) if all_instances else of(instance))

        policy, found = Policy.load(os.environ), sorted(find(), key=lambda item: item.pid)
        return found, tree.end(find, policy.leftovers, policy.kill) if found else []


def end_these(found: Collection[Identity]) -> list[Identity]:
    """End exactly these and what they have started (they carry no marker); returns what is left."""
    policy = Policy.load(os.environ)
    spared = tree.ancestors()
    members = {item for item in found if item.pid not in spared}

    def find() -> set[Identity]:
        """Those that live, and children that they get while they are being ended."""
        nonlocal members
        live = {item for item in members if item.alive()}
        young = {item for item in tree.descendants(item.pid for item in live) if is_mine(item.pid)}
        members = members | {item for item in young if item.pid not in spared}
        return {item for item in members if item.alive()}

    return tree.end(find, policy.leftovers, policy.kill) if members else []


# ---- not ours


def foreign() -> list[Foreign]:
    """What looks like a speech server of this user and has no marker, by pid."""
    healthy = tree.ancestors() | _supervised()
    found = []
    for stat in processes():
        if stat.pid in healthy or not is_mine(stat.pid):
            continue
        argv = arguments(stat.pid)
        guess = looks_like(argv, folder_of(stat.pid)) if argv else ""
        identity = Identity.of(stat.pid) if guess else None
        if identity and identity.ticks == stat.ticks:
            found.append(Foreign(identity, guess, shown(argv), folder_of(stat.pid)))
    return sorted(found, key=lambda item: item.pid)


def _supervised() -> set[int]:
    """Processes with a marker, and all below a live supervisor, whatever their environment."""
    carriers = [item for key in keys() for item in marked(key)]
    supervisors = {item.supervisor.pid for item in carriers if item.supervisor.alive()}
    return {item.process.pid for item in carriers} | {item.pid for item in tree.descendants(supervisors)}


def looks_like(argv: list[str], folder: str) -> str:
    """SURE, MAYBE or "" for a command line: only programs that Python runs, never an editor or a search.

    ``folder`` is the current folder of the process.
    """
    if not argv or not Path(argv[0]).name.startswith("python"):
        return ""
    kind, target = _program(argv[1:])
    if kind == "module":
        inside = any(target == name or target.startswith(name + ".") for name in _MODULES)
        return SURE if inside and target not in _HELPERS else ""
    if kind != "script":
        return ""
    script = Path(folder or "/", target)
    if script.name in _SCRIPTS or {"indextts", "index_tts_ui"} & set(script.parts[:-1]):
        return SURE
    if script.name != _PAGE:
        return ""
    known = any((script.parent / name).is_dir() for name in _MODULES)
    return SURE if known else MAYBE


def _program(options: Iterable[str]) -> tuple[str, str]:
    """What Python runs: ("module", name), ("script", path), or ("", "") for -c, standard input and the like."""
    rest = iter(options)
    for item in rest:
        if item == "-m":
            return "module", next(rest, "")
        if item.startswith("-m") and len(item) > 2:
            return "module", item[2:]
        if item in _VALUED:
            next(rest, "")
        elif item == "-" or item.startswith("-c"):
            return "", ""
        elif not item.startswith("-"):
            return "script", item
    return "", ""
