"""How fast the engine speaks, learned from what it spoke: the scale of every estimate."""

from __future__ import annotations

import math

MEMORY = 30.0  # seconds of full load that an estimate looks back on
GUESS = 0.02  # row-seconds a token, before anything was spoken
SOUND_GUESS = 0.052  # seconds of sound a token
NEW = 0.05  # what a new segment counts for in the means
FEW, ENOUGH = 4, 16  # segments: to refuse somebody on the strength of, and to send somebody away who waits
SURE = 0.8  # of a time: who is expected within that part of it is sure to come within all of it
OUTLIER = 4.0  # times the mean: more does not count for more, as one that hung says little about the next
TRUST = 100.0  # tokens that single runs count for, beside what full load shows


class Pace:
    """Row-seconds a token: how long one row of the batch is busy with one token.

    Under full load (somebody waits, so every row is taken) that is rows times time over tokens, whatever the
    engine's stages do in between. It is also what single segments took, as far as each stays in its row, and those
    that had the engine to themselves are forgotten for it once others are known: rows slow each other down.
    """

    def __init__(self) -> None:
        self._single = GUESS
        self._crowded = GUESS  # the same of those that were spoken under full load throughout
        self._crowded_seen = 0
        self._sound = SOUND_GUESS
        self._mean = 30.0
        self._seen = 0
        self._tokens = 0.0  # spoken under full load; both fade
        self._row_seconds = 0.0
        self._rows = 0
        self._since: float | None = None  # full load, up to here accounted for
        self._full_from = 0.0

    def spoken(self, now: float, tokens: int, engine_seconds: float, sound: float) -> None:
        """A segment came back: ``engine_seconds`` of work, ``sound`` seconds long."""
        tokens = max(1, tokens)
        self._seen += 1
        new = max(NEW, 1 / self._seen)  # of the first ones, each counts the same
        cost = engine_seconds / tokens
        if self.well_known:
            cost = min(cost, OUTLIER * self.row_seconds)
        self._single += new * (cost - self._single)
        self._sound += new * (sound / tokens - self._sound)
        self._mean += new * (tokens - self._mean)
        if self._since is None:
            return
        self._count(now - self._since, tokens)
        self._since = now
        if now - engine_seconds >= self._full_from:
            self._crowded_seen += 1
            new = max(NEW, 1 / self._crowded_seen)
            self._crowded += new * (cost - self._crowded)

    def _count(self, seconds: float, tokens: int) -> None:
        """Only when something comes back: until then, nobody knows how much of it is done."""
        fade = math.exp(-seconds / MEMORY)
        self._tokens = self._tokens * fade + tokens
        self._row_seconds = self._row_seconds * fade + seconds * self._rows

    def load(self, now: float, full: bool, rows: int) -> None:
        """Say after each change whether somebody waits although ``rows`` rows speak."""
        if not full or rows != self._rows:
            self._since = None
        self._rows = rows
        if full and self._since is None:
            self._since = self._full_from = now

    @property
    def known(self) -> bool:
        """Whether enough was spoken to refuse somebody on the strength of it."""
        return self._seen >= FEW

    @property
    def well_known(self) -> bool:
        """Whether enough was spoken to send away who was let in."""
        return self._seen >= ENOUGH

    @property
    def row_seconds(self) -> float:
        """A token's. Full load shows too much while its first segments are not yet back, single runs where an
        engine's stages overlap: the smaller one is nearer to the truth."""
        single = self._crowded if self._crowded_seen >= ENOUGH else self._single
        full = (self._row_seconds + TRUST * single) / (self._tokens + TRUST)
        return min(single, full)

    @property
    def segment_tokens(self) -> float:
        """Of a segment, on average."""
        return self._mean

    def seconds(self, tokens: float, rows: int) -> float:
        """How long ``rows`` rows take for ``tokens``."""
        return tokens * self.row_seconds / max(1, rows)

    def sound(self, tokens: float) -> float:
        """Seconds of sound that ``tokens`` become."""
        return tokens * self._sound
