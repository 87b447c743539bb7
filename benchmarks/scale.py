"""One front and engine replicas against one process; what dies under load; where a larger cluster would saturate.

    python -m benchmarks.scale [--subject tone] [--seconds 10] [--rounds 3] [--clients 32] [--gpu-rate 60]

First the price of the front's connection to a replica: one user, the same engine in the same process tree or behind
a replica. Then one replica against two. Then a worker and a whole replica are killed under load. Last the limits:
the front's measured cost of a segment and the scheduler's with 10, 100 and 1,000 lanes (the real one, on a virtual
clock) say which part is full first if each GPU speaks ``--gpu-rate`` seconds a second.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import uvloop

from . import lab, limits
from .subjects import SUBJECTS, Subject

PATIENT = (
    "--no-page",
    "--rate",
    "off",
    "--timeout",
    "120",
    "--queue-timeout",
    "120",
    "--max-user-waiting",
    "10000",
)
WARM_SECONDS = 1.0


@dataclass
class Seen:
    """What a load of ``wall`` seconds gave: latencies, sound, the front's CPU, all in seconds."""

    wall: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sound: float = 0.0
    failed: int = 0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.wall if self.wall else 0.0

    def row(self) -> dict[str, float]:
        """For table and file."""
        return {
            "requests_per_s": round(self.rate, 2),
            "audio_s_per_s": round(self.sound / self.wall, 2),
            "p50_ms": round(1000 * lab.percentile(self.latencies, 50), 2),
            "p99_ms": round(1000 * lab.percentile(self.latencies, 99), 2),
            "front_cpu_us_per_request": round(1e6 * self.cpu / max(1, len(self.latencies)), 1),
            "longest_s": round(max(self.latencies, default=0.0), 2),
            "failed": self.failed,
        }


class Crew:
    """Replicas of one front: processes of this machine, each in a home of its own."""

    def __init__(self, port: int, folder: Path, hub: Path, flags: Sequence[str]) -> None:
        self._port, self._folder, self._hub, self._flags = port, folder, hub, flags
        self._numbers = itertools.count(1)
        self.processes: list[subprocess.Popen[bytes]] = []

    def add(self) -> subprocess.Popen[bytes]:
        """One more."""
        home = self._folder / f"replica-{next(self._numbers)}"
        home.mkdir()
        if self._hub.is_dir():
            (home / "cache_hub").symlink_to(self._hub)
        command = [sys.executable, "-m", "index_tts_ui.cluster", "replica", "--home", str(home)]
        command += ["--front", f"127.0.0.1:{self._port}", *self._flags, "--threads", "1"]
        with (home / "out").open("wb") as out:
            self.processes.append(subprocess.Popen(command, cwd=lab.ROOT, stdout=out, stderr=out))
        return self.processes[-1]

    def stop(self) -> None:
        """All of them."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


@contextlib.contextmanager
def cluster(subject: Subject, replicas: int, hub: Path) -> Iterator[tuple[lab.Server, Crew]]:
    """A front and its replicas, all ready."""
    os.environ["TTS_CLUSTER_TOKEN"] = secrets.token_hex(16)
    port = lab.free_port()
    with tempfile.TemporaryDirectory() as folder:
        crew = Crew(port, Path(folder), hub, subject.flags())
        try:
            for _ in range(replicas):
                crew.add()
            with lab.server(*subject.flags(), *PATIENT, "--cluster-port", str(port), hub=hub) as running:
                _until_ready(running.port, replicas)
                yield running, crew
        finally:
            crew.stop()


@contextlib.contextmanager
def alone(subject: Subject, hub: Path) -> Iterator[lab.Server]:
    """The same engine as a worker of the service itself."""
    with lab.server(*subject.flags(), *PATIENT, "--threads", "1", hub=hub) as running:
        yield running


def _until_ready(port: int, count: int) -> None:
    async def states() -> list[str]:
        import json

        async with lab.Client.connect(port) as client:
            _, body = await client.ask("GET", "/v1/status")
            return [worker["state"] for worker in json.loads(body)["workers"]]

    deadline = time.monotonic() + lab.READY_SECONDS
    while uvloop.run(states()) != ["ready"] * count:
        if time.monotonic() > deadline:
            raise SystemExit(f"there were not {count} replicas in time")
        time.sleep(0.1)


async def load(
    server: lab.Server, subject: Subject, voice: str, clients: int, seconds: float, first: int
) -> Seen:
    """``clients`` that ask one text after the other; what fails is counted and asked no more."""
    import asyncio

    seen, numbers = Seen(), itertools.count(first)
    cpu, start = _cpu(server.process), time.perf_counter()

    async def user(number: int) -> None:
        async with lab.Client.connect(server.port, lab.address(number)) as client:
            while time.perf_counter() - start < seconds:
                reply = await client.speak(subject.text(next(numbers)), voice)
                if reply.status != 200 or not reply.bytes:
                    seen.failed += 1
                    continue
                seen.latencies.append(reply.total)
                seen.sound += reply.bytes / 2 / 24_000

    await asyncio.gather(*(user(number) for number in range(clients)))
    seen.wall, seen.cpu = time.perf_counter() - start, _cpu(server.process) - cpu
    return seen


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _measured(server: lab.Server, subject: Subject, clients: int, seconds: float, turn: int) -> Seen:
    voice = subject.prepare(server.port)
    uvloop.run(load(server, subject, voice, min(2, clients), WARM_SECONDS, 90_000))
    return uvloop.run(load(server, subject, voice, clients, seconds, 20_000 * turn))


def overhead(subject: Subject, hub: Path, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """One user: the engine as a worker of the service, then behind a replica; in turn, the median round of each."""
    seen: dict[str, list[Seen]] = {"one process": [], "front and replica": []}
    for turn in range(rounds):
        with alone(subject, hub) as server:
            seen["one process"].append(_measured(server, subject, 1, seconds, turn))
        with cluster(subject, 1, hub) as (server, _):
            seen["front and replica"].append(_measured(server, subject, 1, seconds, turn))
    return {name: middle(some).row() for name, some in seen.items()}


def scaling(subject: Subject, hub: Path, clients: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Many users: one replica, two replicas; in turn."""
    seen: dict[int, list[Seen]] = {1: [], 2: []}
    for turn in range(rounds):
        for count in (1, 2):
            with cluster(subject, count, hub) as (server, _):
                seen[count].append(_measured(server, subject, clients, seconds, turn))
    rows = {f"{count} replica{'s' * (count > 1)}": middle(some).row() for count, some in seen.items()}
    ratio = lab.median([two.rate / one.rate for one, two in zip(seen[1], seen[2], strict=True)])
    return {"rows": rows, "ratio": round(ratio, 2)}


