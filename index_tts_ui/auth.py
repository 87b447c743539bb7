"""Who is asking. Keys and roles come to stand here; today an owner is a client address."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from .speech import Owner


def owner_of(connection: HTTPConnection) -> Owner:
    """The owner behind an HTTP request: fairness, limits and cancelling go by it."""
    host = connection.client.host if connection.client else "unknown"
    return Owner(f"addr:{host}")
