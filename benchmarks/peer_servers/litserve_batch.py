"""LitServe with its dynamic batching; one worker, as there is one device."""

# no "from __future__ import annotations" here: LitServe reads the types of decode_request as they are
from typing import Any

import litserve
from fastapi import Response

from .speaker import Settings, Speaker

BATCH_SECONDS = 0.01


class SpeechAPI(litserve.LitAPI):
    """See LitServe's guide, "Batching"."""

    def setup(self, device: str) -> None:
        """In the worker."""
        self._speaker = Speaker(Settings.given())

    def decode_request(self, request: dict[str, Any], **_rest: Any) -> str:
        """The text."""
        return str(request["text"])

    def batch(self, inputs: list[str]) -> list[str]:
        """As they are."""
        return inputs

    def predict(self, x: Any, **_rest: Any) -> Any:
        """A list where batching is on, else one text."""
        return self._speaker.speak([x])[0] if isinstance(x, str) else self._speaker.speak(x)

    def unbatch(self, output: list[bytes]) -> list[bytes]:
        """As they are."""
        return output

    def encode_response(self, output: bytes, **_rest: Any) -> Response:
        """The sound."""
        return Response(output, media_type="application/octet-stream")


def main() -> None:
    """Serve until killed."""
    settings = Settings.given()
    rows = settings.together
    waits = {"batch_timeout": BATCH_SECONDS} if rows > 1 else {}
    api = SpeechAPI(max_batch_size=rows, api_path="/speak", **waits)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=False)
    server.run(host="127.0.0.1", port=settings.port, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
