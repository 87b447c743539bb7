"""Ray Serve with ``@serve.batch``, tuned for throughput as its guide describes; one replica."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

os.environ.setdefault("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from .speaker import Settings, Speaker

BATCH_SECONDS = 0.01
SETTINGS = Settings.given()


@serve.deployment(num_replicas=1, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 1})
class Speech:
    """See Ray Serve's guide, "Dynamic request batching"."""

    def __init__(self, settings: Settings) -> None:
        self._speaker = Speaker(settings)

    @serve.batch(
        max_batch_size=SETTINGS.together,
        batch_wait_timeout_s=BATCH_SECONDS,
    )
    async def speak(self, texts: list[str]) -> list[bytes]:
        """One batch; the loop stays free to gather the next."""
        return await asyncio.to_thread(self._speaker.speak, texts)

    async def __call__(self, request: Request) -> Response:
        """POST /speak."""
        body: dict[str, Any] = await request.json()
        return Response(await self.speak(body["text"]), media_type="application/octet-stream")


def main() -> None:
    """Serve until told to stop."""
    names = ("TTS_PEER_SETTINGS", "RAY_SERVE_THROUGHPUT_OPTIMIZED", "OMP_NUM_THREADS", "PYTHONPATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    ray.init(
        include_dashboard=False,
        logging_level="warning",
        runtime_env={"env_vars": environment},
        num_cpus=max(4, os.cpu_count() or 1),
    )
    serve.start(http_options={"host": "127.0.0.1", "port": SETTINGS.port})
    serve.run(Speech.bind(SETTINGS), route_prefix="/speak", blocking=False)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
