"""Keeps one worker alive: spawns it, hears it for its lane, ends it when it hangs, makes a new one.

A new worker starts only after the old pid is reaped: at once after a death in service (the
scheduler finds the segment to blame), with a growing delay after a failed load. An exit code 78 is
final. A worker that leaks is replaced when it is idle. A worker that rests has no process at all.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .ceiling import Ceiling
from .lane import Lane
from .links import Death, HostedLink
from .plan import WorkerPlan as WorkerPlan
from .speech import Audio

log = logging.getLogger("tts.host")

# asleep: it rests, and will be woken by the next request; waking: it was, and loads
State = Literal["loading", "ready", "restarting", "asleep", "waking", "down"]
BACKOFF_FIRST = 0.2  # seconds; doubled with each failed load, up to the cap
BACKOFF_CAP = 30.0
PATIENCE = 6  # loads that failed in a row: from here on it is exhausted
ACK_GRACE = 3.0  # seconds a worker has to acknowledge a cancel
SILENCE_LIMIT = 20.0  # seconds without a beat: stopped or wedged
LOADING_SILENCE_LIMIT = 120.0  # the same while it imports and reads, which may hold the GIL


@dataclass(frozen=True)
class WorkerStatus:
    """One worker, for people. ``running``: segments it has; ``stats``: its engine's own figures."""

    device: str
    state: State
    fraction: float
    text: str
    reason: str
    running: int
    restarts: int
    stats: dict[str, Any]


