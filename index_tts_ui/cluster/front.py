"""The front's side, put together: a pool of replicas, and the dock where they join."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..config import Config
from ..plan import WorkerPlan
from ..scheduler import Scheduler
from . import token
from .dock import Dock
from .pool import ReplicaPool

log = logging.getLogger("tts.dock")


def pool(config: Config, engine: str, scheduler: Scheduler, plans: Sequence[WorkerPlan] = ()) -> ReplicaPool:
    """The workers of a service with ``cluster_port``; ``plans`` are others, which do not join.

    Raises BadConfig where there is no token.
    """
    if config.keep_alive:
        log.warning("keep_alive is not used in a cluster: Ray Serve decides how many replicas there are")
    made = ReplicaPool(scheduler, plans)
    address = (config.cluster_host or config.host, config.cluster_port)
    Dock(scheduler, made, address, token.read(config.home_dir), engine, config.voices / "clips")
    return made
