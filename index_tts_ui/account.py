"""Account: what one request cost and how it went, from its submission to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from .errors import TTSError
from .speech import Ended, Event, Owner, SegmentReady, SpeechRequest, Started

OK = "ok"
# spoken: for this request; shared: together with an equal one under way; cached: it was there already
Source = Literal["spoken", "shared", "cached"]


@dataclass
class Account:
    """Fed with the request's events. Seconds; ``first_seconds`` is the time to its first sound."""

    caller: str
    name: str
    characters: int
    background: bool = False
    request_id: str = ""
    source: Source = "spoken"
    engine: str = ""
    kind: str = ""  # "" under way, "ok", or the kind of its error
    code: str = ""  # the error's
    tokens: int = 0
    segments: int = 0
    audio_seconds: float = 0.0
    wait_seconds: float = 0.0
    first_seconds: float | None = None
    engine_seconds: float = 0.0
    total_seconds: float = 0.0
    underruns: int = 0  # segments that came after a listener would have heard all before them
    in_log: bool = False  # an HTTP request tells of it in the access log
    at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, request: SpeechRequest, owner: Owner) -> Account:
        """A new one; the clock runs."""
        return cls(owner.key, owner.name, len(request.text), request.background, request_id=request.id or "")

    @property
    def outcome(self) -> str:
        """``ok`` or the error's code; "" while it is under way."""
        return self.code or self.kind

    def hear(self, event: Event) -> None:
        """Take in what its listener is told."""
        now = time.monotonic() - self.began
        if isinstance(event, Started):
            self.engine, self.wait_seconds = event.engine, now
        elif isinstance(event, SegmentReady):
            self._sound(now, event.audio.seconds)
        elif isinstance(event, Ended):
            usage = event.usage
            self.tokens, self.segments = usage.tokens, usage.segments
            self.audio_seconds = usage.audio_seconds
            # those who only listen to another's request, or to a kept sound, took nothing of the engine
            self.engine_seconds = usage.engine_seconds if self.source == "spoken" else 0.0
            self.close(event.error)

    def close(self, error: TTSError | None) -> None:
        """It is over."""
        self.total_seconds = time.monotonic() - self.began
        self.kind, self.code = (OK, "") if error is None else (error.kind, error.code)

    def _sound(self, now: float, seconds: float) -> None:
        if self.first_seconds is None:
            self.first_seconds = now
        elif now - self.first_seconds > self.audio_seconds:
            self.underruns += 1
        self.audio_seconds += seconds

    def line(self) -> dict[str, Any]:
        """For the access log."""
        first = self.first_seconds
        return {
            "caller": self.name or self.caller,
            "engine": self.engine,
            "characters": self.characters,
            "audio_seconds": round(self.audio_seconds, 3),
            "wait_seconds": round(self.wait_seconds, 4),
            "first_seconds": None if first is None else round(first, 4),
            "engine_seconds": round(self.engine_seconds, 4),
            "source": self.source,
            "outcome": self.outcome,
        }