class WorkerHost:
    """Owns the link; a ``links.Listener``. ``state``, ``fraction`` and ``text`` are for people."""

    def __init__(self, lane: Lane, plan: WorkerPlan) -> None:
        self.state: State = "loading"
        self.fraction = 0.0
        self.text = ""
        self.reason = ""
        self.info: dict[str, Any] = {}
        self.stats: dict[str, Any] = {}
        self.restarts = 0
        self.hopeless = False  # it ended with 78: a restart cannot help
        self.on_end: Callable[[str], None] = lambda reason: None  # a worker ended that should not have
        self._lane = lane
        self._plan = plan
        self._generation = 0
        self._link: HostedLink | None = None
        self._failed_loads = 0
        self._ceiling = Ceiling(plan.memory_mb)
        self._leaving = ""  # why this worker takes nothing more
        self._resting: asyncio.Task[None] | None = None  # its worker is on its way out, or gone
        self._woken = asyncio.Event()
        self._heard = time.monotonic()
        self._dead = asyncio.Event()
        self._death: Death | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The last worker's pid, if there was one."""
        return self._link.pid if self._link else None

    @property
    def device(self) -> str:
        """As people call it."""
        return self._plan.device

    @property
    def returns(self) -> bool:
        """Whether it may come back by itself: nobody gives it up."""
        return self._plan.returns

    @property
    def exhausted(self) -> bool:
        """Whether its loads have failed so often that, if all others are no better, it is time to give up."""
        return self._failed_loads >= PATIENCE

    @property
    def settled(self) -> bool:
        """Whether it is neither being loaded nor about to be replaced."""
        return self.state in ("ready", "asleep", "down") and not self._leaving

    def status(self) -> WorkerStatus:
        """For /v1/status and metrics."""
        reason = self.reason if self.state in ("restarting", "down") or self._failed_loads else ""
        running, device = len(self._lane.flights), self._plan.device
        fraction = round(self.fraction, 3)
        return WorkerStatus(
            device, self.state, fraction, self.text, reason, running, self.restarts, dict(self.stats)
        )

    def start(self) -> None:
        """Begin, in the background; once is enough."""
        if self._task is None:
            self._task = asyncio.create_task(self._live(), name=f"worker-host-{self._plan.device}")

    async def stop(self) -> None:
        """End the worker and stop making new ones."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    def rest(self) -> None:
        """End the worker, which must have nothing to do, and with it all that it holds of its device."""
        if self.state == "ready" and self._link is not None:
            self.state = "asleep"
            self._woken.clear()
            self._lane.hold()
            self._resting = asyncio.create_task(self._link.close(), name=f"rest-{self._plan.device}")

    def wake(self) -> None:
        """Load again, if it rests."""
        if self.state == "asleep":
            self.state, self.fraction, self.text = "waking", 0.0, ""
            self._lane.waking = True
            self._woken.set()

    def replace(self, reason: str) -> None:
        """Another worker, once this one has spoken what it has; at once where it rests or was given up."""
        if self.state == "ready":
            self._leaving = self._leaving or reason
            self._lane.hold()
        elif self.state == "down" and (self._task is None or self._task.done()):
            self.state, self.hopeless, self._failed_loads, self._task = "loading", False, 0, None
            self.start()
        else:
            self.wake()

    async def leave(self, seconds: float) -> Lane:
        """Its worker is ``gone``: take note of it, within ``seconds``, and end; returns the lane."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=seconds)
        await self.stop()
        return self._lane

    def give_up(self) -> None:
        """Make no new worker."""
        self.state = "down"
        if self._task is not None:
            self._task.cancel()

    async def _live(self) -> None:
        while self.state != "down":
            await self._one_generation()
            if self._resting is not None:
                await self._woken.wait()
                self._resting = None
            elif self.state != "down":
                await asyncio.sleep(self._backoff())

    async def _one_generation(self) -> None:
        self._generation += 1
        self._heard = time.monotonic()
        self._dead.clear()
        self._link = self._plan.open(self._generation, self)
        try:
            await self._link.start()
        except OSError as error:
            self._bury(Death(f"could not be started: {error}", None))
            return
        await self._dead.wait()
        assert self._death is not None
        self._bury(self._death)

    def watch(self) -> None:
        """Call it often: a worker that does not hear a cancel, or does not beat, is hung and is ended."""
        if self._link is None or self._dead.is_set() or self._resting is not None:
            return
        if self._leaving and not self._lane.flights:
            self._link.kill(self._leaving)  # it holds nothing that could be lost
            return
        now = time.monotonic()
        stuck = self._lane.stuck_since
        if stuck is not None and now - stuck > ACK_GRACE * self._lane.patience:
            self._link.kill("hung: it did not stop a cancelled segment")
            return
        if self._lane.hung:
            self._link.kill("hung: one step outlasted the time of its segments")
            return
        limit = SILENCE_LIMIT if self.state == "ready" else LOADING_SILENCE_LIMIT
        if now - self._heard > limit:
            self._link.kill(f"hung: silent for {limit:g} s")

    def _bury(self, death: Death) -> None:
        self.stats = {}
        if self._resting is not None:
            log.info("worker %d on %s rests", self._generation, self._plan.device)
            self._leaving = ""
            self._lane.detach(death, coming=False)
            return
        was_ready = self.state == "ready"
        meant, level = bool(self._leaving), logging.WARNING if self._leaving else logging.ERROR
        name = f"worker {self._generation} on {self._plan.device} (pid {self.pid})"
        log.log(level, "%s ended: %s", name, death.reason)
        self._leaving = ""
        home = self._plan.home
        self.reason = death.reason.replace(f"{home}/", "") if home else death.reason
        self._failed_loads = 0 if was_ready else self._failed_loads + 1
        self.restarts += 1
        if not meant:
            self.on_end(self.reason)
        self.hopeless = death.hopeless
        if death.gone:
            self.state = "down"
        elif death.hopeless:
            self.state = "down"
            log.critical("%s is given up", name)
        elif self.state != "loading":
            self.state = "restarting"
        self._lane.detach(death, coming=was_ready and self.state != "down")

    def _backoff(self) -> float:
        """Nothing after a death in service, then doubling, with jitter against lock-step."""
        if not self._failed_loads:
            return 0.0
        delay = min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** (self._failed_loads - 1))
        return delay * random.uniform(0.5, 1.0)

    # ---- links.Listener: only the current generation is heard

    def _current(self, generation: int) -> bool:
        self._heard = time.monotonic()
        return generation == self._generation

    def on_hello(self, generation: int, info: dict[str, Any]) -> None:
        """See ``links.Listener``."""
        if self._current(generation) and self._link is not None:
            self.state, self.info, self.fraction, self.text = "ready", info, 1.0, ""
            self._failed_loads = 0
            log.info("worker %d on %s (pid %s) is ready: %s", generation, self._plan.device, self.pid, info)
            self._ceiling.renew()
            self._lane.attach(self._link, info["name"], info["max_rows"], info["patience"])

    def on_loading(self, generation: int, fraction: float, text: str) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self.fraction, self.text = fraction, text

    def on_grant(self, generation: int, total: int) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._lane.grant(total)

    def on_finished(
        self, generation: int, segment_id: str, attempt: int, audio: Audio, engine_seconds: float
    ) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._lane.finished(segment_id, attempt, audio, engine_seconds)

    def on_failed(
        self,
        generation: int,
        segment_id: str,
        attempt: int,
        code: str,
        message: str,
        retryable: bool,
        engine_seconds: float,
    ) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._lane.failed(segment_id, attempt, code, message, retryable)

    def on_beat(self, generation: int, step_no: int, busy_s: float, stats: dict[str, Any]) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self.stats = stats
            self._lane.beat(busy_s, stats.get("rest_s", 0.0))
            if self.state == "ready" and not self._leaving:
                self._leaving = self._ceiling.passed(stats.get("resident_mb", 0.0))
                if self._leaving:
                    self._lane.hold()

    def on_death(self, generation: int, death: Death) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._death = death
            self._dead.set()
