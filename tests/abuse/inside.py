"""A server that tells what it holds: tasks of its loop, threads, handles, segments in its worker.

``python -m tests.abuse.inside FLAGS``: the real application in its process; each line on its standard
input is answered with a line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from ..api.server import START_SECONDS, STOP_SECONDS, free_port, until

SETTLE_SECONDS = 30.0
ROOT = Path(__file__).parent.parent.parent
Held = dict[str, Any]


class Inside:
    """The other end: ``held()`` asks; ``speak()`` is a request by a client of its own."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.abuse.inside", "--home", str(home), "--engine", "tone"]
        with (home / "server.out").open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), *flags],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )

    def held(self) -> Held:
        """What the server holds now: ``tasks`` (names), ``handles``, ``threads``, ``busy``."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("held\n")
        self._process.stdin.flush()
        answer: Held = json.loads(self._process.stdout.readline())
        return answer

    def speak(self, text: str) -> bytes:
        """Its sound."""
        body = {"model": "tone", "input": text, "voice": "tone-a", "response_format": "pcm"}
        answer = httpx.post(f"{self.url}/v1/audio/speech", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.content

    def ready(self) -> bool:
        """Whether it can be asked."""
        assert self._process.poll() is None, (self.home / "server.out").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        with self._process:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()


class Count:
    """What the server held at first, to be compared with later."""

    def __init__(self, place: Inside) -> None:
        self._place = place
        for _ in range(3):  # whatever is made once, at first use
            place.speak("One. Two. Three.")
        until(self._calm, "the server is idle before the test")
        self._first = place.held()

    def _calm(self) -> bool:
        before = self._place.held()
        time.sleep(0.2)
        now = self._place.held()
        return not before["busy"] and now["tasks"] == before["tasks"] and now["handles"] == before["handles"]

    def _left(self) -> Held:
        """What is there now beyond what there was at first; tasks of a moment come and go."""
        now, first = self._place.held(), self._first
        more = {name: now[name] - first[name] for name in ("handles",) if now[name] > first[name]}
        if len(now["tasks"]) > len(first["tasks"]):
            more["tasks"] = sorted(set(now["tasks"]) - set(first["tasks"]))
        return {**more, **({"busy": now["busy"]} if now["busy"] else {})}

    def expect_back(self) -> None:
        """Waits until nothing is left of what happened meanwhile."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := self._left():
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.05)


@contextlib.contextmanager
def inside(home: Path, *flags: str) -> Iterator[Inside]:
    """A server with the test engine, ready."""
    place = Inside(home, *flags)
    try:
        until(place.ready, "the server is ready", START_SECONDS)
        yield place
    finally:
        place.stop()
    assert "Traceback" not in (home / "server.out").read_text("utf-8", "replace")


# ---- in the server's process


def _held(service: Any) -> Held:
    status = service.status()
    flights = sum(worker.running for worker in status.workers)
    return {
        "tasks": sorted(task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}),
        "handles": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "busy": status.waiting + status.running + flights,
    }


def _answer(loop: asyncio.AbstractEventLoop, service: Any) -> None:
    async def held() -> Held:
        return _held(service)

    for _ in sys.stdin:
        found = asyncio.run_coroutine_threadsafe(held(), loop).result(SETTLE_SECONDS)
        print(json.dumps(found), flush=True)


def main() -> int:
    """As ``python -m index_tts_ui``, with an ear for questions."""
    from index_tts_ui import app, config

    made = app.build_service

    def watched(*arguments: Any, **named: Any) -> Any:
        service = made(*arguments, **named)
        loop = asyncio.get_running_loop()
        threading.Thread(target=_answer, args=(loop, service), daemon=True).start()
        return service

    app.build_service = watched
    return app.run(config.parse(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
