"""Quota: how often, and how much a day, each owner may ask. Counting is the ``limits`` library's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from .errors import Overloaded
from .speech import Owner

log = logging.getLogger("tts.quota")
SAVE_AFTER = 1.0  # seconds
DAY = 86_400


class Rate:
    """``5:10``: ten at once, five a second in the long run; ``5`` is ``5:5``; ``off``: no limit."""

    def __init__(self, text: str) -> None:
        self._limit = _limit(text)
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)

    def hit(self, who: str) -> None:
        """Count one request. Raises Overloaded with the seconds until the next one is allowed."""
        if self._limit is None or self._limiter.hit(self._limit, who):
            return
        reset = self._limiter.get_window_stats(self._limit, who).reset_time
        raise Overloaded("rate_limited", retry_after=max(1, math.floor(reset - time.time()) + 1))


def _limit(text: str) -> RateLimitItemPerSecond | None:
    if text == "off":
        return None
    rate, _, burst = text.partition(":")
    each = float(rate)
    amount = int(burst) if burst else max(1, math.ceil(each))
    if each <= 0 or amount <= 0:
        return None
    # `amount` within the seconds that the long run takes for them; whole seconds, so round in favour of nobody
    seconds = max(1, math.ceil(amount / each))
    return RateLimitItemPerSecond(max(1, round(each * seconds)), seconds)


class Quota:
    """``rate``: of owners without one of their own. ``path``: where a day's characters outlive a restart."""

    def __init__(self, rate: str, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._default = rate
        self._rates: dict[str, Rate] = {}
        self._path = path
        self._clock = clock
        self._saving: asyncio.TimerHandle | None = None
        self._day, self._used = self._load()

    def hit(self, owner: Owner) -> None:
        """Count one request. Raises Overloaded."""
        text = owner.rate if owner.rate not in ("", "auto") else self._default
        rate = self._rates.get(text)
        if rate is None:
            rate = self._rates[text] = Rate(text)
        rate.hit(owner.key)

    def check(self, owner: Owner, characters: int) -> None:
        """Raises Overloaded where so many more are over the owner's quota of the day (UTC)."""
        if owner.quota and self.used(owner) + characters > owner.quota:
            left = DAY - self._clock() % DAY
            raise Overloaded("quota_used", quota=owner.quota, retry_after=math.ceil(left))

    def charge(self, owner: Owner, characters: int) -> None:
        """Count characters that were taken in."""
        if not owner.quota:
            return
        self._used[owner.key] = self.used(owner) + characters
        if self._saving is None:
            with contextlib.suppress(RuntimeError):  # no event loop: whoever closes saves
                self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER, self._save_soon)

    def used(self, owner: Owner) -> int:
        """Characters of today."""
        today = int(self._clock() // DAY)
        if today != self._day:
            self._day, self._used = today, {}
        return self._used.get(owner.key, 0)

    def close(self) -> None:
        """Save what is not saved."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
            self._save()

    def _save_soon(self) -> None:
        self._saving = None
        asyncio.get_running_loop().run_in_executor(None, self._save)

    def _save(self) -> None:
        text = json.dumps({"day": self._day, "used": dict(self._used)})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self._path.parent, prefix=".quota-", delete=False
            ) as file:
                file.write(text)
            Path(file.name).replace(self._path)
        except OSError as error:
            log.warning("quotas are not saved: %s", error)

    def _load(self) -> tuple[int, dict[str, int]]:
        today = int(self._clock() // DAY)
        try:
            data = json.loads(self._path.read_text("utf-8"))
            used = (
                {str(key): int(value) for key, value in data["used"].items()} if data["day"] == today else {}
            )
        except FileNotFoundError:
            used = {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is damaged (%s): quotas of today start at 0", self._path, error)
            used = {}
        return today, used
