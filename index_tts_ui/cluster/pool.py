"""ReplicaPool: the workers are elsewhere, come when they like, and may be none for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..host import State, WorkerHost
from ..plan import WorkerPlan
from ..pool import WorkerPool
from ..scheduler import Scheduler

if TYPE_CHECKING:
    from .dock import Dock

JOIN_SECONDS = 60.0  # in which a replica comes, or comes back, as a rule
LEAVE_SECONDS = 1.0  # for a host to take note of its end


class ReplicaPool(WorkerPool):
    """A ``WorkerPool`` whose hosts are added and removed by its ``Dock``. It never gives up: a replica that cannot
    load is looked after by whoever started it, and another may join at any time."""

    dock: Dock

    def __init__(self, scheduler: Scheduler, plans: Sequence[WorkerPlan] = ()) -> None:
        super().__init__(scheduler, plans)
        self._tell: Callable[[str, str], None] = lambda device, reason: None
        self._empty_since = time.monotonic()

    # ---- for people

    @property
    def state(self) -> State:
        """Without a replica: one is on its way, so requests are taken; after a while that is in doubt."""
        if not self.hosts:
            return "restarting" if time.monotonic() - self._empty_since < JOIN_SECONDS else "loading"
        return super().state

    @property
    def failing(self) -> bool:
        """Whether there are replicas, and none can load."""
        return bool(self.hosts) and super().failing

    @property
    def fraction(self) -> float:
        """Of the load of the replica that stands for all."""
        return super().fraction if self.hosts else 0.0

    @property
    def text(self) -> str:
        """What it is doing."""
        return super().text if self.hosts else "waiting for an engine replica to join"

    @property
    def reason(self) -> str:
        """Why one ended last."""
        return super().reason if self.hosts else "no engine replica has joined"

    def on_ended(self, tell: Callable[[str, str], None]) -> None:
        """See ``WorkerPool``: also of those that join later."""
        self._tell = tell
        super().on_ended(tell)

    # ---- life

    def start(self) -> None:
        """Open the door, too."""
        if not self.begun:
            self.dock.open()
        super().start()

    async def stop(self) -> None:
        """Let the replicas go, loaded as they are: they look for the next front."""
        await self.dock.close()
        await super().stop()

    def add(self, plan: WorkerPlan) -> WorkerHost:
        """One more worker, which may be loaded already."""
        host = WorkerHost(self._scheduler.open_lane(), plan)
        host.on_end = partial(self._tell, host.device)
        self.hosts.append(host)
        host.start()
        return host

    async def remove(self, host: WorkerHost) -> None:
        """Its replica is gone; what it had was given back to the queue."""
        lane = await host.leave(LEAVE_SECONDS)
        if host in self.hosts:
            self.hosts.remove(host)
            self._empty_since = time.monotonic()
        if host in self._to_reload:
            self._to_reload.remove(host)
        self._scheduler.close_lane(lane)
