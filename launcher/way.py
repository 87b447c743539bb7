"""What must be true before a server may be spawned: the way is clear, or one line says what is in it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace

import click

from . import ports, state, tree
from .errors import Failed, LauncherError, NotPermitted
from .identity import Identity, marked, me
from .instance import Instance
from .lock import Lock, held
from .messages import say
from .options import Settings
from .policy import Policy

UNLOCK_WAIT = 3.0  # seconds; what has ended lets go at once, and a ``status`` holds it for an instant


def find_supervisor(instance: Instance) -> Identity | None:
    """The live supervisor: by state file, else by lock file, else (files deleted) by its server's marker."""
    record = state.read(instance.state)
    for known in (record.supervisor if record else None, tree.instance_supervisor(instance)):
        if known and known.alive():
            return known
    return next((item.supervisor for item in marked(instance.key) if item.supervisor.alive()), None)


def elsewhere(instance: Instance) -> Identity | None:
    """A supervisor that another host or boot recorded and that this host cannot judge but may still run.

    Raises:
        Failed: without /proc nobody can be judged.
    """
    me()
    record = state.read(instance.state)
    known = record.supervisor if record else None
    return known if known and not known.here and held(instance.lock) else None


def check_model(settings: Settings, warn: Callable[[str], None] = lambda line: None) -> str:
    """The engine to start: the one that is named, or of ``auto`` the first whose model can be loaded.

    ``warn`` hears one line for each whose model is damaged, and one where a GPU waits for a better engine.

    Raises:
        NotConfigured: the model is missing or damaged; it names the command that helps.
        NotPermitted: a file of it may not be read.
    """
    from . import fitting, models

    names = fitting.candidates(settings, warn) if settings.engine == "auto" else (settings.engine,)
    for engine in names:
        model = models.needed_by(engine)
        folder = settings.instance.cache_hub / model
        error = models.problems(models.check(folder.parent, model), folder) if model else None
        if error is None:
            return engine
        if engine == names[-1]:
            raise error
        warn(say("next_engine", engine=engine, reason=error.message))
    raise AssertionError("there is at least one engine")


def with_engine(settings: Settings, warn: Callable[[str], None]) -> Settings:
    """``settings`` with the engine that ``auto`` stands for now; a server says itself what it cannot load."""
    try:
        return replace(settings, engine=check_model(settings, warn))
    except LauncherError:
        return settings


def end_leftovers(instance: Instance) -> list[Identity]:
    """End what a dead supervisor left.

    Raises:
        Failed: something survives SIGKILL, or holds the lock and cannot be identified (in a container, say);
            "already_supervised": a supervisor has taken over since it was looked for.
    """
    found = sorted(tree.leftovers(instance), key=lambda item: item.pid)
    if found:
        policy = Policy.load(os.environ)
        left = tree.end(lambda: tree.leftovers(instance), policy.leftovers, policy.kill)
        if left:
            raise Failed("not_ending", pids=", ".join(str(item.pid) for item in left))
    _check_unlocked(instance)
    return found


def _check_unlocked(instance: Instance) -> None:
    deadline = time.monotonic() + UNLOCK_WAIT
    while held(instance.lock):
        not_taken(instance, deadline)


def not_taken(instance: Instance, deadline: float) -> None:
    """One wait for the instance lock.

    Raises:
        Failed: "already_supervised" as soon as its holder is a live supervisor (a start was killed after
            it had spawned it, so that nobody could know); "instance_locked" when the time is over.
    """
    if (running := tree.instance_supervisor(instance)) and running.alive() and held(instance.lock):
        raise Failed("already_supervised", pid=running.pid)
    if time.monotonic() > deadline:
        raise Failed("instance_locked", path=instance.lock, pid=Lock(instance.lock).holder() or "?")
    time.sleep(0.02)


def check_files(instance: Instance) -> None:
    """Raises NotPermitted where something else is in place of a file that would be written."""
    for path in (instance.state, instance.pidfile, instance.lock):
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise NotPermitted("not_a_file", path=path)
        except FileNotFoundError:
            pass


def clear(settings: Settings) -> list[Identity]:
    """Everything a start must know beforehand, cheapest first; returns the leftovers that were ended."""
    instance = settings.instance
    instance.prepare()
    check_files(instance)
    check_model(settings, lambda line: click.echo(line, err=True))
    if other := elsewhere(instance):
        raise Failed("elsewhere", host=other.host, pid=other.pid)
    ended = end_leftovers(instance)
    ports.check_free(settings.host, settings.port)
    return ended
