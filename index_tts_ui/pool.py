"""All workers of the service, one per device, as one: its state, its rest when nobody asks, its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .errors import EXIT_CONFIG, Conflict, NotReady
from .host import State, WorkerHost, WorkerPlan, WorkerStatus
from .scheduler import Scheduler

log = logging.getLogger("tts.pool")
TICK = 0.1  # seconds
IDLE_TICK = 0.25  # where there is nothing to be late
# of several workers the first of these that one is in is the state of all
_BEST_FIRST: tuple[State, ...] = ("ready", "waking", "asleep", "restarting", "loading", "down")


class WorkerPool:
    """One host per plan, all fed by ``scheduler``. After ``keep_alive`` seconds without a request (0:
    never) the workers end, and are made again at the next."""

    def __init__(self, scheduler: Scheduler, plans: Sequence[WorkerPlan], keep_alive: float = 0.0) -> None:
        self.hosts = [WorkerHost(scheduler.open_lane(), plan) for plan in plans]
        self.gave_up: int | None = None  # the exit code to end with: 78 where a restart cannot help
        self.on_failing: Callable[[], bool] = lambda: False  # whether another engine speaks meanwhile
        self._scheduler = scheduler
        self._failing = False  # as it was
        self._keep_alive = keep_alive
        self._used = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._to_reload: list[WorkerHost] = []
        scheduler.on_work = self._on_work

    # ---- for people

    @property
    def state(self) -> State:
        """The best that any worker is in: one that is ready is enough."""
        states = {host.state for host in self.hosts}
        if "ready" not in states and self.failing:
            return "down"
        return next(state for state in _BEST_FIRST if state in states)

    @property
    def failing(self) -> bool:
        """Whether no worker can be had: each ended with 78, or all its last loads failed."""
        return all(host.hopeless or host.exhausted for host in self.hosts)

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._task is not None

    @property
    def fraction(self) -> float:
        """Of the load, 0 to 1, of the worker that stands for all."""
        return self._speaker.fraction

    @property
    def text(self) -> str:
        """What that worker is doing."""
        return self._speaker.text

    @property
    def reason(self) -> str:
        """Why a worker ended last."""
        return self._speaker.reason

    @property
    def info(self) -> dict[str, Any]:
        """What the engine said of itself (``EngineInfo``); empty before it is loaded for the first time."""
        return next((host.info for host in self.hosts if host.info), {})

    @property
    def restarts(self) -> int:
        """Of all workers."""
        return sum(host.restarts for host in self.hosts)

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Each worker, in the order of its devices."""
        return tuple(host.status() for host in self.hosts)

    @property
    def _speaker(self) -> WorkerHost:
        state = self.state
        hosts = [host for host in self.hosts if host.state == state] or self.hosts
        return max(hosts, key=lambda host: host.fraction)

    def on_ended(self, tell: Callable[[str, str], None]) -> None:
        """Tell the device and the reason whenever a worker ends that should not have."""
        for host in self.hosts:
            host.on_end = partial(tell, host.device)

    # ---- life

    def start(self) -> None:
        """Begin, in the background; once is enough."""
        if self._task is None:
            self._used = time.monotonic()
            for host in self.hosts:
                host.start()
            self._task = asyncio.create_task(self._tend(), name="worker-pool")

    async def stop(self) -> None:
        """End all workers and stop making new ones."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(host.stop() for host in self.hosts))

    def unload(self) -> None:
        """Let all workers rest until the next request. Raises Conflict while one of them is on its way."""
        if not all(host.settled for host in self.hosts):
            raise Conflict("model_unsettled", state=self.state)
        for host in self.hosts:
            host.rest()

    def reload(self) -> None:
        """Replace all workers, one after the other. Raises Conflict once the engine is given up."""
        if self.gave_up is not None:
            raise Conflict("model_unsettled", state=self.state)
        self._to_reload = list(self.hosts)

    def _reload_next(self) -> None:
        if self._to_reload and all(host.settled for host in self.hosts):
            self._to_reload.pop(0).replace("an administrator asked for a reload")

    async def _tend(self) -> None:
        while True:
            self._reload_next()
            for host in self.hosts:
                host.watch()
            self._scheduler.tick()
            self._rest_if_idle()
            self._give_up_if_hopeless()
            await asyncio.sleep(TICK if self._scheduler.jobs else IDLE_TICK)

    def _on_work(self) -> None:
        self._used = time.monotonic()
        for host in self.hosts:
            host.wake()

    def _rest_if_idle(self) -> None:
        if self._scheduler.jobs or self._scheduler.running:
            self._used = time.monotonic()
        elif self._may_rest() and time.monotonic() - self._used >= self._keep_alive:
            log.info("nobody asked for %g s: the engine rests until somebody does", self._keep_alive)
            for host in self.hosts:
                host.rest()

    def _may_rest(self) -> bool:
        """Not while one of them is on its way: it would have to be stopped half-way."""
        settled = all(host.state in ("ready", "down") for host in self.hosts)
        return self._keep_alive > 0 and settled and self.state == "ready"

    def _give_up_if_hopeless(self) -> None:
        """Where any worker may still come, it is waited for; where none will, nobody waits in vain. As long
        as another engine speaks, or one may come back by itself, those that may still load are tried again."""
        was, self._failing = self._failing, self.failing
        if not self._failing or self.gave_up is not None:
            return
        reason = self.reason
        if not self.on_failing() and not any(host.returns for host in self.hosts):
            self.gave_up = EXIT_CONFIG if all(host.hopeless for host in self.hosts) else 1
            for host in self.hosts:
                host.give_up()
            log.critical("the engine is given up: %s", reason)
        elif not was:
            log.critical("the engine cannot be loaded: %s; it is tried again", reason)
        self._scheduler.fail_all(lambda: NotReady("engine_down", reason=reason))
