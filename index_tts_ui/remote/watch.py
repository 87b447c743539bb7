"""Watch: when an upstream is looked at, and when it counts as dead."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from .about import OPENAI, OURS, About
from .answers import Busy, Failed, Refused
from .client import Client
from .meeting import Pulse, meet, pulse
from .upstreams import Upstream

log = logging.getLogger("tts.remote")
# between two looks at it: one that tells its load, one that does not, one that somebody pays for
PROBE_SECONDS = {OURS: 2.0, OPENAI: 30.0}
PROBE_OTHERWISE = 5.0
REFRESH_SECONDS = 60.0  # between two looks at its voices
AGAIN_SECONDS = 0.3  # after one that failed
MISSES = 3  # in a row, of which it is dead; where nobody listens at its address, one less


class Watch:
    """Of one upstream that was just met. ``learn`` hears, from time to time, what it has. Set ``doubt`` where there
    is reason to ask whether it lives."""

    def __init__(self, client: Client, upstream: Upstream, kind: str, learn: Callable[[About], None]) -> None:
        self.doubt = asyncio.Event()
        self._client = client
        self._upstream = upstream
        self._kind = kind
        self._learn = learn
        self._every = PROBE_SECONDS.get(kind, PROBE_OTHERWISE)
        self._heard = self._met_at = time.monotonic()

    def spoke(self) -> None:
        """It did: that says more than any answer to a question."""
        self._heard = time.monotonic()

    async def pulses(self) -> AsyncIterator[Pulse]:
        """How it is, each time it is asked. Raises Failed or Refused once it is dead."""
        misses = 0
        while True:
            await self._wait(AGAIN_SECONDS if misses else self._every)
            recent = time.monotonic() - self._heard < self._every
            if recent and self._kind != OURS and not misses and not self.doubt.is_set():
                continue
            self.doubt.clear()
            try:
                state = await self._asked()
            except Busy as busy:
                misses = 0  # it lives
                log.debug("upstream %s: %s", self._upstream.name, busy)
            except (Failed, Refused) as error:
                misses += 1
                if misses >= MISSES - (isinstance(error, Failed) and error.gone):
                    raise
            else:
                misses = 0
                yield state

    async def _asked(self) -> Pulse:
        """How it is; from time to time also what it has: voices are added and deleted."""
        if time.monotonic() - self._met_at < REFRESH_SECONDS:
            return await pulse(self._client, self._kind)
        met = await meet(self._client, self._upstream)
        self._met_at = time.monotonic()
        self._learn(met.about)
        return met.pulse

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.doubt.wait(), seconds)
        except TimeoutError:
            pass
