"""A log record as one line that nothing in it can forge: text or JSON, without control characters, cut."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .context import request_of

MESSAGE_MAX = 8_000  # characters; a longer one is cut
TRACE_MAX = 32_000  # of a traceback the end is kept, where the error is
FIELD_MAX = 1_000  # of a path or an id in the access log
COLUMNS = ("address", "method", "path", "status", "bytes", "seconds", "id")  # what follows them has a name
# Control characters (colours begin with one), line separators, direction marks, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Line:
    """What was logged, taken out of its record; ``access`` instead of a message for a request."""

    time: float  # seconds since the epoch
    level: int
    logger: str
    message: str
    trace: str = ""
    access: dict[str, Any] | None = None
    request: str = ""  # the id of the request it is about

    @property
    def size(self) -> int:
        """About how much memory it holds, in bytes."""
        return 500 + len(self.message) + len(self.trace)


Render = Callable[[Line], str]


def of_record(record: logging.LogRecord) -> Line:
    """Take what is needed now: arguments may change, and a traceback keeps its frames alive."""
    if isinstance(record.msg, dict):
        return Line(record.created, record.levelno, record.name, "", access=record.msg)
    try:
        message = record.getMessage()
    except Exception as error:  # a wrong format string of ours must not end a request
        message = f"{record.msg!r} (not formatted: {error!r})"
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    if record.stack_info:
        trace += record.stack_info
    about = cut(request_of(record), FIELD_MAX)
    return Line(record.created, record.levelno, record.name, cut(message), trace[-TRACE_MAX:], None, about)


def cut(text: str, limit: int = MESSAGE_MAX) -> str:
    """At most ``limit`` characters, and how many there were."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def plain(text: str) -> str:
    """``text`` in one line, what is not printable spelled out (a line end becomes ``\\n``)."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_spell, text)


def _spell(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def as_text(line: Line) -> str:
    """``time LEVEL logger message``; the lines of a traceback are indented, so that none looks like a record."""
    if line.access is not None:
        return f"{clock(line.time)} {_request(line.access)}\n"
    about = f"[{_word(line.request)}] " if line.request else ""
    head = (
        f"{clock(line.time)} {logging.getLevelName(line.level)} {line.logger} {about}{plain(line.message)}\n"
    )
    return head + "".join(f"    {plain(part)}\n" for part in line.trace.splitlines())


def _request(about: dict[str, Any]) -> str:
    address, method, path, name = (_word(about[key]) for key in ("address", "method", "path", "id"))
    text = f"{address} {method} {path} {about['status']} {about['bytes']} B {about['seconds']} s {name}"
    return text + "".join(
        f" {key}={_word(str(value))}"
        for key, value in about.items()
        if key not in COLUMNS and value is not None
    )


def _word(text: str) -> str:
    """Without blanks, so that the columns stay columns."""
    return _BLANK.sub(lambda match: quote(match[0]), plain(cut(text, FIELD_MAX))) or "-"


def as_json(line: Line) -> str:
    """The same as one JSON object."""
    if line.access is not None:
        fields = {
            key: cut(value, FIELD_MAX) if isinstance(value, str) else value
            for key, value in line.access.items()
        }
    else:
        fields = {
            "level": logging.getLevelName(line.level),
            "logger": line.logger,
            **({"request": line.request} if line.request else {}),
            "message": line.message,
            **({"trace": line.trace} if line.trace else {}),
        }
    text = json.dumps({"time": clock(line.time), **fields}, ensure_ascii=False, default=str)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def clock(seconds: float) -> str:
    """Local time with milliseconds and offset, ISO 8601."""
    now = time.localtime(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', now)}.{int(seconds % 1 * 1000):03}{time.strftime('%z', now)}"


FORMATS: dict[str, Render] = {"text": as_text, "json": as_json}
