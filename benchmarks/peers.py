"""This service beside what one would build instead: the same engine, the same clients, in one run.

    python -m benchmarks.peers [--subject kokoro|indextts-tiny|tone]... [--peer NAME]... [--clients 1,8,50]
                               [--seconds 20,40,20] [--rounds 3] [--no-write]

Round by round every service is started, warmed, asked by 1, 8 and 50 clients (each with its next text as
soon as the last is spoken) and stopped, in turn, so that a change in the machine's speed meets all. Every
text is another one. A refusal is counted apart and tried again after the time that it names. ``--seconds``:
of each number of clients, or one for all. A short time compares other things than services: one client speaks few
texts a second, and at the end who answers one by one works for fewer and fewer, who answers all at once does not.
Everybody answers with the engine's own sound; this service would level and trim it, and
is asked not to (``raw``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from index_tts_ui import engines

from . import lab
from .peer_crew import PEERS, Ask
from .peer_servers.speaker import Settings
from .subjects import SUBJECTS, Subject, recording

OURS = "ours"
ROWS = 16
REST = 0.2  # seconds after a refusal
WARM_SECONDS = 6.0  # with two clients; our Kokoro reads its model a second time when two first speak at once
PATIENT = ["--max-waiting", "1000", "--timeout", "300", "--queue-timeout", "600"]
HEADS = (
    "service",
    "clients",
    "requests/s",
    "ours is x",
    "audio s/s",
    "p50 ms",
    "p95 ms",
    "refused",
    "failed",
)


@dataclass
class Seen:
    """What some clients saw of a service. Times in seconds."""

    wall: float = 0.0
    audio: float = 0.0
    refused: int = 0
    failed: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests that were answered, per second."""
        return len(self.latencies) / self.wall if self.wall else 0.0


@dataclass(frozen=True)
class Row:
    """Medians over the rounds; ``ahead``: our rate divided by theirs, round by round."""

    service: str
    clients: int
    rate: float
    ahead: float
    audio_rate: float
    p50_ms: float
    p95_ms: float
    refused: int
    failed: int

    @classmethod
    def of(cls, service: str, clients: int, seen: Sequence[Seen], ours: Sequence[Seen]) -> Row:
        """Of the same rounds."""
        pairs = [(mine.rate, theirs.rate) for mine, theirs in zip(ours, seen, strict=False)]
        return cls(
            service,
            clients,
            round(lab.median([one.rate for one in seen]), 2),
            round(lab.median([mine / theirs for mine, theirs in pairs if theirs]), 3),
            round(lab.median([one.audio / one.wall for one in seen]), 2),
            round(1000 * lab.median([lab.percentile(one.latencies, 50) for one in seen]), 1),
            round(1000 * lab.median([lab.percentile(one.latencies, 95) for one in seen]), 1),
            sum(one.refused for one in seen),
            sum(one.failed for one in seen),
        )


async def load(port: int, ask: Ask, subject: Subject, clients: int, seconds: float, first: int) -> Seen:
    """``clients`` that ask one text after the other, from the ``first``-th on."""
    seen, numbers = Seen(), itertools.count(first)
    start = time.perf_counter()

    async def user(number: int) -> None:
        async with lab.Client.connect(port, lab.address(number)) as client:
            while time.perf_counter() - start < seconds:
                await _one(client, ask, subject.text(next(numbers)), seen, subject.rate)

    await asyncio.gather(*(user(number) for number in range(clients)))
    seen.wall = time.perf_counter() - start
    return seen


async def _one(client: lab.Client, ask: Ask, text: str, seen: Seen, rate: int) -> None:
    try:
        reply = await ask(client, text)
    except (OSError, EOFError, ValueError):
        client.close()
        seen.failed += 1
        return
    if reply.status in (429, 503):
        seen.refused += 1
        await asyncio.sleep(REST)
    elif reply.status != 200 or not reply.bytes:
        seen.failed += 1
    else:
        seen.latencies.append(reply.total)
        seen.audio += reply.bytes / 2 / rate


