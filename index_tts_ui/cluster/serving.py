"""The application that Ray Serve runs: engine replicas, placed where there is a GPU, restarted when they die.

``ray`` is imported here and in ``deploy`` alone. A replica is driven by the front over a connection of its own
(see ``dock``); Serve's handles are only used to ask how it is.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import ray
from ray import serve

from .. import config, logs
from . import scaling, station
from .settings import ClusterSettings

NAME = "Replica"
LEAVE_SECONDS = 70.0  # for what it still has to be spoken: ``replica.LEAVE_SECONDS`` and a little more
METRICS_SECONDS, LOOK_BACK_SECONDS = 1.0, 3.0
HEALTH_SECONDS = 5.0


class EngineReplica:
    """``flags``: settings of the front's machine; ``home`` is this machine's own (``TTS_HOME``)."""

    async def __init__(self, flags: dict[str, str], front: str, per_replica: int) -> None:  # type: ignore[misc]
        settings = config.load(flags)
        logs.setup_worker(settings.log_level, settings.log_format)
        self._per_replica = per_replica
        self._replica = station.build(settings, front, ray.util.get_node_ip_address())
        self._running = asyncio.create_task(self._replica.run())

    async def __call__(self) -> dict[str, Any]:
        """How it is, for people."""
        return {"pid": os.getpid(), "state": self._replica.state, "load": self._replica.load}

    def record_autoscaling_stats(self) -> dict[str, float]:
        """See ``scaling``."""
        return {scaling.METRIC: scaling.wanted(self._replica.load, self._per_replica)}

    def check_health(self) -> None:
        """Its loop answers; what is wrong with its engine the front says, and another replica would not mend."""
        if self._running.done():
            raise RuntimeError("the replica's loop has ended")

    async def __del__(self) -> None:  # type: ignore[misc]
        await self._replica.leave("Ray Serve ends it")


def application(args: dict[str, Any]) -> serve.Application:
    """``args``: ``flags``, ``front``, ``per_replica`` and the fields of ``ClusterSettings`` that count here.

    For ``serve.run``, and as ``import_path`` of a Serve config file.
    """
    known = {name: args[name] for name in ClusterSettings.__dataclass_fields__ if name in args}
    settings = ClusterSettings(**known)
    deployment = serve.deployment(
        EngineReplica,
        name=NAME,
        ray_actor_options={"num_gpus": settings.gpus, "num_cpus": settings.cpus},
        graceful_shutdown_timeout_s=LEAVE_SECONDS,
        health_check_period_s=HEALTH_SECONDS,
        autoscaling_config={
            "min_replicas": settings.min_replicas,
            "max_replicas": settings.max_replicas,
            "upscale_delay_s": settings.upscale_seconds,
            "downscale_delay_s": settings.downscale_seconds,
            "metrics_interval_s": METRICS_SECONDS,
            "look_back_period_s": LOOK_BACK_SECONDS,
            "policy": {"policy_function": "index_tts_ui.cluster.scaling:policy"},
        },
    )
    return deployment.bind(dict(args["flags"]), str(args["front"]), int(args["per_replica"]))
