"""Many users at once: the articles' table, and a sweep from 1 to 200 users.

    python -m benchmarks.load [--subject kokoro|indextts2.5|indextts-tiny|tone] [--url http://HOST:PORT]
                              [--minutes 3] [--sweep 1,2,5,10,20,50,100,200] [--seconds 30] [--no-write]

Without ``--url`` it starts a server of its own, with the settings that a user gets. Every user comes from an
address of their own, asks for another text each time, and pauses for 1 to 3 seconds in between. A refusal
(429, 503) is counted apart from a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

from . import lab
from .subjects import RATE, SUBJECTS, Subject

PAUSE = (1.0, 3.0)  # seconds between a user's requests
MOST = 512  # users at once, in the rush that the search for the largest number begins with
HEADS = (
    "users",
    "requests",
    "p50 s",
    "p95 s",
    "p99 s",
    "first sound p50 s",
    "p95 s ",
    "audio s/s",
    "refused",
    "failed",
)


@dataclass
class Tally:
    """What some users saw. Seconds."""

    users: int
    wall: float = 0.0
    audio: float = 0.0
    refused: int = 0
    failed: int = 0
    totals: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """For table and JSON."""
        return {
            "users": self.users,
            "requests": len(self.totals),
            **{f"p{n}": round(lab.percentile(self.totals, n), 3) for n in (50, 95, 99)},
            **{f"first_p{n}": round(lab.percentile(self.firsts, n), 3) for n in (50, 95)},
            "audio_rate": round(self.audio / self.wall, 2) if self.wall else 0.0,
            "refused": self.refused,
            "failed": self.failed,
        }


class Crowd:
    """Users of one server."""

    def __init__(self, port: int, subject: Subject, voice: str) -> None:
        self._port, self._subject, self._voice = port, subject, voice
        self._numbers = itertools.count()

    async def once(self, users: int) -> Tally:
        """Everybody asks once, at the same time."""
        return await self._gathered(users, lambda user, tally: self._ask(user, tally))

    async def during(self, users: int, seconds: float, pause: tuple[float, float] = PAUSE) -> Tally:
        """Everybody asks, listens, pauses, and so on."""
        end = time.perf_counter() + seconds

        async def visit(user: int, tally: Tally) -> None:
            await asyncio.sleep(random.uniform(0, min(pause[1], seconds)))
            while time.perf_counter() < end:
                await self._ask(user, tally)
                await asyncio.sleep(random.uniform(*pause))

        return await self._gathered(users, visit)

    async def _gathered(self, users: int, visit: Any) -> Tally:
        tally, began = Tally(users), time.perf_counter()
        await asyncio.gather(*(visit(user, tally) for user in range(users)))
        tally.wall = time.perf_counter() - began
        return tally

    async def _ask(self, user: int, tally: Tally) -> None:
        try:
            async with lab.Client.connect(self._port, lab.address(user)) as client:
                reply = await client.speak(self._subject.text(next(self._numbers)), self._voice)
        except (OSError, EOFError, ValueError):
            tally.failed += 1
            return
        if reply.status in (429, 503):
            tally.refused += 1
        elif reply.status != 200 or not reply.bytes:
            tally.failed += 1
        else:
            tally.totals.append(reply.total)
            tally.firsts.append(reply.first)
            tally.audio += reply.bytes / 2 / RATE


async def _largest(crowd: Crowd) -> int:
    """The largest number of users at once of whom none is refused or fails: of a rush, those who were not; then
    as many alone, fewer by those who were turned away, until none is."""
    users = MOST
    while users > 0 and (turned_away := await _turned_away(crowd, users)):
        users -= turned_away
    return users


async def _turned_away(crowd: Crowd, users: int) -> int:
    tally = await crowd.once(users)
    return tally.refused + tally.failed


async def measure(crowd: Crowd, sweep: Sequence[int], seconds: float, minutes: float) -> dict[str, Any]:
    """All of it, in the order of the articles' table."""
    first = await crowd.once(1)
    single = Tally(1)
    for _ in range(5):
        one = await crowd.once(1)
        single.totals += one.totals
        single.firsts += one.firsts
    five = await crowd.once(5)
    found: dict[str, Any] = {
        "first_request_s": round(lab.percentile(first.totals, 50), 3),
        "single_s": round(lab.percentile(single.totals, 50), 3),
        "single_first_sound_s": round(lab.percentile(single.firsts, 50), 3),
        "five_at_once_s": round(lab.percentile(five.totals, 100), 3),
        "largest": await _largest(crowd) if minutes else None,
        "fifty": (await crowd.during(50, 60 * minutes)).row() if minutes else None,
    }
    found["sweep"] = []
    for users in sweep:
        found["sweep"].append((await crowd.during(users, seconds)).row())
        print(f"  {found['sweep'][-1]}", flush=True)
    return found


def report(found: dict[str, Any]) -> str:
    """Two tables."""
    ready = found.get("ready_s")
    rows = [
        ["start until ready", f"{ready:.1f} s" if ready else ""],
        ["first request after start", f"{found['first_request_s']} s"],
        ["a single user (first sound)", f"{found['single_s']} s ({found['single_first_sound_s']} s)"],
        ["five at once, the last one done", f"{found['five_at_once_s']} s"],
    ]
    if fifty := found["fifty"]:
        rows.append(["largest number at once without a refusal", found["largest"]])
        said = "{requests} requests, p50 {p50} s, p95 {p95} s, {refused} refused, {failed} failed"
        rows.append(["50 users with pauses of 1-3 s", said.format(**fifty)])
    sweep = [list(row.values()) for row in found["sweep"]]
    return "\n\n".join([lab.table(("", "measured"), rows), lab.table(HEADS, sweep)])


@contextlib.contextmanager
def _place(url: str, subject: Subject) -> Iterator[tuple[int, str, float | None]]:
    """Port, voice and seconds until ready."""
    if url:
        port = urlsplit(url).port or 80
        yield port, subject.prepare(port), None
        return
    with subject.hub() as hub, lab.server(*subject.flags(), hub=hub) as server:
        yield server.port, subject.prepare(server.port), server.ready_seconds


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """See the module. Returns what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subject", choices=tuple(SUBJECTS), default="kokoro")
    parser.add_argument("--url", default="", help="a server on this machine that runs already")
    parser.add_argument("--minutes", type=float, default=3, help="of 50 users; 0: leave out")
    parser.add_argument("--sweep", default="1,2,5,10,20,50,100,200")
    parser.add_argument("--seconds", type=float, default=30, help="of each step of the sweep")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(argv)
    subject = SUBJECTS[given.subject]
    sweep = [int(one) for one in given.sweep.split(",") if one]
    with _place(given.url, subject) as (port, voice, ready):
        found = uvloop.run(measure(Crowd(port, subject, voice), sweep, given.seconds, given.minutes))
    found = {"subject": subject.name, "ready_s": ready, **found}
    print(f"\n{subject.name}\n\n{report(found)}")
    if not given.no_write:
        lab.write(f"load-{subject.name}", found)
    return found


if __name__ == "__main__":
    main()
