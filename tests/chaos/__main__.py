"""python -m tests.chaos --minutes N [--seed S]: random faults at a real instance under real load.

It ends with 1 where anything was lost, doubled, left over or untrue.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time

from .clients import Client
from .deeds import Deeds
from .ledger import Ledger, deed
from .place import Place, wait
from .watch import Watcher

CLIENTS = 4
TAIL = 60  # lines of launcher.log that are shown after a violation


def chaos(place: Place, ledger: Ledger, seconds: float, seed: int) -> Watcher:
    """Faults for ``seconds``, then a stop and a look at what is left."""
    chance = random.Random(seed)
    watcher = Watcher(place, ledger)
    deeds = Deeds(place, ledger, watcher, chance)
    with deed(ledger, "start"):
        deeds.begin()
    stopping = threading.Event()
    clients = [Client(number, place.port, ledger, stopping, seed) for number in range(CLIENTS)]
    for thread in (watcher, *clients):
        thread.start()
    deadline = time.monotonic() + seconds
    names: list[str] = []
    while time.monotonic() < deadline and not ledger.violations:
        if not names:  # each once, in any order, before one comes again
            names = chance.sample(sorted(deeds.all()), len(deeds.all()))
        name = names.pop()
        with deed(ledger, name):
            deeds.all()[name]()
            deeds.settled()
        time.sleep(chance.uniform(0, 0.5))
    stopping.set()
    for thread in clients:
        thread.join(timeout=100)
    with deed(ledger, "the last stop"):
        # a stop makes its own lock file; the other one comes with a start, and may have been deleted since
        expected = {"command.lock"} | ({"lock"} if place.instance.lock.exists() else set())
        place.must(0, "stop")
        watcher.stop()
        wait("no orphan", lambda: not place.left(), 10)
        deeds.gone()
        files = {path.name for path in place.instance.run.iterdir()}
        if files != expected:
            raise RuntimeError(f"files are left: {sorted(files)}")
    ledger.settle()
    return watcher


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's choices")
    options = parser.parse_args()
    seed = random.randrange(1 << 31) if options.seed is None else options.seed
    ledger, place = Ledger(), Place()
    ledger.say(f"seed {seed}; {'small disks' if place.disks else 'no small disks: not root'}; {place.home}")
    try:
        watcher = chaos(place, ledger, options.minutes * 60, seed)
        if ledger.violations:
            log = place.instance.launcher_log
            print(*log.read_text("utf-8").splitlines()[-TAIL:] if log.exists() else [], sep="\n")
    finally:
        place.clean_up()
    for title, counts in (("deeds", ledger.deeds), ("requests", ledger.requests)):
        print(f"{title}:", *(f"  {count:5}  {name}" for name, count in sorted(counts.items())), sep="\n")
    print(f"looks at all processes: {watcher.looks}")
    print(f"violations: {len(ledger.violations)}", *ledger.violations, sep="\n  ")
    return 1 if ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main())
