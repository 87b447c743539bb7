"""BentoML with its adaptive batching; one worker, as there is one model."""

from __future__ import annotations

import base64
import os
import sys

import bentoml

from .speaker import Settings, Speaker

SETTINGS = Settings.given()
PATIENCE = 600  # seconds


@bentoml.service(workers=1, traffic={"timeout": PATIENCE, "max_concurrency": 1000})
class Speech:
    """See BentoML's guide, "Adaptive batching"."""

    def __init__(self) -> None:
        self._speaker = Speaker(SETTINGS)

    @bentoml.api(
        batchable=True,
        max_batch_size=SETTINGS.together,
        max_latency_ms=PATIENCE * 1000,
        route="/speak",
    )
    def speak(self, texts: list[str]) -> list[str]:
        """Base64 of the sound."""
        return [base64.b64encode(sound).decode() for sound in self._speaker.speak(texts)]


def main() -> None:
    """Becomes ``bentoml serve``."""
    command = [sys.executable, "-m", "bentoml", "serve", "benchmarks.peer_servers.bentoml_batch:Speech"]
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(SETTINGS.port)])


if __name__ == "__main__":
    main()
