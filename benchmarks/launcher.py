"""``tts-launch`` beside two process managers that keep the same server: supervisor and pm2.

    python -m benchmarks.launcher [--rounds 20] [--cycles 5]

The others are installed into a temporary folder (pip, npm) and take turns with ours in one run, so
that a change in the machine's speed meets all. Where npm is absent pm2 is left out. The server runs
the test engine ``tone``: no model is measured. "stop" is of an idle service, until its processes are
gone; "start" is until /readyz answers 200; "restart" runs under 20 requests a second and counts
those that failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from . import lab
from .managers import GRACEFUL, PATIENCE, Manager, managers, until

RATE = 20.0  # requests a second during a restart


@dataclass
class Bench:
    """The measurements of one manager."""

    manager: Manager
    found: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, value: float) -> None:
        """One more measurement."""
        self.found.setdefault(what, []).append(value)

    def status(self) -> None:
        """The command from its start to its end."""
        self.note("status_ms", 1000 * self.manager.run(self.manager.status))

    def stop(self) -> None:
        """Until the command has returned and the processes are gone."""
        processes = self.manager.processes()
        began = time.perf_counter()
        self.manager.run(self.manager.stop)
        _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
        if alive or not processes:
            raise SystemExit(f"{self.manager.name}: no server was stopped ({processes})")
        self.note("stop_s", time.perf_counter() - began)

    def start(self) -> None:
        """Until it is ready, which the others' commands do not wait for."""
        manager, began = self.manager, time.perf_counter()
        command = subprocess.Popen(manager.start, env=manager.environ, stdout=subprocess.DEVNULL)
        until(manager.ready, f"{manager.name} is ready")
        self.note("start_s", time.perf_counter() - began)
        if command.wait(PATIENCE):
            raise SystemExit(f"{manager.start} -> {command.returncode}")

    def restart(self) -> None:
        """Under load: how many requests failed, and the longest that one waited which did not."""
        requests, failed, longest = asyncio.run(_under_load(self.manager))
        self.note("restart_requests", requests)
        self.note("restart_failed", failed)
        self.note("restart_longest_s", longest)


async def _under_load(manager: Manager) -> tuple[int, int, float]:
    """Requests, those that failed, and the longest wait of one that did not, from before to after a restart."""

    async def ask() -> float | None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE), lab.Client.connect(manager.port) as client:
                reply = await client.speak("Hello.", "tone-a")
        except (OSError, ValueError, asyncio.IncompleteReadError):
            return None
        return time.perf_counter() - began if reply.status == 200 else None

    tasks: list[asyncio.Task[float | None]] = []
    async with _background(lambda: tasks.append(asyncio.create_task(ask()))):
        await asyncio.sleep(1)
        await asyncio.to_thread(manager.run, manager.restart)
        await asyncio.to_thread(until, manager.ready, f"{manager.name} is ready again")
        await asyncio.sleep(1)
    waits = await asyncio.gather(*tasks)
    good = [wait for wait in waits if wait is not None]
    return len(waits), len(waits) - len(good), max(good)


@contextlib.asynccontextmanager
async def _background(ask: Callable[[], None]) -> AsyncIterator[None]:
    """Ask at the fixed rate, whether or not answers come."""

    async def clock() -> None:
        due = time.monotonic()
        while True:
            ask()
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    task = asyncio.create_task(clock())
    try:
        yield
    finally:
        task.cancel()


def measure(rounds: int, cycles: int) -> dict[str, Any]:
    """Everything, in turn."""
    with managers() as found:
        benches = [Bench(manager) for manager in found]
        for _ in range(rounds):
            for bench in benches:
                bench.status()
        for _ in range(cycles):
            for bench in benches:
                bench.stop()
                bench.start()
        for _ in range(cycles):
            for bench in benches:
                bench.restart()
    return {
        "graceful": GRACEFUL in found[0].restart,
        "rounds": rounds,
        "cycles": cycles,
        "managers": {bench.manager.name: _summary(bench) for bench in benches},
    }


def _summary(bench: Bench) -> dict[str, Any]:
    """Medians; of requests the sums, of the longest wait the worst."""
    made: dict[str, Any] = {"version": bench.manager.version}
    for what, values in bench.found.items():
        if what.startswith("restart_"):
            made[what] = round(max(values), 2) if what.endswith("_s") else int(sum(values))
        else:
            made[what] = round(lab.median(values), 1 if what.endswith("_ms") else 2)
    return made


def rows(found: dict[str, Any]) -> list[list[str]]:
    """One row per measurement: ours, theirs, and theirs as a multiple of ours."""
    ours, *others = found["managers"].values()
    made = []
    for what in ours:
        if what == "version":
            continue
        cells = [what, str(ours[what])]
        for other in others:
            timed = what.endswith(("_s", "_ms"))
            cells.append(f"{other[what]} ({other[what] / ours[what]:.2f}x)" if timed else str(other[what]))
        made.append(cells)
    return made


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cycles", type=int, default=5)
    args = parser.parse_args()
    found = measure(args.rounds, args.cycles)
    heads = [f"{name} {about['version']}" for name, about in found["managers"].items()]
    print("\n" + lab.table(["", *heads], rows(found)))
    lab.write("launcher", found)


if __name__ == "__main__":
    main()
