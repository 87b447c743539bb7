"""A whole process tree: who belongs to it, and how it is ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable

from . import lock
from .identity import Identity, marked, processes
from .instance import Instance

Find = Callable[[], set[Identity]]


def descendants(roots: Iterable[int]) -> set[Identity]:
    """All live processes below ``roots`` (not the roots themselves), in whatever session."""
    children: dict[int, list[int]] = {}
    for stat in processes():
        children.setdefault(stat.parent, []).append(stat.pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        for pid in children.get(todo.pop(), ()):
            if pid not in found:
                found.add(pid)
                todo.append(pid)
    return {identity for pid in found if (identity := Identity.of(pid))}


def ancestors() -> set[int]:
    """This process and all above it: never to be ended by ourselves."""
    parents = {stat.pid: stat.parent for stat in processes()}
    found, pid = set(), os.getpid()
    while pid and pid not in found:
        found.add(pid)
        pid = parents.get(pid, 0)
    return found


def _ours(uid_of: int, instance: Instance) -> bool:
    """A process of this user; root also ends those of the folder's owner."""
    try:
        uid = os.stat(f"/proc/{uid_of}").st_uid
        return uid == os.geteuid() or (os.geteuid() == 0 and uid == instance.run.stat().st_uid)
    except OSError:
        return False


def leftovers(instance: Instance) -> set[Identity]:
    """Processes of this instance whose supervisor is dead, by marker and by inherited lock, with their trees.

    What a live supervisor owns is a healthy instance, and is never in here.
    """
    carriers = marked(instance.key)
    keepers = {item.supervisor for item in carriers} | {instance_supervisor(instance)}
    live = {keeper.pid for keeper in keepers if keeper and keeper.alive()}
    healthy = live | {item.pid for item in descendants(live)} | ancestors()
    orphans = {item.process for item in carriers if item.process.pid not in healthy}
    holders = (Identity.of(pid) for pid in lock.holders(instance.lock) if pid not in healthy)
    orphans |= {identity for identity in holders if identity}
    orphans |= descendants(item.pid for item in orphans)
    return {
        item for item in orphans if item.pid > 1 and item.pid not in healthy and _ours(item.pid, instance)
    }


def instance_supervisor(instance: Instance) -> Identity | None:
    """The last taker of the instance lock, as it wrote itself into the lock file."""
    import json

    try:
        return Identity.from_json(json.loads(lock.read_text(instance.lock, 4096).partition("\n")[2]))
    except ValueError:
        return None


def end(find: Find, gentle: float, hard: float, signum: int = signal.SIGTERM) -> list[Identity]:
    """End all that ``find`` names: ``signum``, ``gentle`` seconds, then SIGKILL in rounds for ``hard`` seconds.

    The first snapshot is taken before the first signal: afterwards the orphans have another parent.
    Returns what even SIGKILL did not end (a stuck driver).
    """
    members = find()
    if gentle > 0:
        _signal_all(members, signum)
        members = _until_gone(find, members, gentle)
    deadline = time.monotonic() + hard
    while members and time.monotonic() < deadline:
        _signal_all(members, signal.SIGKILL)
        members = _until_gone(find, members, 0.1)
    return sorted(members, key=lambda item: item.pid)


def _signal_all(members: set[Identity], signum: int) -> None:
    for item in members:
        try:
            item.signal(signum)
        except PermissionError:
            pass  # it has become another user's; it is reported with those that do not end


def _until_gone(find: Find, members: set[Identity], seconds: float) -> set[Identity]:
    """Who of ``members`` and of what they started meanwhile is left after at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        members = {item for item in members if item.alive()}
        if not members:
            members = find()
        if not members or time.monotonic() > deadline:
            return members | find()
        time.sleep(0.02)
