"""A server whose jobs the tests of this folder share, and whoever listens for its callbacks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ..api.server import Server, serving
from .asking import Jobs


class Listener:
    """An HTTP server for callbacks; ``refusals`` says how many it answers with 503 first."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.refusals = 0
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                refuse = listener.refusals > 0
                listener.refusals -= refuse
                listener.calls.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(503 if refuse else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """With its port."""
        return f"127.0.0.1:{self._server.server_port}"

    def of(self, job_id: str) -> list[tuple[dict[str, str], bytes]]:
        """The calls about one job."""
        return [call for call in self.calls if json.loads(call[1])["data"]["id"] == job_id]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@pytest.fixture(scope="package")
def listener() -> Iterator[Listener]:
    """On a port of its own."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(scope="package")
def tone(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Server]:
    """The test engine: four rows, 2 ms of work and 20 ms of sound a character."""
    home = tmp_path_factory.mktemp("jobs")
    flags = ["--engine", "tone", "--jobs-per-owner", "8", "--callback-hosts", f"{listener.host},localhost"]
    options = f"rows=4,step_ms=2,char_ms=20,record={home}/received.jsonl"
    with serving(home, "--no-page", *flags, "--engine-options", options) as server:
        yield server


@pytest.fixture
def jobs(tone: Server) -> Iterator[Jobs]:
    """Of the shared server."""
    found = Jobs(tone)
    yield found
    found.http.close()
