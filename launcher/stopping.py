"""How a stop goes: drain, SIGTERM, SIGKILL to the whole tree, each with its bound; it is never undone."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from .state import FINAL, Event, State

if TYPE_CHECKING:
    from .supervisor import Supervisor


class Stopping:
    """``asked``: somebody wanted the stop. A second Ctrl+C, or SIGQUIT, makes it quick."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.asked = False
        self._boss = supervisor
        self._force = False
        self._termed = False  # the server in charge has had its SIGTERM
        self._interrupts = 0

    def signalled(self, number: int) -> None:
        """Begin to stop, or hurry a stop that is under way."""
        boss = self._boss
        self._interrupts += number == signal.SIGINT
        self._force |= number == signal.SIGQUIT or self._interrupts > 1
        if boss.keeper.state not in (State.STOPPING, *FINAL):
            self._begin(signal.Signals(number).name)
        boss.handover.stop(self._force)
        if self._force and boss.keeper.state not in FINAL:
            boss.deadline = time.monotonic()

    def _begin(self, why: str) -> None:
        boss = self._boss
        boss.log(f"stopping ({why})")
        self.asked = True
        boss.keeper.apply(Event.STOP)
        boss.keeper.update(ready=False, reason="")
        boss.deadline = time.monotonic()
        if boss.server and boss.ready_at and not self._force:
            boss.server.send("drain", seconds=boss.settings.drain_timeout)
            boss.deadline += boss.settings.drain_timeout + 1

    def drained(self) -> None:
        """Nothing is under way in the server any more: no need to wait longer."""
        if self._boss.keeper.state == State.STOPPING and not self._termed:
            self._boss.deadline = time.monotonic()

    def press(self) -> None:
        """The next step: SIGTERM after the drain, SIGKILL of the whole tree after that."""
        boss = self._boss
        if boss.server is None:
            boss.deadline = float("inf")  # a server that hands over has a deadline of its own
            boss.family.sweep(None, 0)
            self.check()
        elif not (self._termed or self._force):
            self._termed = boss.server.identity.signal(signal.SIGTERM)
            boss.deadline = time.monotonic() + boss.policy.term
        else:
            boss.kill()

    def check(self) -> None:
        """A stop is over when no server is left."""
        if self._boss.keeper.state == State.STOPPING and not self._boss.servers():
            self._boss.keeper.apply(Event.GONE)
