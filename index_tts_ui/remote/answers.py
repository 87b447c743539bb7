"""What an upstream's answer can be, other than sound."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping

RETRY_MOST = 600.0  # seconds that a server can ask us to wait
NOT_NOW = (425, 429, 503)  # it has too much to do, or is not ready
SAID_MOST = 200  # characters of its own words


class Failed(Exception):
    """The server failed: at this segment, or at all (``gone``: it cannot be reached)."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Busy(Exception):
    """It has too much to do. ``seconds``: when to ask again, where it said so."""

    def __init__(self, reason: str, seconds: float | None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Refused(Exception):
    """The segment's own fault, as far as the server can tell. ``status`` is its HTTP status."""

    def __init__(self, reason: str, status: int = 400, code: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.code = code


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    """What an answer other than 200 means."""
    said, code = _said(body)
    reason = f"it answered {status}{f' ({said})' if said else ''}"
    if status in NOT_NOW:
        return Busy(reason, retry_after(headers.get("retry-after", "")))
    if status in (401, 403):
        return Failed(f"it answered {status}: check its key")  # its words may have a part of the key in them
    if 300 <= status < 400:
        return Failed(f"{reason}: it redirects, which is not followed; correct its url")
    if status == 404 and code not in ("voice_not_found", "clip_not_found", "model_not_found"):
        return Failed(f"{reason}: check its url and model")
    if status == 408 or status >= 500:
        return Failed(reason)
    return Refused(reason, status, code)


def retry_after(value: str) -> float | None:
    """Seconds, of a number or a date (RFC 9110, 10.2.3); None where there is none."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(RETRY_MOST, max(0.1, seconds)) if seconds == seconds else None


def _said(body: bytes) -> tuple[str, str]:
    """The message and the code in a body of OpenAI's shape, on one line."""
    try:
        data = json.loads(body)
        error = data.get("error", data.get("detail", "")) if isinstance(data, dict) else ""
    except ValueError:
        return "", ""
    message, code = (error.get("message"), error.get("code")) if isinstance(error, dict) else (error, None)
    said = " ".join(str(message).split()) if isinstance(message, str) else ""
    said = "".join(char for char in said if char.isprintable())
    return said[:SAID_MOST].rstrip("."), str(code) if code else ""
