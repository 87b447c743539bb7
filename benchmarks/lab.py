"""What the benchmarks share: a server of one's own, a lean HTTP client, the machine, tables and JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
READY_SECONDS = 120


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A running service: its port, its process tree, how long it took to be ready (seconds)."""

    port: int
    process: psutil.Process
    ready_seconds: float

    def memory_mb(self) -> float:
        """Proportional memory (PSS, else RSS) of server and worker, in MiB."""
        return tree_memory_mb(self.process)


def tree_memory_mb(root: psutil.Process) -> float:
    """Proportional memory (PSS, else RSS) of a process and all below it, in MiB."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            info = process.memory_full_info()
            total += getattr(info, "pss", 0) or info.rss
    return total / 2**20


@contextlib.contextmanager
def server(*flags: str, prefix: Sequence[str] = (), hub: Path = ROOT / "cache_hub") -> Iterator[Server]:
    """``python -m index_tts_ui`` in a home of its own, ready; ``prefix`` runs before it (a limiter)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        if hub.is_dir():
            Path(home, "cache_hub").symlink_to(hub)
        command = [*prefix, sys.executable, "-m", "index_tts_ui", "--home", home, "--port", str(port), *flags]
        began = time.monotonic()
        with Path(home, "out.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            _wait_ready(port, process, Path(home, "out.log"))
            yield Server(port, psutil.Process(process.pid), time.monotonic() - began)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2)
            return
        time.sleep(0.02)
    raise SystemExit("the server was not ready in time")


@dataclass
class Reply:
    """One answer: seconds to the first byte of sound, to the last, and bytes of sound."""

    status: int
    first: float
    total: float
    bytes: int


class Client:
    """An HTTP/1.1 connection that does as little as possible, so that the server is measured.

    It is kept alive, and opened again where the server closed it. ``source``: the address it comes from.
    """

    def __init__(self, port: int, source: str = "") -> None:
        self._port, self._source = port, source
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, port: int, source: str = "") -> AsyncIterator[Client]:
        """One connection, as long as the block lasts."""
        client = cls(port, source)
        try:
            await client._open()
            yield client
        finally:
            client.close()

    def close(self) -> None:
        """Hang up; the next request opens it again."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def speak(self, text: str, voice: str, response_format: str = "pcm", raw: bool = False) -> Reply:
        """``POST /v1/audio/speech``. ``raw``: as the engine made it."""
        body = {"model": "tts-1", "input": text, "voice": voice, "response_format": response_format}
        body |= {"raw": True} if raw else {}
        return (await self.ask("POST", "/v1/audio/speech", body))[0]

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[Reply, bytes]:
        """Any request with a JSON body, and what came back."""
        began = time.perf_counter()
        reader, writer = await self._open()
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        first, parts = 0.0, []
        async for chunk in _body(reader, lines):
            first = first or time.perf_counter() - began
            parts.append(chunk)
        if any(line.startswith(b"connection:") and b"close" in line for line in lines):
            self.close()
        sound = b"".join(parts)
        return Reply(int(lines[0].split()[1]), first, time.perf_counter() - began, len(sound)), sound

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            source = (self._source, 0) if self._source else None
            self._streams = await asyncio.open_connection(
                "127.0.0.1", self._port, limit=1 << 22, local_addr=source
            )
        return self._streams


async def _body(reader: asyncio.StreamReader, headers: list[bytes]) -> AsyncIterator[bytes]:
    length = next((int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length")), None)
    if length is not None:
        yield await reader.readexactly(length)
    elif not any(line.startswith(b"transfer-encoding") for line in headers):
        yield await reader.read(-1)
    else:
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readline()
        await reader.readline()


def address(user: int) -> str:
    """A loopback address of a user's own: to the service, users are addresses."""
    return f"127.0.{1 + user // 250}.{1 + user % 250}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that ``percent`` % of them do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def median(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return statistics.median(values) if values else 0.0


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def write(name: str, data: dict[str, Any]) -> None:
    """``benchmarks/results/<name>.json``."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **data}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"\nwritten: {path.relative_to(ROOT)}")