@contextlib.contextmanager
def service(name: str, subject: Subject, hub: Path, clips: Path) -> Iterator[tuple[int, Ask]]:
    """One of them, ready; its port and how to ask it."""
    if name == OURS:
        with lab.server(*subject.flags(), *PATIENT, "--max-batch-size", str(ROWS), hub=hub) as running:
            voice = subject.prepare(running.port)
            yield running.port, lambda client, text: client.speak(text, voice, "wav", raw=True)
        return
    model = hub / (engines.REGISTRY[subject.engine].model or subject.engine)
    voice = _clip(clips) if subject.engine.startswith("indextts") else subject.voice
    settings = Settings(lab.free_port(), subject.engine, subject.options, str(model), str(clips), voice, ROWS)
    with PEERS[name].running(settings):
        yield settings.port, PEERS[name].ask


def _clip(folder: Path) -> str:
    from index_tts_ui.audio.reference import read_clip

    clip = read_clip(recording())
    (folder / f"{clip.key}.wav").write_bytes(clip.wav())
    return clip.key


def compare(
    subject: Subject, names: Sequence[str], clients: Sequence[int], seconds: Sequence[float], rounds: int
) -> list[Row]:
    """All of ``names``, ours first in the result. ``seconds``: as many as ``clients``."""
    seen: dict[tuple[str, int], list[Seen]] = {(name, count): [] for name in names for count in clients}
    with subject.hub() as hub, tempfile.TemporaryDirectory() as clips:
        for turn in range(rounds):
            for name in names if turn % 2 == 0 else reversed(names):
                with service(name, subject, hub, Path(clips)) as (port, ask):
                    uvloop.run(load(port, ask, subject, 2, min(WARM_SECONDS, *seconds), 90_000))
                    for place, (count, lasting) in enumerate(zip(clients, seconds, strict=True)):
                        first = 30_000 * turn + 10_000 * place
                        one = uvloop.run(load(port, ask, subject, count, lasting, first))
                        seen[name, count].append(one)
                        print(f"  {name}, {count} clients: {one.rate:.2f} requests/s", flush=True)
    return [Row.of(name, count, seen[name, count], seen[OURS, count]) for count in clients for name in names]


def report(rows: Sequence[Row]) -> str:
    """A table."""
    cells = [[_title(row.service), *list(asdict(row).values())[1:]] for row in rows]
    return lab.table(HEADS, cells)


def _title(name: str) -> str:
    return "this service" if name == OURS else PEERS[name].title


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """See the module. Returns what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--subject", choices=tuple(SUBJECTS), action="append", help="default: kokoro, indextts-tiny"
    )
    parser.add_argument("--peer", choices=tuple(PEERS), action="append", help="default: all")
    parser.add_argument("--clients", default="1,8,50")
    parser.add_argument("--seconds", default="20,40,20")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(argv)
    names = [OURS, *(given.peer or PEERS)]
    for name in names[1:]:
        PEERS[name].install()
    clients = [int(one) for one in given.clients.split(",")]
    seconds = [float(one) for one in given.seconds.split(",")]
    seconds = seconds * len(clients) if len(seconds) == 1 else seconds
    if len(seconds) != len(clients):
        parser.error("--seconds: one for all, or one for each number of --clients")
    found: dict[str, Any] = {}
    for name in given.subject or ["kokoro", "indextts-tiny"]:
        rows = compare(SUBJECTS[name], names, clients, seconds, given.rounds)
        print(f"\n{name}\n\n{report(rows)}", flush=True)
        found[name] = [asdict(row) for row in rows]
        if not given.no_write:
            lab.write(f"peers-{name}", {"seconds": seconds, "rounds": given.rounds, "rows": found[name]})
    return found


if __name__ == "__main__":
    main()
