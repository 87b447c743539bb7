"""Looks all the time: never two instances, never half a state file."""

from __future__ import annotations

import json
import threading
import time

from launcher.identity import Marked, read_stat
from launcher.lock import read_text

from .ledger import Ledger
from .place import Place

INTERVAL = 0.1  # seconds


class Watcher(threading.Thread):
    """``overlap`` allows a second server of the same supervisor (a graceful restart)."""

    def __init__(self, place: Place, ledger: Ledger) -> None:
        super().__init__(name="watcher", daemon=True)
        self.overlap = threading.Event()
        self.looks = 0
        self._place = place
        self._ledger = ledger
        self._stopping = threading.Event()

    def run(self) -> None:
        """See the module."""
        while not self._stopping.wait(INTERVAL):
            self.looks += 1
            self._servers()
            self._state()

    def stop(self) -> None:
        """Return when the last look is over."""
        self._stopping.set()
        self.join(timeout=10)

    def _servers(self) -> None:
        servers = self._place.role("server")
        supervisors = {item.supervisor for item in servers}
        most = 2 if self.overlap.is_set() else 1
        if len(supervisors) < 2 and len(servers) <= most:
            return
        time.sleep(0.02)  # a look takes a while: one may have ended while the other was begun
        alive = [item for item in servers if item.process.alive() and not _begins(item, servers)]
        most = 2 if self.overlap.is_set() else 1
        if len({item.supervisor for item in alive}) > 1 or len(alive) > most:
            pids = [(item.process.pid, item.supervisor.pid) for item in alive]
            self._ledger.violation(f"{len(alive)} servers at once (pid, supervisor): {pids}")

    def _state(self) -> None:
        text = read_text(self._place.instance.state, 1 << 20)
        if text:
            try:
                json.loads(text)
            except ValueError:
                self._ledger.violation(f"half a state file: {text[:200]!r}")


def _begins(item: Marked, servers: list[Marked]) -> bool:
    """Whether it is a child of one of these servers, which has not come to its own program yet: until then
    it carries its parent's command line. A server is nobody's child but a supervisor's."""
    stat = read_stat(item.process.pid)
    return stat is not None and stat.parent in {other.process.pid for other in servers}
