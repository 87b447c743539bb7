"""A long row of requests: memory, handles and latency stay what they were. Ends with 1 where they do not.

    python -m benchmarks.soak [--subject tone|kokoro]... [--requests 20000] [--clients 16] [--no-write]

Default: 20,000 requests of the test engine, then 500 of Kokoro. What is compared is the second tenth of the
requests with the last (the first warms everything up): memory of server and worker may differ by 5 %, the
median latency by half, handles not at all.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil
import uvloop

from . import lab
from .subjects import SUBJECTS, Subject

REQUESTS = {"tone": 20_000, "kokoro": 500}
TENTHS = 10
GROWTH = 1.05  # of memory
SLOWER = 1.5
HEADS = ("requests", "memory MiB", "handles", "p50 ms", "p99 ms", "requests/s")


@dataclass(frozen=True)
class Tenth:
    """After a tenth of the requests, with nobody connected."""

    requests: int
    memory_mb: float
    handles: int
    p50_ms: float
    p99_ms: float
    rate: float


def _handles(root: psutil.Process) -> int:
    return sum(one.num_fds() for one in (root, *root.children(recursive=True)))


async def _tenth(port: int, subject: Subject, numbers: range, clients: int) -> tuple[list[float], float]:
    """Latencies in seconds, and the seconds all of them took."""
    left, latencies = iter(numbers), []

    async def user(place: int) -> None:
        async with lab.Client.connect(port, lab.address(place)) as client:
            for number in left:
                reply = await client.speak(subject.text(number), subject.voice)
                if reply.status != 200 or not reply.bytes:
                    raise SystemExit(f"request {number} failed: {reply}")
                latencies.append(reply.total)

    began = time.perf_counter()
    await asyncio.gather(*(user(place) for place in range(clients)))
    await asyncio.sleep(1)  # its connections are closed on the other side, too
    return latencies, time.perf_counter() - began - 1


def soak(subject: Subject, requests: int, clients: int) -> list[Tenth]:
    """Tenth by tenth."""
    flags = [*subject.flags(), "--max-waiting", "1000", "--timeout", "120"]
    size, found = max(1, requests // TENTHS), []
    with lab.server(*flags) as server:
        for start in range(0, size * TENTHS, size):
            latencies, wall = uvloop.run(_tenth(server.port, subject, range(start, start + size), clients))
            found.append(
                Tenth(
                    start + size,
                    round(server.memory_mb(), 1),
                    _handles(server.process),
                    round(1000 * lab.percentile(latencies, 50), 1),
                    round(1000 * lab.percentile(latencies, 99), 1),
                    round(size / wall, 1),
                )
            )
            print(f"  {found[-1]}", flush=True)
    return found


def _subject(name: str) -> Subject:
    """The test engine at no cost: it is the service that is soaked."""
    return replace(SUBJECTS[name], options="") if name == "tone" else SUBJECTS[name]


def growth(found: Sequence[Tenth]) -> list[str]:
    """What grew from the second tenth to the last; [] where all is well."""
    early, late, grown = found[1], found[-1], []
    if late.memory_mb > early.memory_mb * GROWTH:
        grown.append(f"memory from {early.memory_mb} to {late.memory_mb} MiB")
    if late.handles > early.handles:
        grown.append(f"handles from {early.handles} to {late.handles}")
    if late.p50_ms > early.p50_ms * SLOWER:
        grown.append(f"median latency from {early.p50_ms} to {late.p50_ms} ms")
    return grown


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subject", choices=tuple(REQUESTS), action="append", help="default: both")
    parser.add_argument("--requests", type=int, default=0, help="default: 20000 of tone, 500 of kokoro")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(argv)
    results: dict[str, Any] = {}
    for name in given.subject or REQUESTS:
        found = soak(_subject(name), given.requests or REQUESTS[name], given.clients)
        grown = growth(found)
        rows = [list(asdict(tenth).values()) for tenth in found]
        print(f"\n{name}: {'; '.join(grown) or 'nothing grew'}\n\n{lab.table(HEADS, rows)}", flush=True)
        results[name] = {"tenths": [asdict(tenth) for tenth in found], "grown": grown}
    if not given.no_write:
        lab.write("soak", results)
    return 1 if any(one["grown"] for one in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
