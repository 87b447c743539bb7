"""What happened when: requests, outages that excuse lost ones, and everything that must not be."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GRACE = 0.5  # seconds; a SIGKILL takes its time on a busy machine
UNTIL_READY = float("inf")


@dataclass
class Outage:
    """From ``begin`` until the instance is ready again. Monotonic seconds.

    With ``open`` the socket outlives the server, so only requests that were under way may be lost;
    with ``drained`` just these must not be.
    """

    cause: str
    begin: float
    open: bool = False
    drained: bool = False
    end: float = UNTIL_READY

    def excuses(self, began: float, ended: float, refused: bool) -> bool:
        """Whether a request of that time may have been lost. ``refused``: nobody had taken it on."""
        if began > self.end + GRACE or ended < self.begin:
            return False
        if self.drained and began < self.begin - GRACE:
            return False
        return refused or not self.open or began < self.begin + GRACE


@dataclass
class Ledger:
    """Shared by the conductor, the clients and the watcher."""

    deeds: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    failures: list[tuple[float, float, bool, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begin: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line with the time since the beginning."""
        print(f"{time.monotonic() - self._begin:7.1f} s  {text}", flush=True)

    def violation(self, text: str) -> None:
        """Something that must not be."""
        with self._lock:
            self.violations.append(text)
        self.say(f"VIOLATION: {text}")

    def outage(self, cause: str, stays_open: bool = False, drained: bool = False) -> None:
        """From now until ``ready`` requests may be lost to ``cause``."""
        with self._lock:
            self.outages.append(Outage(cause, time.monotonic(), stays_open, drained))

    def ready(self) -> None:
        """The instance serves: whatever was out is over."""
        with self._lock:
            for outage in self.outages:
                outage.end = min(outage.end, time.monotonic())

    def answered(self) -> None:
        """One request got its own, whole sound."""
        with self._lock:
            self.requests["answered"] += 1

    def failed(self, began: float, refused: bool, why: str) -> None:
        """One request did not; judged at the end, when all outages are known."""
        with self._lock:
            self.failures.append((began, time.monotonic(), refused, why))

    def settle(self) -> None:
        """Sort the failures into excused ones, by cause, and violations."""
        for began, ended, refused, why in self.failures:
            causes = [item.cause for item in self.outages if item.excuses(began, ended, refused)]
            if causes:
                self.requests[f"{'refused' if refused else 'lost'}: {causes[-1]}"] += 1
            else:
                at, took = began - self._begin, ended - began
                self.violation(f"a request of {at:.1f} s, {took:.1f} s long, was lost without a cause: {why}")
        self.failures.clear()


@contextmanager
def deed(ledger: Ledger, name: str) -> Iterator[None]:
    """Counts and announces one deed; what it raises is a violation."""
    ledger.deeds[name] += 1
    ledger.say(name)
    try:
        yield
    except Exception as error:
        ledger.violation(f"{name}: {type(error).__name__}: {error}")
