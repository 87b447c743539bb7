"""Records: every request's account goes to the metrics, the usage table and the access log when it ends."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence

from . import logs
from .account import Account
from .config import Config
from .errors import TTSError
from .handle import Handle, Status
from .job import Flight
from .metrics import Metrics
from .scheduler import Scheduler
from .speech import Ended, Event, Owner, SpeechRequest
from .usage import UsageStore

log = logging.getLogger("tts.requests")


class Records:
    """What keeps book of requests."""

    def __init__(self, metrics: Metrics, usage: UsageStore) -> None:
        self.metrics = metrics
        self.usage = usage

    @classmethod
    def of(cls, config: Config, status: Callable[[], Status], schedulers: Sequence[Scheduler]) -> Records:
        """As configured; ``status`` is what the metrics say of the moment."""
        records = cls(Metrics(), UsageStore(config.usage, config.name, config.usage_days))
        records.metrics.watch(status)
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
            self._landed(flight, scheduler.running + 1, code, scheduler.engine)

        scheduler.on_landed = landed

    def _landed(self, flight: Flight, together: int, code: str, engine: str) -> None:
        seconds = time.monotonic() - flight.sent_at
        self.metrics.segment(engine, seconds, together, code)
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
            self.metrics.ended(account)
            self.usage.put(account)
            if not account.in_log:
                logs.access(account.request_id, account.line(), account.total_seconds)
