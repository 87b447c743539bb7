"""A front in the test's own loop, and replicas that are real processes on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from index_tts_ui.cluster.dock import Dock
from index_tts_ui.cluster.pool import ReplicaPool
from index_tts_ui.scheduler import Limits, Scheduler

from ..scheduler.bench import ended, indices, job, listen, until

TOKEN = "a token that only this test knows"
START_SECONDS = 60.0


class Front:
    """Scheduler, pool and dock; ``home`` has the clips."""

    def __init__(self, home: Path, token: str = TOKEN, engine: str = "tone", port: int = 0) -> None:
        self.home = home
        limits = Limits(max_waiting=10_000, segment_timeout=30, queue_timeout=60)
        self.scheduler = Scheduler(limits)
        self.pool = ReplicaPool(self.scheduler)
        self.dock = Dock(
            self.scheduler, self.pool, ("127.0.0.1", port), token, engine, home / "voices" / "clips"
        )
        self.replicas: list[Replica] = []

    async def ready(self, count: int) -> None:
        """Wait until so many replicas can speak."""
        await until(
            lambda: [host.state for host in self.pool.hosts] == ["ready"] * count,
            START_SECONDS,
            f"there are not {count} ready replicas, but {[host.status() for host in self.pool.hosts]}",
        )

    async def speak(self, text: str = "Some words. And more. The end.", owner: str = "a") -> int:
        """All of it is spoken, in order; returns the number of segments."""
        request = job(text, owner=owner)
        self.scheduler.submit(request)
        events = await listen(request, 60)
        assert ended(events).error is None, ended(events).error
        assert indices(events) == list(range(len(request.segments)))
        return len(request.segments)

    def replica(self, number: int, options: str, *flags: str, token: str = TOKEN) -> Replica:
        """One more, in a home of its own."""
        home = self.home / f"replica-{number}"
        home.mkdir(exist_ok=True)
        one = Replica(home, self.dock.port, number, options, flags, token)
        self.replicas.append(one)
        return one


class Replica:
    """``python -m index_tts_ui.cluster replica``."""

    def __init__(
        self, home: Path, port: int, number: int, options: str, flags: tuple[str, ...], token: str
    ) -> None:
        self.home = home
        command = [sys.executable, "-m", "index_tts_ui.cluster", "replica", "--front", f"127.0.0.1:{port}"]
        command += ["--node", f"box-{number}", "--home", str(home), "--engine", "tone", *flags]
        command += ["--engine-options", options]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
        with (home / "out").open("wb") as out:
            process = subprocess.Popen(
                command, env={**clean, "TTS_CLUSTER_TOKEN": token}, stdout=out, stderr=out
            )
        self.process = process

    @property
    def log(self) -> str:
        """What it said."""
        return (self.home / "out").read_text("utf-8", "replace")

    def workers(self) -> list[psutil.Process]:
        """Its engine processes."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children()
        return []

    def stop(self) -> None:
        """As an operator would; SIGKILL where that does not help."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.asynccontextmanager
async def front(home: Path, port: int = 0, **given: str) -> AsyncIterator[Front]:
    """A front that listens; its replicas are stopped afterwards."""
    made = Front(home, port=port, **given)
    made.pool.start()
    await until(lambda: made.dock.port, 20, "the front does not listen")
    try:
        yield made
    finally:
        for one in made.replicas:
            await asyncio.to_thread(one.stop)
        await made.pool.stop()
