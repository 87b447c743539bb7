"""Records: every request's account goes to the metrics, the usage table and the access log when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import logs
from .account import Account
from .config import Config
from .errors import EngineFailed, TTSError
from .handle import Handle, Status
from .job import Flight
from .metrics import Metrics
from .scheduler import Scheduler
from .series import Series
from .speech import Ended, Event, Owner, SpeechRequest
from .troubles import Troubles
from .usage import UsageStore

log = logging.getLogger("tts.requests")


class Records:
    """What keeps book of requests."""

    def __init__(self, metrics: Metrics, usage: UsageStore, series: Series) -> None:
        self.metrics = metrics
        self.usage = usage
        self.series = series
        self.troubles = Troubles()

    @classmethod
    def of(cls, config: Config, status: Callable[[], Status], schedulers: Sequence[Scheduler]) -> Records:
        """As configured; ``status`` is what the metrics say of the moment."""
        metrics = Metrics()
        metrics.watch(status)
        usage = UsageStore(config.usage, config.name, config.usage_days)
        records = cls(metrics, usage, Series(metrics, status))
        for scheduler in schedulers:
            records.watch(scheduler)
        return records

    @contextlib.contextmanager
    def opened(self, request: SpeechRequest, owner: Owner) -> Iterator[Account]:
        """A request is being taken in; what refuses it is written down."""
        account = Account.of(request, owner)
        in_log = not request.background and logs.attach(account.line)
        try:
            yield account
        except TTSError as error:
            account.close(error)
            self.metrics.ended(account)
            self.troubles.note(error, request=account.request_id)
            if not in_log:
                logs.access(account.request_id, account.line(), account.total_seconds)
            raise
        account.in_log = in_log

    def follow(self, account: Account, handle: Handle) -> None:
        """It was taken in; call it before anybody reads its events."""
        job = handle.job
        account.request_id, account.source = job.request_id, handle.source
        job.observe(lambda event: self._hear(account, event))
        log.debug(
            "%d characters, %d segments, as %s",
            account.characters,
            len(job.segments),
            job.id,
            extra={"request": job.request_id},
        )

    def watch(self, scheduler: Scheduler) -> None:
        """Hear of each segment that comes back from its workers."""

        def landed(flight: Flight, code: str) -> None:
            seconds = time.monotonic() - flight.sent_at
            _soon(self._landed, flight, seconds, scheduler.running + 1, code, scheduler.engine)

        scheduler.on_landed = landed

    def worker_ended(self, engine: str, device: str, reason: str) -> None:
        """A worker died, or could not be loaded."""
        self.troubles.note(EngineFailed("worker_ended", device=device, reason=reason), engine)

    def _landed(self, flight: Flight, seconds: float, together: int, code: str, engine: str) -> None:
        self.metrics.segment(engine, seconds, together, code, flight.sound)
        segment = flight.job.segments[flight.index]
        log.debug(
            "segment %s: %s after %.3f s, attempt %d",
            segment.id,
            code or "spoken",
            seconds,
            flight.attempt,
            extra={"request": flight.job.request_id},
        )

    def close(self) -> None:
        """Have all on disk."""
        self.usage.flush()

    def _hear(self, account: Account, event: Event) -> None:
        account.hear(event)
        if isinstance(event, Ended):
            _soon(self._ended, account, event.error)

    def _ended(self, account: Account, error: TTSError | None) -> None:
        self.metrics.ended(account)
        self.usage.put(account)
        if error is not None:
            self.troubles.note(error, account.engine, account.request_id)
        if not account.in_log:
            logs.access(account.request_id, account.line(), account.total_seconds)


def _soon(write: Callable[..., None], *arguments: Any) -> None:
    """In the loop's next turn: who waits for sound is served first, and need not wait for the books."""
    asyncio.get_running_loop().call_soon(write, *arguments)
