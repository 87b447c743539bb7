"""Troubles: what went wrong last, in words: one entry for each kind of it, bounded, in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from .errors import TTSError

MOST = 100
# what the service, and not its caller, should have done otherwise
KINDS = ("internal", "engine_failed", "deadline", "not_ready", "overloaded", "bad_config")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of error. Times are seconds since 1970; the words and ``request`` are of the last one."""

    code: str
    engine: str  # "" at the door
    message: str
    message_zh: str
    request: str
    count: int
    first: float
    last: float


class Troubles:
    """The least recent goes where there are too many."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._found: OrderedDict[tuple[str, str], Trouble] = OrderedDict()

    def note(self, error: TTSError, engine: str = "", request: str = "") -> None:
        """It happened (again), unless it was the caller's own doing."""
        if error.kind not in KINDS:
            return
        key, now = (error.code, engine), self._clock()
        words = (error.message("en"), error.message("zh"))
        before = self._found.pop(key, None)
        if before is None:
            self._found[key] = Trouble(error.code, engine, *words, request, 1, now, now)
        else:
            self._found[key] = replace(
                before,
                message=words[0],
                message_zh=words[1],
                request=request,
                count=before.count + 1,
                last=now,
            )
        while len(self._found) > MOST:
            self._found.popitem(last=False)

    def latest(self) -> list[Trouble]:
        """The most recent first."""
        return list(reversed(self._found.values()))
