"""What failed beside other tests is run once more, by itself: ``python -m tests.again MARKERS``.

Two files of tests at a time start dozens of servers, workers and browsers; on a machine with two cores that someone
else is using, too, one of some thousand waits may then be over before its turn came. Whether a few failures come
again with the machine to themselves tells who is to look where. It changes nothing: what failed has failed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(".pytest_cache/v/cache/lastfailed")
MOST = 3
ONCE_IS_ENOUGH = re.compile(r"race|chaos|soak|fuzz|property|exactly_once|kill")


def failed(cache: Path = CACHE) -> list[str]:
    """The tests that failed in the last run, as pytest names them."""
    try:
        return sorted(json.loads(cache.read_text("utf-8")))
    except (OSError, ValueError):
        return []


def worth_a_look(tests: Sequence[str]) -> bool:
    """Whether they are worth a second look: some, few, and none of what fails by chance where there is a fault."""
    return 0 < len(tests) <= MOST and not any(ONCE_IS_ENOUGH.search(test) for test in tests)


def main(markers: str) -> int:
    """Print how they do; the exit status is 0 where all pass by themselves."""
    tests = failed()
    if not worth_a_look(tests):
        return 1
    print(f"\n== Once more, by themselves: {' '.join(tests)}", flush=True)
    # no cache: what failed first stays named there
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", markers, *tests]
    again = subprocess.run(command, check=False).returncode
    print(
        f"{len(tests)} failed beside others; by themselves they {'fail, too' if again else 'pass'}",
        flush=True,
    )
    return 1 if again else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
