"""What must be true before a server may be spawned: the way is clear, or one line says what is in it."""

from __future__ import annotations

import os

from . import ports, state, tree
from .errors import Failed, NotConfigured
from .identity import Identity, marked
from .instance import Instance
from .lock import held
from .options import Settings
from .policy import Policy


def find_supervisor(instance: Instance) -> Identity | None:
    """The live supervisor: by state file, else by lock file, else (files deleted) by its server's marker."""
    record = state.read(instance.state)
    for known in (record.supervisor if record else None, tree.instance_supervisor(instance)):
        if known and known.alive():
            return known
    return next((item.supervisor for item in marked(instance.key) if item.supervisor.alive()), None)


def elsewhere(instance: Instance) -> Identity | None:
    """A supervisor that another host or boot recorded and that this host cannot judge but may still run."""
    record = state.read(instance.state)
    known = record.supervisor if record else None
    return known if known and not known.here and held(instance.lock) else None


def check_model(settings: Settings) -> None:
    """Raises NotConfigured with the command that helps."""
    from . import models

    model = models.needed_by(settings.engine)
    if model and not models.is_ready(settings.instance.cache_hub, model):
        raise NotConfigured("model_missing", model=model, path=settings.instance.cache_hub / model)


def end_leftovers(instance: Instance) -> list[Identity]:
    """End what a dead supervisor left. Raises Failed where something survives SIGKILL."""
    found = sorted(tree.leftovers(instance), key=lambda item: item.pid)
    if found:
        policy = Policy.load(os.environ)
        left = tree.end(lambda: tree.leftovers(instance), policy.leftovers, policy.kill)
        if left:
            raise Failed("not_ending", pids=", ".join(str(item.pid) for item in left))
    return found


def clear(settings: Settings) -> list[Identity]:
    """Everything a start must know beforehand, cheapest first; returns the leftovers that were ended."""
    instance = settings.instance
    instance.prepare()
    check_model(settings)
    if other := elsewhere(instance):
        raise Failed("elsewhere", host=other.host, pid=other.pid)
    ended = end_leftovers(instance)
    ports.check_free(settings.host, settings.port)
    return ended
