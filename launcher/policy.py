"""When to restart, when to wait, when to give up: pure arithmetic over monotonic times."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from .errors import EXIT_CONFIG, EXIT_USAGE
from .state import Event

VARIABLE = "TTS_LAUNCH_POLICY"  # a JSON object of the fields below, for tests and special cases


@dataclass(frozen=True, slots=True)
class Policy:
    """Every bound of the supervisor, in seconds unless said otherwise."""

    base: float = 0.5  # first back-off
    factor: float = 2.0
    cap: float = 30.0  # longest back-off
    jitter: float = 0.25  # share of the delay that is random
    deaths: int = 5  # so many deaths ...
    first_deaths: int = 3  # so many before it was ever ready, and it will not be
    window: float = 300.0  # ... within this time are a crash loop
    stable: float = 60.0  # a server that was ready this long has proven itself
    hello: float = 120.0  # import and start of the server until its first message
    silence: float = 30.0  # without a beat the server counts as hung
    dump: float = 3.0  # a hung server may write its stacks so long
    term: float = 10.0  # between SIGTERM and SIGKILL
    kill: float = 5.0  # SIGKILL must have worked by then
    forced: float = 15.0  # a forced stop waits so long for the supervisor, then kills it
    leftovers: float = 3.0  # leftovers of a dead supervisor have so long after SIGTERM
    orphans: float = 1.0  # workers see that their server is gone and end by themselves

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Policy:
        """Defaults, or what the variable says."""
        raw = json.loads(environ.get(VARIABLE) or "{}")
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in raw.items() if key in known})


@dataclass
class Backoff:
    """Remembers deaths; ``died`` says how long to wait, or None to give up."""

    policy: Policy
    rng: random.Random = field(default_factory=random.Random)
    ever_ready: bool = False
    _deaths: list[float] = field(default_factory=list)

    @property
    def limit(self) -> int:
        """Deaths that are too many."""
        return self.policy.deaths if self.ever_ready else min(self.policy.deaths, self.policy.first_deaths)

    def died(self, now: float, ready_for: float) -> float | None:
        """One more death at ``now``, after ``ready_for`` seconds of good service."""
        if ready_for >= self.policy.stable:
            self._deaths.clear()
        self._deaths = [at for at in self._deaths if now - at < self.policy.window] + [now]
        if len(self._deaths) >= self.limit:
            return None
        delay = min(self.policy.cap, self.policy.base * self.policy.factor ** (len(self._deaths) - 1))
        return delay * (1 + self.policy.jitter * (2 * self.rng.random() - 1))


def judgement(code: int) -> Event:
    """What an exit code means for the state table."""
    if code in (EXIT_CONFIG, EXIT_USAGE):
        return Event.REFUSED
    return Event.FINISHED if code == 0 else Event.DIED
