"""Users who ask the front over HTTP."""

from __future__ import annotations

import threading
import time

import httpx


class Load(threading.Thread):
    """Users who ask one after the other until told to stop; ``longest``: seconds of one request."""

    def __init__(self, url: str, text: str = "Some words to speak. And a few more.") -> None:
        super().__init__(daemon=True)
        self.url, self.text = url, text
        self.served, self.failed, self.longest = 0, list[str](), 0.0
        self.over = threading.Event()

    def run(self) -> None:
        """Until ``over``."""
        body = {"model": "tone", "input": self.text, "voice": "tone-a", "response_format": "pcm"}
        with httpx.Client(timeout=120) as client:
            while not self.over.is_set():
                began = time.monotonic()
                answer = client.post(f"{self.url}/v1/audio/speech", json=body)
                self.longest = max(self.longest, time.monotonic() - began)
                self.served += 1
                if answer.status_code != 200 or not answer.content:
                    self.failed.append(f"{answer.status_code} {answer.text[:200]}")
