"""``tts-launch stop``: the supervisor drains and ends its server; what a dead supervisor left is ended here."""

from __future__ import annotations

import os
import signal
import time

import click

from . import keeper, state, tree, way
from .errors import Failed, NotPermitted
from .identity import Identity
from .instance import Instance
from .lock import COMMAND_WAIT, Lock
from .policy import Policy
from .signals import Signals

_DEFAULT = 60.0  # where the state file does not say how long a stop takes


def stop(instance: Instance, force: bool = False, locked: bool = False) -> bool:
    """Stop the instance; False where none ran (stale files are removed all the same).

    ``locked``: the caller holds the command lock. Ctrl+C while it drains makes it quick.

    Raises:
        NotPermitted: it runs as another user.
        Failed: something does not end even after SIGKILL; its files stay.
    """
    if not (instance.run.exists() or way.find_supervisor(instance)):
        return False
    instance.prepare()
    if locked:
        return _stop(instance, force)
    with Lock(instance.command_lock) as lock:
        lock.acquire(COMMAND_WAIT)
        lock.write(f"{os.getpid()}\n")
        return _stop(instance, force)


def _stop(instance: Instance, force: bool) -> bool:
    if other := way.elsewhere(instance):
        raise Failed("elsewhere", host=other.host, pid=other.pid)
    supervisor = way.find_supervisor(instance)
    members = {item.pid for item in tree.descendants([supervisor.pid])} if supervisor else set()
    try:
        if supervisor:
            _end_supervisor(instance, supervisor, force)
        ended = way.end_leftovers(instance)
    except PermissionError as error:
        raise NotPermitted("other_user", pid=supervisor.pid if supervisor else "?") from error
    except Failed as error:
        if error.key == "already_supervised":  # another one has come since: it is stopped, too
            return _stop(instance, force)
        raise
    keeper.remove(instance.pidfile)
    keeper.remove(instance.state)
    if members or ended:
        _report_held(members | {item.pid for item in ended})
    return bool(supervisor or ended)


def _report_held(pids: set[int]) -> None:
    """GPU memory that the ended processes still hold is said, with the pid; no driver, no question."""
    from . import gpu

    for line in gpu.held_lines(pids):
        click.echo(line, err=True)


def _end_supervisor(instance: Instance, supervisor: Identity, force: bool) -> None:
    record = state.read(instance.state)
    forced = Policy.load(os.environ).forced
    bound = forced if force else record.stop_seconds if record else _DEFAULT
    supervisor.signal(signal.SIGQUIT if force else signal.SIGTERM)
    with Signals((signal.SIGINT,)) as signals:
        deadline = time.monotonic() + bound
        while supervisor.alive():
            if signals.take():
                supervisor.signal(signal.SIGQUIT)
                deadline = min(deadline, time.monotonic() + forced)
            if time.monotonic() > deadline:
                _kill(instance, supervisor)
                return
            signals.wait(0.02)


def _kill(instance: Instance, supervisor: Identity) -> None:
    """A supervisor that does not react (stopped, stuck): its tree is noted before it is killed."""
    members = tree.descendants([supervisor.pid]) | {supervisor}
    left = tree.end(lambda: {item for item in members if item.alive()}, 0, 5.0)
    if left:
        raise Failed("not_ending", pids=", ".join(str(item.pid) for item in left))
