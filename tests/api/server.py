"""A real server in a process of its own, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 90.0  # ready by then, also on a busy machine
STOP_SECONDS = 30.0


@dataclass
class Server:
    """Where it is, and how it is asked things."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Of 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        """All that it printed so far."""
        return (self.home / "server.out").read_text("utf-8", "replace")

    def status(self) -> dict[str, Any]:
        """GET /v1/status."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/v1/status", timeout=20).json()
        return answer

    def is_idle(self) -> bool:
        """Whether no request waits or runs."""
        status = self.status()
        return status["waiting"] == status["running"] == 0


def until(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> None:
    """Wait for ``condition``; fails with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(0.02)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    home: Path, *flags: str, path: str = "/readyz", port: int = 0, trust: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Yields when ``path`` answers 200; ends the server and looks through its log afterwards. ``port`` 0: any.

    ``trust``: what to trust where the flags ask for TLS.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "index_tts_ui", "--home", str(home), "--port", str(port)]
    command += ["--drain-timeout", "1", *flags]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    with (home / "server.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=clean)
    server = Server(f"http{'s' if trust else ''}://127.0.0.1:{port}", home, process)
    try:
        until(lambda: _answers(server, path, trust), f"{path} answers 200", START_SECONDS)
        yield server
    finally:
        _stop(process)
    assert "Traceback" not in server.log, server.log


def _answers(server: Server, path: str, trust: ssl.SSLContext | None) -> bool:
    assert server.process.poll() is None, f"the server ended by itself:\n{server.log}"
    try:
        return httpx.get(server.url + path, timeout=5, verify=trust or True).status_code == 200
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)


def ended_without_package(home: Path, engine: str, *flags: str) -> str:
    """Standard error of a server whose engine lacks its package: it must end by itself, with 78."""
    command = [
        sys.executable,
        "-m",
        "index_tts_ui",
        "--home",
        str(home),
        "--engine",
        engine,
        "--no-page",
        *flags,
    ]
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(
        [*command, "--port", str(free_port())], env=clean, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 78, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr
