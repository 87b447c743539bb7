"""A server that hands over: it leaves the socket to the next one and serves the connections that it has."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.api.server import until


class Supervised:
    """A server on an inherited socket, and the supervisor's end of its control channel."""

    def __init__(self, home: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.control, theirs = socket.socketpair()
        self.control.setblocking(False)
        self._heard = b""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
        fds = {"TTS_LISTEN_FD": self.listener.fileno(), "TTS_CONTROL_FD": theirs.fileno()}
        with theirs, (home / "server.out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "index_tts_ui", "--home", str(home), "--engine", "tone"],
                env=clean | {key: str(fd) for key, fd in fds.items()},
                pass_fds=tuple(fds.values()),
                stdout=out,
                stderr=out,
            )

    def tell(self, kind: str, **fields: object) -> None:
        """One line down."""
        self.control.send(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def heard(self, kind: str) -> bool:
        """Whether it has said that."""
        with contextlib.suppress(BlockingIOError):
            while data := self.control.recv(65536):
                self._heard += data
        return any(json.loads(line)["type"] == kind for line in self._heard.splitlines())

    def connect(self) -> http.client.HTTPConnection:
        """A client."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def has_the_socket(self) -> bool:
        """Whether one of its descriptors is the listening socket."""
        inode = os.fstat(self.listener.fileno()).st_ino
        return any(_inode(fd) == inode for fd in Path(f"/proc/{self.process.pid}/fd").iterdir())


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:  # closed meanwhile
        return 0


@contextlib.contextmanager
def _supervised(home: Path) -> Iterator[Supervised]:
    server = Supervised(home)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.control.close()
        server.listener.close()


def test_it_prepares_itself_loads_when_it_may_and_hands_over_without_a_pause(tmp_path: Path) -> None:
    with _supervised(tmp_path) as server, contextlib.ExitStack() as clients:
        until(lambda: server.heard("prepared"), "all but the model is there", 90)
        assert not server.heard("ready"), "nobody has said that there is room for a model"
        server.tell("load")
        until(lambda: server.heard("ready"), "the model is loaded", 60)
        kept, page = (clients.enter_context(contextlib.closing(server.connect())) for _ in range(2))
        kept.request("GET", "/readyz")  # waits in the backlog
        server.tell("accept")
        with kept.getresponse() as answer:
            assert answer.status == 200 and json.load(answer)["ready"]
        page.request("GET", "/gradio_api/heartbeat/abc")  # never ends
        heartbeat = clients.enter_context(page.getresponse())
        assert heartbeat.status == 200 and server.has_the_socket()

        server.tell("handover", seconds=30)
        until(lambda: server.heard("listener_closed"), "it has left the socket", 10)
        assert not server.has_the_socket()
        body = json.dumps({"model": "tone", "voice": "tone-a", "input": "Still served."})
        kept.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
        with kept.getresponse() as answer:
            assert answer.status == 200 and answer.read() and answer.getheader("Connection") == "close"
        waiting = clients.enter_context(
            contextlib.closing(socket.create_connection(("127.0.0.1", server.port)))
        )
        until(lambda: server.heard("drained"), "nobody is left to be served", 10)
        until(lambda: server.process.poll() is not None, "it has ended", 10)
        assert server.process.returncode == 0
        waiting.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"the next server's connection was touched: {waiting.recv(1)!r}")


def test_one_that_is_not_wanted_any_more_ends_before_it_has_loaded(tmp_path: Path) -> None:
    with _supervised(tmp_path) as server:
        until(lambda: server.heard("prepared"), "all but the model is there", 90)
        server.process.terminate()
        until(lambda: server.process.poll() is not None, "it has ended", 10)
        assert server.process.returncode == 0 and not server.heard("ready")
