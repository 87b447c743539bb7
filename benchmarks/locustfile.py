"""The users of ``benchmarks.load``, for locust (``pip install locust``), also against another machine:

    locust -f benchmarks/locustfile.py --host http://127.0.0.1:7860 --users 50 --spawn-rate 10 --run-time 3m --headless

``TTS_SUBJECT`` (default kokoro) says what to ask, ``TTS_VOICE`` in whose voice, ``TTS_KEY`` is an API key.
A refusal stands under its own name, and is no failure. "first sound" is the time to the first byte of it.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

from locust import HttpUser, between, task

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.subjects import SUBJECTS

SUBJECT = SUBJECTS[os.environ.get("TTS_SUBJECT", "kokoro")]
VOICE = os.environ.get("TTS_VOICE", SUBJECT.voice)
NUMBERS = itertools.count()


class Listener(HttpUser):
    """Asks, listens to the end, pauses."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Show the key, where there is one."""
        if key := os.environ.get("TTS_KEY"):
            self.client.headers["Authorization"] = f"Bearer {key}"

    @task
    def speak(self) -> None:
        """One text that nobody else asks for."""
        text = SUBJECT.text(next(NUMBERS) % 100_000)
        body = {"model": "tts-1", "input": text, "voice": VOICE, "response_format": "pcm"}
        began, first, size = time.perf_counter(), 0.0, 0
        call = self.client.post("/v1/audio/speech", json=body, stream=True, catch_response=True, name="speak")
        with call as answer:
            if answer.status_code in (429, 503):
                answer.request_meta["name"] = f"refused {answer.status_code}"
                answer.success()
                return
            for chunk in answer.iter_content(1 << 16):
                first = first or time.perf_counter() - began
                size += len(chunk)
            if answer.status_code != 200 or not size:
                answer.failure(f"{answer.status_code}, {size} bytes")
                return
            answer.request_meta["response_time"] = 1000 * (time.perf_counter() - began)
        self.environment.events.request.fire(
            request_type="SOUND",
            name="first sound",
            response_time=1000 * first,
            response_length=0,
            exception=None,
            context={},
        )
