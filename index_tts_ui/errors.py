"""Every way the service says no, as kinds; HTTP statuses exist only at the edge (``api.errors``).

An error is a stable ``code`` plus the facts that fill its sentence in ``sentences``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .sentences import MESSAGES as MESSAGES


class TTSError(Exception):
    """The root. ``code`` is stable, ``param`` names the offending field, ``facts`` fill the sentence."""

    kind: ClassVar[str] = "internal"

    def __init__(self, code: str, *, param: str | None = None, **facts: Any) -> None:
        if code not in MESSAGES:
            raise KeyError(f"unknown error code {code!r}")
        self.code = code
        self.param = param
        self.facts = {"param": param, **facts}
        super().__init__(self.message())

    def message(self, lang: str = "en") -> str:
        """The sentence in ``lang`` ("en" or anything that begins with "zh"): one line, whatever the facts."""
        text = MESSAGES[self.code][lang.lower().startswith("zh")].format(**self.facts)
        return " ".join(text.splitlines())

    @property
    def retry_after(self) -> int | None:
        """Seconds (1-120) after which trying again makes sense; None where it does not."""
        seconds = self.facts.get("retry_after")
        return None if seconds is None else min(120, max(1, int(seconds)))


class Invalid(TTSError):
    """The caller's input is wrong; the same input will fail again."""

    kind = "invalid"


class Unauthorized(TTSError):
    """No credentials, or wrong ones."""

    kind = "unauthorized"


class Forbidden(TTSError):
    """The credentials are right, but do not allow this."""

    kind = "forbidden"


class NotFound(TTSError):
    """A voice, model, request or output that does not exist."""

    kind = "not_found"


class TooLarge(TTSError):
    """The body or text is over its limit."""

    kind = "too_large"


class Conflict(TTSError):
    """The request contradicts one under way."""

    kind = "conflict"


class Overloaded(TTSError):
    """The bounded queue is full; carries ``retry_after``."""

    kind = "overloaded"


class NotReady(TTSError):
    """The engine is loading, draining or down."""

    kind = "not_ready"


class DeadlineExceeded(TTSError):
    """A wait or a run went past its bound."""

    kind = "deadline"


class Cancelled(TTSError):
    """The caller gave the request up."""

    kind = "cancelled"


class EngineFailed(TTSError):
    """The engine could not speak it, after what retries could help."""

    kind = "engine_failed"


class Notice(TTSError):
    """No failure, and never raised: how a request is served otherwise than it was asked."""

    kind = "notice"


class BadConfig(TTSError):
    """A setting or model is wrong; a restart cannot mend it (exit code 78)."""

    kind = "bad_config"


EXIT_CONFIG = 78  # EX_CONFIG: nobody restarts a process that ends with it
EXIT_DEVICE = 75  # EX_TEMPFAIL: a worker's GPU failed under it; another process may go on


def segment_error(code: str, message: str) -> TTSError:
    """What the request says when one of its segments failed with the worker's ``code``."""
    if code == "cancelled":
        return Cancelled("cancelled", reason="by the engine")
    if code in ("nothing_to_speak", "voice_not_found"):
        return Invalid(code, voice=message)
    if code == "clip_not_found":
        return NotFound(code, clip=message[:64])
    if code == "transcript_missing":
        return Invalid(code, param="voice")
    if code == "refused":
        return Invalid("upstream_refused", reason=message)
    if code == "late":
        return DeadlineExceeded("segment_timeout", seconds=float(message))
    if code in ("out_of_memory", "bad_samples", "silent_sound", "runaway_sound"):
        return EngineFailed(code)
    return EngineFailed("engine_failed", reason=message or code)