def deaths(subject: Subject, hub: Path, clients: int, seconds: float) -> dict[str, float]:
    """A worker, then a whole replica, is killed while users ask; nothing may fail."""
    import asyncio

    with cluster(subject, 2, hub) as (server, crew):
        voice = subject.prepare(server.port)

        async def go() -> Seen:
            asking = asyncio.create_task(load(server, subject, voice, clients, seconds, 0))
            await asyncio.sleep(seconds / 3)
            psutil.Process(crew.processes[0].pid).children()[0].kill()
            await asyncio.sleep(seconds / 3)
            crew.processes[1].kill()
            crew.add()
            return await asking

        return asyncio.run(go()).row()


def middle(some: Sequence[Seen]) -> Seen:
    """The one of median rate."""
    return sorted(some, key=lambda one: one.rate)[len(some) // 2]


def _table(rows: dict[str, dict[str, float]]) -> str:
    heads = ("", "requests/s", "audio s/s", "p50 ms", "p99 ms", "front CPU µs/request", "longest s", "failed")
    return lab.table(heads, [[name, *row.values()] for name, row in rows.items()])


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """See the module. Returns what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subject", choices=tuple(SUBJECTS), default="tone")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument(
        "--gpu-rate", type=float, default=60.0, help="seconds of sound that one GPU makes in one"
    )
    parser.add_argument("--segment-seconds", type=float, default=5.0, help="sound of one segment")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(argv)
    subject = SUBJECTS[given.subject]
    with subject.hub() as hub:
        # an engine that costs nothing shows the price best
        free = replace(subject, options="") if subject.engine == "tone" else subject
        price = overhead(free, hub, given.seconds, given.rounds)
        print(f"\n{_table(price)}", flush=True)
        scaled = scaling(subject, hub, given.clients, given.seconds, given.rounds)
        print(f"\n{_table(scaled['rows'])}\n\ntwo replicas against one: {scaled['ratio']}", flush=True)
        killed = deaths(subject, hub, given.clients, max(6.0, given.seconds))
        print(f"\n{_table({'a worker and a replica killed': killed})}", flush=True)
    request_us = scaled["rows"]["2 replicas"]["front_cpu_us_per_request"]
    found = limits.limits(request_us / 1e6, given.gpu_rate, given.segment_seconds)
    print(f"\n{limits.report(found)}", flush=True)
    result = {
        "subject": given.subject,
        "overhead": price,
        "scaling": scaled,
        "deaths": killed,
        "limits": [asdict(one) for one in found],
    }
    if not given.no_write:
        lab.write(f"scale-{given.subject}", result)
    return result


if __name__ == "__main__":
    main()
