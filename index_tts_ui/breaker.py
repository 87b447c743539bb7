"""Breaker: it stops feeding an engine that keeps failing, and tries it again later. Pure; time is handed in.

Closed: everything is sent. After ``LIMIT`` failures without a success in between it is open: nothing is sent
for ``rest`` seconds. Then it is half-open: one segment is sent, alone. If that succeeds it is closed; if
not, open again, and the rest twice as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]
LIMIT = 5  # more than one segment can cause that kills every worker it meets
REST = 5.0  # seconds, the first time
REST_MOST = 60.0


class Breaker:
    """See the module. ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        limit: int = LIMIT,
        rest: float = REST,
        rest_most: float = REST_MOST,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._first_rest = rest
        self._rest = rest
        self._rest_most = rest_most
        self._failures = 0
        self._opened: float | None = None

    @property
    def state(self) -> State:
        """What it is now."""
        if self._opened is None:
            return "closed"
        return "open" if self._clock() - self._opened < self._rest else "half-open"

    @property
    def seconds(self) -> float:
        """Until it is half-open; 0 where it is not open."""
        left = 0.0 if self._opened is None else self._rest - (self._clock() - self._opened)
        return max(0.0, left)

    def allows(self, running: int) -> bool:
        """Whether a segment may be sent while ``running`` are under way: half-open, one at a time."""
        if self._opened is None:
            return True
        return running == 0 and self.state == "half-open"

    def succeeded(self) -> None:
        """A segment was spoken. What was sent before it opened, and comes late, says nothing."""
        if self.state != "open":
            self._failures, self._opened, self._rest = 0, None, self._first_rest

    def failed(self) -> bool:
        """The engine failed; returns whether that opened it."""
        state = self.state
        if state == "open":
            return False
        self._failures += 1
        if state == "closed" and self._failures < self._limit:
            return False
        if state == "half-open":
            self._rest = min(self._rest_most, 2 * self._rest)
        self._opened = self._clock()
        return True
