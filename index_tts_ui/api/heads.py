"""A request's headers as a plain dict: all who stand before the routes look into them."""

from __future__ import annotations

from starlette.types import Scope

STATE = "heads"


def heads(scope: Scope) -> dict[str, str]:
    """By lower-case name, the first of each; made once for a request (Starlette's ``Headers`` search anew)."""
    state = scope.setdefault("state", {})
    found: dict[str, str] | None = state.get(STATE)
    if found is None:
        pairs = reversed(scope["headers"])
        found = state[STATE] = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    return found
