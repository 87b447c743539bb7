"""Throttle: how many segments an upstream is given at once, by what it answers and what it says. Pure.

The window is what it was configured to take, less what others make it do; it is halved when the server says that it
has too much (429, 503), and grows again by one for each round that went well (Chiu and Jain, "Analysis of the
increase and decrease algorithms", 1989). It rests for as long as it says, or after failures in a row, for longer
each time.
"""

from __future__ import annotations

from collections.abc import Callable

REST_FIRST, REST_MOST = 1.0, 30.0  # seconds where the server does not say how long
FAILURES = 3  # in a row, from which on it rests


class Throttle:
    """``most`` segments at once; ``clock`` is monotonic, in seconds."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self.running = 0
        self._most = most
        self._clock = clock
        self._window = float(most)
        self._room = most  # beside what others have it do
        self._rests_until = 0.0
        self._in_a_row = 0  # answers that were none

    @property
    def rest(self) -> float:
        """Seconds for which it takes nothing."""
        return max(0.0, self._rests_until - self._clock())

    @property
    def window(self) -> int:
        """Segments that it may have at once, when it does not rest."""
        return max(1, min(int(self._window), self._room))

    @property
    def free(self) -> int:
        """Segments that may be sent now."""
        return 0 if self.rest else max(0, self.window - self.running)

    def sent(self) -> None:
        """One more is on its way."""
        self.running += 1

    def left(self) -> None:
        """One was given up by us, which says nothing of the server."""
        self.running -= 1

    def spoken(self) -> None:
        """One came back as sound."""
        self.running -= 1
        self._in_a_row = 0
        self._window = min(float(self._most), self._window + 1 / max(1.0, self._window))

    def refused(self, seconds: float | None) -> None:
        """One came back since it has too much to do; it is to be asked again in ``seconds``, if it said so."""
        self.running -= 1
        if not self.rest:  # those that were sent together are refused together: once is enough
            self._in_a_row += 1
            self._window = max(1.0, self._window / 2)
        self._pause(self._backoff(1) if seconds is None else seconds)

    def failed(self) -> None:
        """One came back as nothing that can be used, or not at all."""
        self.running -= 1
        self._in_a_row += 1
        if self._in_a_row >= FAILURES:
            self._window = 1.0
            self._pause(self._backoff(FAILURES))

    def shared(self, others: int) -> None:
        """It has ``others`` segments, running or waiting, that are not ours."""
        self._room = self._most - max(0, others)

    def _backoff(self, first: int) -> float:
        return float(min(REST_MOST, REST_FIRST * 2.0 ** max(0, min(10, self._in_a_row - first))))

    def _pause(self, seconds: float) -> None:
        self._rests_until = max(self._rests_until, self._clock() + seconds)
