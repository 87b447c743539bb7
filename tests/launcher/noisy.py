"""The stand-in server, which also prints numbered lines: ``noisy.py LINES behaviour ...``, 100 bytes each."""

from __future__ import annotations

import sys
import threading
import time

from server import main  # type: ignore[import-not-found]


def speak(lines: int) -> None:
    """In bursts, so that the tests' machine is not busy with it alone."""
    for number in range(lines):
        sys.stdout.write(f"line {number:08} ".ljust(99, "x") + "\n")
        sys.stdout.flush()
        if number % 100 == 0:
            time.sleep(0.02)


if __name__ == "__main__":
    count = int(sys.argv.pop(1))
    threading.Thread(target=speak, args=(count,), daemon=True).start()
    main()
