"""systemd's notification protocol (sd_notify(3)): datagrams that say how the unit is, from the supervisor alone.

A socket that cannot be reached is ignored: the service matters, not the report.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, MutableMapping

from . import ports
from .messages import say
from .state import Record, State

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")  # never for a child
EXTEND = 30.0  # seconds more that systemd is asked to wait, time and again while there is progress
EVERY = 5.0  # seconds between two such requests


class Notify:
    """Says what is new of the supervisor's record; ``due`` is when it wants to speak next (monotonic)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._interval = _watchdog_seconds(environ) / 2
        self._socket: socket.socket | None = None
        self._phase = ""  # READY, RELOADING or STOPPING, as told last
        self._status = ""
        self._extended = self._alive = -float("inf")
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    @property
    def due(self) -> float:
        """When the watchdog wants its next sign of life."""
        return self._alive + self._interval if self._socket and self._interval else float("inf")

    def update(self, record: Record, healthy: bool, reloading: bool) -> None:
        """Call it on each turn of the loop; ``healthy``: nothing is wrong that the supervisor cannot mend."""
        if self._socket is None:
            return
        now = time.monotonic()
        phase = _phase(record, reloading)
        if phase and phase != self._phase:
            clock = [f"MONOTONIC_USEC={int(now * 1e6)}"] if phase == "RELOADING" else []
            if self._send(f"{phase}=1", *clock, f"STATUS={status_text(record)}"):
                self._phase, self._status = phase, status_text(record)
                self._extended = -float("inf")  # each phase has a bound of its own
        if status_text(record) != self._status and self._send(f"STATUS={status_text(record)}"):
            self._status = status_text(record)
        waits = self._phase != "READY"  # systemd has a bound for a start, a reload and a stop
        if waits and now - self._extended >= EVERY and self._send(f"EXTEND_TIMEOUT_USEC={int(EXTEND * 1e6)}"):
            self._extended = now
        if healthy and now >= self.due:
            self._alive = now
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> bool:
        """One datagram; whether it went out. What could not be said is said again on a later turn."""
        assert self._socket is not None
        try:
            self._socket.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)
        except OSError:
            return False
        return True


def take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """The variables of the protocol, out of ``environ``: they are for this process, not for its children."""
    return {name: environ.pop(name) for name in VARIABLES if name in environ}


def _address(text: str) -> str:
    """A path, or an abstract name (@...); anything else (vsock:...) is for other machines."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else ""


def _watchdog_seconds(environ: Mapping[str, str]) -> float:
    pid = environ.get("WATCHDOG_PID", "")
    text = environ.get("WATCHDOG_USEC", "")
    if (pid and pid != str(os.getpid())) or not (text.isascii() and text.isdigit()):
        return 0.0
    return int(text) / 1e6


def _phase(record: Record, reloading: bool) -> str:
    if record.state == State.STOPPING:
        return "STOPPING"
    if reloading:
        return "RELOADING"
    return "READY" if record.ready else ""  # a crash does not take READY back


def status_text(record: Record) -> str:
    """The state in words, on one line."""
    facts = {
        "percent": f"{record.fraction:.0%}",
        "text": record.text,
        "reason": record.reason,
        "address": ports.url(record.host, record.port, record.https),
    }
    key = "unit_ready" if record.ready else _WORDS[record.state]
    return " ".join(say(key, **facts).split())


_WORDS = {
    State.STARTING: "unit_loading",
    State.RUNNING: "unit_loading",
    State.BACKOFF: "unit_backoff",
    State.STOPPING: "unit_stopping",
    State.EXITED: "unit_ended",
    State.FATAL: "unit_ended",
}
