"""Which request a line belongs to: said with the line (``extra={"request": id}``), or by where it is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

# the ``state`` of the HTTP request that is being served here, which its middleware fills in
_STATE: ContextVar[dict[str, Any] | None] = ContextVar("request_state", default=None)
ACCOUNT = "account"  # in that state: tells what the request's speech cost
OVER = "over"  # in that state: its line is written
Tell = Callable[[], dict[str, Any]]


def enter(state: dict[str, Any]) -> None:
    """What is logged from here on, in this task and those it begins, belongs to this HTTP request."""
    _STATE.set(state)


def request_of(record: logging.LogRecord) -> str:
    """The id of the request that a record is about; "" where it is about none."""
    said = getattr(record, "request", "")
    state = _STATE.get() or {}
    return str(said or ("" if OVER in state else state.get("request_id", "")))


def attach(tell: Tell) -> bool:
    """Have the access log's line of the HTTP request that is being served say what its speech cost.

    False where there is no such line to come: the page's events and jobs are no such requests.
    """
    state = _STATE.get()
    if state is None or OVER in state or ACCOUNT in state:
        return False
    state[ACCOUNT] = tell
    return True
