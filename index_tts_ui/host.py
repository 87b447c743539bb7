"""Keeps one worker alive: spawns it, hears it for the scheduler, ends it when it hangs, makes a new one.

A new worker starts only after the old pid is reaped: at once after a death in service (the
scheduler finds the segment to blame), with a growing delay after a failed load. Six failed
loads in a row, or an exit code 78, are final. A worker that leaks is replaced when it is idle.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .ceiling import Ceiling
from .errors import EXIT_CONFIG, NotReady
from .links import Death, LocalLink
from .scheduler import Scheduler
from .speech import Audio

log = logging.getLogger("tts.host")

State = Literal["loading", "ready", "restarting", "down"]
BACKOFF_FIRST = 0.2  # seconds; doubled with each failed load, up to the cap
BACKOFF_CAP = 30.0
GIVE_UP_AFTER = 6  # loads that failed in a row
ACK_GRACE = 3.0  # seconds a worker has to acknowledge a cancel
SILENCE_LIMIT = 20.0  # seconds without a beat: stopped or wedged
LOADING_SILENCE_LIMIT = 120.0  # the same while it imports and reads, which may hold the GIL
TICK = 0.1


@dataclass(frozen=True)
class WorkerPlan:
    """How to start a worker: its command line and the descriptors it keeps."""

    arguments: Sequence[str]
    keep_fds: tuple[int, ...] = ()
    memory_mb: int = 0  # above it a worker is replaced, once what it has is spoken; 0: no limit


class WorkerHost:
    """Owns the link; a ``links.Listener``. ``state``, ``fraction`` and ``text`` are for people."""

    def __init__(self, scheduler: Scheduler, plan: WorkerPlan) -> None:
        self.state: State = "loading"
        self.fraction = 0.0
        self.text = ""
        self.reason = ""
        self.info: dict[str, Any] = {}
        self.stats: dict[str, Any] = {}
        self.restarts = 0
        self.gave_up: int | None = None  # the exit code to end with: 78 where a restart cannot help
        self._scheduler = scheduler
        self._plan = plan
        self._generation = 0
        self._link: LocalLink | None = None
        self._failed_loads = 0
        self._ceiling = Ceiling(plan.memory_mb)
        self._leaving = ""  # why this worker takes nothing more
        self._heard = time.monotonic()
        self._dead = asyncio.Event()
        self._death: Death | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The worker's pid, if there is one."""
        return self._link.pid if self._link else None

    def start(self) -> None:
        """Begin, in the background; once is enough."""
        if self._task is None:
            self._task = asyncio.create_task(self._live(), name="worker-host")

    async def stop(self) -> None:
        """End the worker and stop making new ones."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    async def _live(self) -> None:
        while self.state != "down":
            await self._one_generation()
            if self.state == "restarting" or self._failed_loads:
                await asyncio.sleep(self._backoff())

    async def _one_generation(self) -> None:
        self._generation += 1
        self._heard = time.monotonic()
        self._dead.clear()
        self._link = LocalLink(self._generation, self)
        try:
            await self._link.start(self._plan.arguments, self._plan.keep_fds)
        except OSError as error:
            self._bury(Death(f"could not be started: {error}", None))
            return
        while not self._dead.is_set():
            self._watch()
            self._scheduler.tick()
            try:
                await asyncio.wait_for(self._dead.wait(), TICK)
            except TimeoutError:
                continue
        assert self._death is not None
        self._bury(self._death)

    def _watch(self) -> None:
        """A worker that does not hear a cancel, or does not beat, is hung."""
        assert self._link is not None
        if self._leaving and not self._scheduler.running:
            self._link.kill(self._leaving)  # it holds nothing that could be lost
            return
        now = time.monotonic()
        stuck = self._scheduler.stuck_since()
        if stuck is not None and now - stuck > ACK_GRACE:
            self._link.kill("hung: it did not stop a cancelled segment")
            return
        if self._scheduler.hung:
            self._link.kill("hung: one step outlasted the time of its segments")
            return
        limit = SILENCE_LIMIT if self.state == "ready" else LOADING_SILENCE_LIMIT
        if now - self._heard > limit:
            self._link.kill(f"hung: silent for {limit:g} s")

    def _bury(self, death: Death) -> None:
        was_ready = self.state == "ready"
        level = logging.WARNING if self._leaving else logging.ERROR
        log.log(level, "worker %d (pid %s) ended: %s", self._generation, self.pid, death.reason)
        self._leaving = ""
        self.reason = death.reason
        self._failed_loads = 0 if was_ready else self._failed_loads + 1
        self.restarts += 1
        hopeless = death.hopeless or self._failed_loads >= GIVE_UP_AFTER
        if hopeless:
            self.state = "down"
            self.gave_up = EXIT_CONFIG if death.hopeless else 1
        elif was_ready or self.state == "restarting":
            self.state = "restarting"
        self._scheduler.detach(death)
        if hopeless:
            log.critical("the engine is given up: %s", death.reason)
            self._scheduler.cancel_all(lambda: NotReady("engine_down", reason=death.reason))

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
            log.info("worker %d (pid %s) is ready: %s", generation, self.pid, info)
            self._ceiling.renew()
            self._scheduler.attach(self._link, info["name"], info["max_rows"])

    def on_loading(self, generation: int, fraction: float, text: str) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self.fraction, self.text = fraction, text

    def on_grant(self, generation: int, total: int) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._scheduler.grant(total)

    def on_finished(
        self, generation: int, segment_id: str, attempt: int, audio: Audio, engine_seconds: float
    ) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._scheduler.finished(segment_id, attempt, audio, engine_seconds)

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
            self._scheduler.failed(segment_id, attempt, code, message, retryable)

    def on_beat(self, generation: int, step_no: int, busy_s: float, stats: dict[str, Any]) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self.stats = stats
            self._scheduler.beat(busy_s)
            if self.state == "ready" and not self._leaving:
                self._leaving = self._ceiling.passed(stats.get("resident_mb", 0.0))
                if self._leaving:
                    self._scheduler.hold()

    def on_death(self, generation: int, death: Death) -> None:
        """See ``links.Listener``."""
        if self._current(generation):
            self._death = death
            self._dead.set()
