"""The owner of an HTTP request: whom the gate found, else the client's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from ..speech import Owner

STATE = "owner"  # where the gate leaves whom it found, in the request's state


def anonymous(scope: Mapping[str, Any]) -> Owner:
    """Somebody at an address, who may do all that is not forbidden to everybody."""
    client = scope.get("client")
    return Owner(f"addr:{client[0] if client else 'unknown'}")


def owner_of(connection: HTTPConnection) -> Owner:
    """The owner behind an HTTP request: fairness, limits and cancelling go by it."""
    found = connection.scope.get("state", {}).get(STATE)
    return found if isinstance(found, Owner) else anonymous(connection.scope)
