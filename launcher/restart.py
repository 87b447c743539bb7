"""``tts-launch restart``: stop and start under one command lock, with the options the instance had."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import options, start, state, stop
from .lock import COMMAND_WAIT, Lock
from .options import Settings


def restart(
    settings: Settings,
    given: Mapping[str, Any],
    forwarded: Sequence[str],
    timeout: float,
    progress: start.Progress,
) -> start.Started:
    """Stop what runs, start it again; an instance that does not run is started.

    ``settings`` names the instance; ``given`` and ``forwarded`` are this command's flags, which win
    over those of the last start. Raises what ``stop`` and ``start`` raise.
    """
    instance = settings.instance
    instance.prepare()
    with Lock(instance.command_lock) as lock:
        lock.acquire(COMMAND_WAIT)
        lock.write(f"{os.getpid()}\n")
        record = state.read(instance.state)
        previous = options.recorded(instance, record) if record else settings
        wanted = options.again(previous, given, forwarded)
        stop.stop(instance, locked=True)
        return start.start(wanted, timeout, progress, lock)
