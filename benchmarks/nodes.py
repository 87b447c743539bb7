"""Two machines against one: Ray nodes in network namespaces, with a cable between them.

    python -m benchmarks.nodes [--subject tone|indextts-tiny] [--seconds 60] [--rounds 2] [--clients 40]

``tts-launch cluster up`` in the first namespace, then in turn: many users ask, ``cluster join`` from the second,
they ask again, and it leaves. Each node has one replica, whose engine has one thread. Needs root, iproute2 and Ray
(``TTS_TESTS_STRICT=1`` installs it for the tests). Nodes, front and users share this machine's cores. At the end
of a load the rows empty, which takes more of a short load, and more of two machines' than of one's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import uvloop

from tests.cluster.cable import HEAD, OTHER, inside, laid
from tests.cluster.ray_place import Machine, machines

from . import lab, scale
from .subjects import SUBJECTS, Subject

PORT = 7860  # in the namespace
JOIN_SECONDS = 180


class Cluster:
    """A front on the first machine, and a second machine that comes and goes."""

    def __init__(self, subject: Subject, head: Machine, other: Machine) -> None:
        self._subject, self._head, self._other = subject, head, other
        ports = head.configure(min_replicas=2, max_replicas=2)
        same = ("cluster_port", "ray_port", "node_port", "object_port")
        other.configure(**{name: ports[name] for name in same})
        self._front = f"{HEAD}:{ports['cluster_port']}"

    def up(self) -> None:
        """The front and a replica beside it."""
        flags = (*self._subject.flags(), *scale.PATIENT, "--threads", "1")
        self._head.launch("cluster", "up", "--port", str(PORT), *flags)
        self._until(HEAD)

    def join(self) -> None:
        """The second machine speaks, too."""
        token = str(self._head.home / "cluster.token")
        words = ("--token-file", token, "--address", OTHER)
        self._other.launch("cluster", "join", self._front, *words, head=False)
        self._until(HEAD, OTHER)

    def leave(self) -> None:
        """It is taken away."""
        self._other.launch("cluster", "down", head=False)
        self._until(HEAD)

    def load(self, clients: int, seconds: float, first: int) -> scale.Seen:
        """Users beside the front."""
        words = [str(clients), str(seconds), str(first)]
        return scale.Seen(**self._inside("load", self._subject.name, *words))

    def _until(self, *addresses: str) -> None:
        wanted = [f"{address}#1 ready" for address in addresses]
        deadline = time.monotonic() + JOIN_SECONDS
        while (found := self._inside("workers")) != wanted:
            if time.monotonic() > deadline:
                raise SystemExit(f"wanted {wanted}, found {found}; {self._head.logs()[-2000:]}")
            time.sleep(1)

    def _inside(self, *words: str) -> Any:
        command = [*self._head.inside, sys.executable, "-m", "benchmarks.nodes", "--inside", *words]
        done = subprocess.run(command, cwd=lab.ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
        return json.loads(done.stdout)


def _asked(words: Sequence[str]) -> Any:
    """What ``--inside`` prints: this process is in the front's namespace."""
    if words[0] == "workers":
        _, status = uvloop.run(_status())
        return sorted(f"{one['device']} {one['state']}" for one in json.loads(status)["workers"])
    subject = SUBJECTS[words[1]]
    clients, seconds, first = int(words[2]), float(words[3]), int(words[4])
    voice = subject.prepare(PORT) if first == 0 else subject.voice
    server = lab.Server(PORT, psutil.Process(), 0.0)  # the front's own CPU is not asked for
    uvloop.run(scale.load(server, subject, voice, 2, scale.WARM_SECONDS, 90_000 + first))
    return asdict(uvloop.run(scale.load(server, subject, voice, clients, seconds, first)))


async def _status() -> tuple[lab.Reply, bytes]:
    async with lab.Client.connect(PORT) as client:
        return await client.ask("GET", "/v1/status")


@contextlib.contextmanager
def started(subject: Subject) -> Iterator[Cluster]:
    """A cluster of one machine, ready; another beside it is free. Raises NoNamespaces."""
    with laid() as cable, tempfile.TemporaryDirectory() as folder, subject.hub() as hub:
        head = Machine(Path(folder, "head"), HEAD, inside(cable.head), cpus=1)
        other = Machine(Path(folder, "other"), OTHER, inside(cable.other), cpus=1)
        for machine in (head, other):
            if hub.is_dir():
                (machine.home / "cache_hub").symlink_to(hub)
        with machines(head, other):
            cluster = Cluster(subject, head, other)
            cluster.up()
            yield cluster


def measured(subject: Subject, clients: int, seconds: float, rounds: int) -> dict[str, Any]:
    """One machine, two machines; in turn."""
    seen: dict[int, list[scale.Seen]] = {1: [], 2: []}
    with started(subject) as cluster:
        for turn in range(rounds):
            for count in seen:
                if count == 2:
                    cluster.join()
                one = cluster.load(clients, seconds, 20_000 * turn + 10_000 * (count - 1))
                print(f"  {count} of 2 machines: {one.rate:.2f} requests/s", file=sys.stderr, flush=True)
                seen[count].append(one)
            if turn + 1 < rounds:
                cluster.leave()
    rows = {count: scale.middle(some).row() for count, some in seen.items()}
    ratio = lab.median([two.rate / one.rate for one, two in zip(seen[1], seen[2], strict=True)])
    sound = lab.median(
        [(two.sound / two.wall) / (one.sound / one.wall) for one, two in zip(seen[1], seen[2], strict=True)]
    )
    return {"rows": rows, "ratio": round(ratio, 2), "sound_ratio": round(sound, 2)}


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """See the module. Returns what was measured."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["--inside"]:
        print(json.dumps(_asked(words[1:])))
        return {}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subject", choices=("tone", "indextts-tiny"), default="tone")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(words)
    os.environ["OMP_NUM_THREADS"] = "1"
    found = measured(SUBJECTS[given.subject], given.clients, given.seconds, given.rounds)
    heads = ("machines", "requests/s", "audio s/s", "p50 ms", "p99 ms", "longest s", "failed")
    keys = ("requests_per_s", "audio_s_per_s", "p50_ms", "p99_ms", "longest_s", "failed")
    table = [[count, *(row[key] for key in keys)] for count, row in found["rows"].items()]
    print(f"\n{lab.table(heads, table)}\n\ntwo machines against one: {found['ratio']}", flush=True)
    if not given.no_write:
        lab.write(f"nodes-{given.subject}", {"subject": given.subject, **found})
    return found


if __name__ == "__main__":
    main()
