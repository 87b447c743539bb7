"""What talks to Ray: deploying the replicas, asking how they are, taking them down. One short-lived driver each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import ray
from ray import serve

from ..config import Config
from .order import APP, arguments
from .serving import NAME, application
from .settings import ClusterSettings

NAMESPACE = "index-tts-ui"


@contextlib.contextmanager
def driver(address: str) -> Iterator[None]:
    """Connected to the Ray of ``address`` (host:port). Raises ConnectionError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address=address, namespace=NAMESPACE, logging_level="error", log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()


def deploy(config: Config, settings: ClusterSettings) -> dict[str, Any]:
    """Have Ray Serve run the replicas; without its own HTTP door, which nobody needs."""
    with driver(f"{settings.address}:{settings.ray_port}"):
        serve.start(proxy_location="Disabled")
        # not waited for: a GPU for it may join later
        target = serve.RunTarget(application(arguments(config, settings)), name=APP, route_prefix=None)
        serve.run_many([target], wait_for_applications_running=False)
        return _seen()


def look(settings: ClusterSettings) -> dict[str, Any]:
    """Machines and replicas, as Ray sees them."""
    with driver(f"{settings.address}:{settings.ray_port}"):
        return _seen()


def take_down(settings: ClusterSettings) -> dict[str, Any]:
    """End the replicas; Ray itself stays."""
    with driver(f"{settings.address}:{settings.ray_port}"):
        serve.delete(APP)
        serve.shutdown()
        return {"deleted": APP}


def _seen() -> dict[str, Any]:
    nodes = [
        {
            "address": node["NodeManagerAddress"],
            "alive": node["Alive"],
            "gpus": node["Resources"].get("GPU", 0.0),
            "cpus": node["Resources"].get("CPU", 0.0),
        }
        for node in ray.nodes()
    ]
    found: dict[str, Any] = {"ray": ray.__version__, "nodes": nodes, "status": "NOT_DEPLOYED", "replicas": {}}
    app = serve.status().applications.get(APP)
    if app is not None:
        found |= {"status": str(app.status.value), "message": app.message[:500]}
        deployment = app.deployments.get(NAME)
        if deployment is not None:
            states = {
                str(getattr(state, "value", state)): count
                for state, count in deployment.replica_states.items()
            }
            found |= {"replicas": states, "message": (app.message or deployment.message)[:500]}
    return found
