"""When a worker has leaked too much: its memory, beat by beat, against a limit."""

from __future__ import annotations

import logging

log = logging.getLogger("tts.host")


class Ceiling:
    """One worker's limit in MiB of resident memory; 0 is none.

    A limit that the freshly loaded engine is already above would only make it restart for ever: it is
    reported once and not used.
    """

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb
        self._fresh = True
        self._warned = False

    def renew(self) -> None:
        """Another worker is ready; what it says next is what the engine needs."""
        self._fresh = True

    def passed(self, resident_mb: float) -> str:
        """Why the worker should go, or "". Call it with every beat of a loaded worker."""
        if not self._limit or resident_mb <= self._limit:
            self._fresh = False
            return ""
        if self._fresh:
            if not self._warned:
                log.warning(
                    "worker_memory_mb (%d) is below what the engine needs (%d MiB) and is ignored",
                    self._limit,
                    resident_mb,
                )
            self._warned = True
            return ""
        return f"its memory, {resident_mb:.0f} MiB, passed worker_memory_mb ({self._limit})"
