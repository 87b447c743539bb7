"""A client loop for tests: so many speech requests per second, on new connections and on kept ones."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

BODY = json.dumps({"model": "tone", "voice": "tone-a", "input": "Good day.", "response_format": "wav"})
HEADERS = {"Content-Type": "application/json"}
PATIENCE = 60.0  # seconds that one request may take
KEPT = 4  # connections that are kept open


@dataclass
class Load:
    """What came of it: ``failures`` in words, the longest answer in seconds."""

    port: int
    done: int = 0
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    closed: int = 0  # kept connections that the server closed with its answer
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def ask(self, connection: http.client.HTTPConnection, kind: str) -> None:
        """One request, counted."""
        began = time.monotonic()
        failure = ""
        try:
            connection.request("POST", "/v1/audio/speech", BODY, HEADERS)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or len(body) < 10_000:
                failure = f"{kind}: {answer.status} {body[:200]!r}"
            elif answer.will_close and kind == "kept":
                self.closed += 1
        except (OSError, http.client.HTTPException) as error:
            failure = f"{kind}: {type(error).__name__} {error}"
            connection.close()
        with self._lock:
            self.done += not failure
            self.failures += [f"after {time.monotonic() - began:.2f} s: {failure}"] if failure else []
            self.longest = max(self.longest, time.monotonic() - began)

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def _once(self) -> None:
        with contextlib.closing(self._connect()) as connection:
            self.ask(connection, "new")

    def _kept(self, pause: float) -> None:
        with contextlib.closing(self._connect()) as connection:
            while not self._stop.wait(pause):
                self.ask(connection, "kept")

    def _new(self, pause: float) -> None:
        while not self._stop.wait(pause):
            self._start(self._once)

    def _start(self, function: object, *args: float) -> None:
        thread = threading.Thread(target=function, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def begin(self, rate: float) -> None:
        """Half of ``rate`` per second on new connections, whether or not earlier ones are answered."""
        self._start(self._new, 2 / rate)
        for _ in range(KEPT):
            self._start(self._kept, KEPT * 2 / rate)

    def end(self) -> None:
        """Ask no more and wait for every answer."""
        self._stop.set()
        while self._threads:
            self._threads.pop().join(PATIENCE + 5)


@contextlib.contextmanager
def load(port: int, rate: float) -> Iterator[Load]:
    """Requests for as long as the block lasts."""
    running = Load(port)
    running.begin(rate)
    try:
        yield running
    finally:
        running.end()
