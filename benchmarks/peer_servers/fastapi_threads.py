"""The articles' "after": FastAPI, and a thread pool in which the model runs.

An engine that may run in several threads (Kokoro's onnxruntime) gets a thread, and an instance with one
thread of its own, for each core; one that may not gets a lock.
"""

from __future__ import annotations

import asyncio
import os
import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel

from .speaker import Settings, Speaker

SEVERAL = ("kokoro",)


class Body(BaseModel):
    """A request."""

    text: str


def main() -> None:
    """Serve until killed."""
    settings = Settings.given()
    count = len(os.sched_getaffinity(0)) if settings.engine in SEVERAL else 1
    idle: queue.SimpleQueue[Speaker] = queue.SimpleQueue()
    for _ in range(count):
        idle.put(Speaker(settings if count == 1 else replace(settings, threads=1)))
    pool, app = ThreadPoolExecutor(count), FastAPI()

    def run(text: str) -> bytes:
        speaker = idle.get()
        try:
            return speaker.speak([text])[0]
        finally:
            idle.put(speaker)

    @app.post("/speak")
    async def speak(body: Body) -> Response:
        sound = await asyncio.get_running_loop().run_in_executor(pool, run, body.text)
        return Response(sound, media_type="application/octet-stream")

    uvicorn.run(app, host="127.0.0.1", port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
