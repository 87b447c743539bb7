"""How much may wait: requests, segments and seconds of sound, in total and per owner."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .config import Config
from .errors import Overloaded
from .pace import SURE, Pace
from .speech import Owner

UNBOUNDED = 1_000_000_000
MAX_RETRY = 120  # seconds: clients give up on more


@dataclass(frozen=True)
class Limits:
    """The scheduler's bounds; times in seconds, ``sound`` in seconds of speech yet to be made. What is let in
    may go beyond a bound by itself, so that a long text is never too long for an empty queue."""

    max_waiting: int
    segment_timeout: float
    queue_timeout: float
    segments: int = UNBOUNDED
    sound: float = UNBOUNDED
    owner_waiting: int = UNBOUNDED
    owner_segments: int = UNBOUNDED
    owner_sound: float = UNBOUNDED

    @classmethod
    def of(cls, config: Config) -> Limits:
        """As configured."""
        return cls(
            max_waiting=config.max_waiting,
            segment_timeout=config.timeout,
            queue_timeout=config.queue_timeout,
            segments=config.max_waiting_segments,
            sound=config.max_waiting_seconds,
            owner_waiting=config.max_user_waiting,
            owner_segments=config.max_user_segments,
            owner_sound=config.max_user_seconds,
        )


@dataclass
class Share:
    """What waits, of an owner or in all."""

    requests: int = 0
    segments: int = 0
    tokens: int = 0

    def move(self, requests: int, segments: int, tokens: int) -> None:
        """Add."""
        self.requests += requests
        self.segments += segments
        self.tokens += tokens


@dataclass
class _Entry:
    owner: str
    left: Share = field(default_factory=Share)


class Room:
    """Keeps the count. ``rows`` tells how many segments are spoken at once."""

    def __init__(
        self, limits: Limits, pace: Pace, clock: Callable[[], float], rows: Callable[[], int]
    ) -> None:
        self.limits = limits
        self.total = Share()
        self._pace = pace
        self._clock = clock
        self._rows = rows
        self._entries: dict[str, _Entry] = {}
        self._owners: dict[str, Share] = {}
        self._promised: deque[float] = deque()  # when those who were refused are to come back

    def __contains__(self, job: str) -> bool:
        return job in self._entries

    def owner_tokens(self, owner: str) -> int:
        """What waits of one owner."""
        share = self._owners.get(owner)
        return share.tokens if share else 0

    # ---- what comes and goes

    def enter(self, job: str, owner: str, segments: int, tokens: int) -> None:
        """A request waits with all its segments."""
        entry = self._entries[job] = _Entry(owner)
        self._owners.setdefault(owner, Share())
        self._move(entry, 1, segments, tokens)

    def sent(self, job: str, tokens: int) -> None:
        """One segment of it waits no more."""
        self._move(self._entries[job], 0, -1, -tokens)

    def leave(self, job: str) -> None:
        """Nothing of it waits any more."""
        entry = self._entries.pop(job, None)
        if entry is None:
            return
        left = entry.left
        self._move(entry, -left.requests, -left.segments, -left.tokens)
        if not self._owners[entry.owner].requests:
            del self._owners[entry.owner]

    def _move(self, entry: _Entry, requests: int, segments: int, tokens: int) -> None:
        for share in (entry.left, self._owners[entry.owner], self.total):
            share.move(requests, segments, tokens)

    # ---- who may come in

    def check(self, owner: Owner, background: bool) -> None:
        """Raises Overloaded. Background requests get half of the room, so that they never keep others out."""
        limits, whole = self.limits, 0.5 if background else 1.0
        over = max(
            self.total.requests / max(1, limits.max_waiting * whole),
            self.total.segments / max(1, limits.segments * whole),
            self._sound(self.total) / (limits.sound * whole),
        )
        if over >= 1:
            raise Overloaded(
                "queue_full", waiting=self.total.requests, retry_after=self._retry(self.total, over, 1.0)
            )
        own = self._owners.get(owner.key)
        if own is not None:
            self._check_own(own, whole)

    @property
    def horizon(self) -> float:
        """How far one has to look ahead for ``check_wait``, in seconds: 0 where what waits is soon spoken."""
        bound = SURE * self.limits.queue_timeout
        rows = self._rows()
        long = rows and self._pace.known and self._pace.seconds(self.total.tokens, rows) > bound / 2
        return bound if long else 0.0

    def check_wait(self, expected: Callable[[int, int], float]) -> None:
        """Raises Overloaded where a request would wait for longer than it may, as far as anybody can know: better
        now than after all that time. ``expected(owners, tokens)``: seconds, where so many have requests in the
        queue, and so much of them."""
        bound = self.horizon
        if bound and (wait := expected(len(self._owners), self.total.tokens)) >= bound:
            raise self.too_long(wait, wait - bound)

    def too_long(self, wait: float, excess: float) -> Overloaded:
        """For who would wait for ``wait`` seconds in all; there is room for them ``excess`` seconds from now."""
        retry = self._promise(self.total, excess, 1.0)
        return Overloaded("queue_long", seconds=math.ceil(wait), retry_after=retry)

    def _check_own(self, own: Share, whole: float) -> None:
        limits, sound = self.limits, self._sound(own)
        over = max(
            own.requests / max(1, limits.owner_waiting * whole),
            own.segments / (limits.owner_segments * whole),
            sound / (limits.owner_sound * whole),
        )
        if over >= 1:
            raise Overloaded(
                "share_full",
                requests=own.requests,
                segments=own.segments,
                sound=round(sound),
                retry_after=self._retry(own, over, 1 / len(self._owners)),
            )

    def _sound(self, share: Share) -> float:
        return self._pace.sound(share.tokens)

    def _retry(self, share: Share, over: float, part: float) -> int:
        """Seconds until ``share`` is small enough again, if it gets ``part`` of the engine."""
        return self._promise(
            share, self._pace.seconds(share.tokens * (1 - 1 / over), self._rows()) / part, part
        )

    def _promise(self, share: Share, seconds: float, part: float) -> int:
        """``seconds``, and until there is a place for each of those who were sent away before and are yet to
        come back."""
        now = self._clock()
        while self._promised and self._promised[0] <= now:
            self._promised.popleft()
        places = len(self._promised) + 1
        one = share.tokens / max(1, share.requests)
        seconds += self._pace.seconds(min(share.tokens, one * places), self._rows()) / part
        wait = max(1, min(MAX_RETRY, math.ceil(seconds - 0.01)))
        if len(self._promised) < self.limits.max_waiting:
            self._promised.append(max(now + wait, self._promised[-1] if self._promised else 0.0))
        return wait
