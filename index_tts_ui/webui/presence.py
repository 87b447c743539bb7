"""How often Gradio's queue looks for work: soon while people are about, rarely while nobody is."""

from __future__ import annotations

import time
from collections.abc import Callable

from gradio.queueing import Queue
from starlette.types import ASGIApp, Receive, Scope, Send

ABOUT_SECONDS = 0.04  # quick enough for a click
ALONE_SECONDS = 0.25  # for the first one after a while; an idle service should be idle
AWAY_SECONDS = 600.0  # without a request of a page: nobody is about
_PATH = "/gradio_api/"


class Presence:
    """ASGI wrapper that hears the pages' requests. ``clock``: seconds, monotonic."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._heard = float("-inf")

    @property
    def rest(self) -> float:
        """Seconds that the queue may sleep for, where it has nothing."""
        return ABOUT_SECONDS if self._clock() - self._heard < AWAY_SECONDS else ALONE_SECONDS

    def paces(self, queue: Queue) -> None:
        """``queue`` sleeps so long from now on. Gradio reads ``sleep_when_free`` before each sleep, and by itself
        it is a number: a thousandth of a second."""
        rest = property(lambda _: self.rest)
        queue.__class__ = type("PacedQueue", (type(queue),), {"sleep_when_free": rest})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All is passed on."""
        if scope["type"] == "http" and _PATH in scope["path"]:
            self._heard = self._clock()
        await self._app(scope, receive, send)
