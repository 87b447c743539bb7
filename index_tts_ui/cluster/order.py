"""What Ray Serve is told to run: the replicas' part of the service's settings, and where their front is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .. import choice
from ..config import Config
from .settings import ClusterSettings

APP = "index-tts-ui"
# what a replica speaks with must be what the front reckons with; the rest is each machine's own
SHARED = (
    "threads",
    "max_batch_size",
    "engine_options",
    "device_memory_mb",
    "worker_memory_mb",
    "log_level",
    "log_format",
)


def arguments(config: Config, settings: ClusterSettings) -> dict[str, Any]:
    """What ``serving.application`` needs: JSON-able."""
    engine = choice.choose(config)
    flags = {name: str(getattr(config, name)) for name in SHARED}
    return {
        **asdict(settings),
        "front": settings.front,
        "flags": {**flags, "engine": engine},
        "per_replica": settings.segments_per_replica or config.max_batch_size,
    }
