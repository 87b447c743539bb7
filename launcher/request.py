"""A graceful restart as a file: the command writes it, the supervisor takes it when SIGUSR2 comes."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import keeper
from .instance import Instance
from .lock import read_text
from .state import write_atomic

_LIMIT = 1 << 18  # bytes of a request that are worth reading


@dataclass(frozen=True, slots=True)
class Request:
    """``given`` and ``forwarded`` are the command's flags, which win over those of the running server.

    ``overlap``: the new model is loaded beside the old one, where there is memory for both.
    """

    given: dict[str, Any] = field(default_factory=dict)
    forwarded: tuple[str, ...] = ()
    overlap: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(8))


def path_of(instance: Instance) -> Path:
    """Written by whoever holds the command lock."""
    return instance.run / "restart.json"


def put(instance: Instance, request: Request) -> None:
    """Write it. Raises OSError."""
    write_atomic(path_of(instance), json.dumps(asdict(request)).encode())


def remove(instance: Instance) -> None:
    """Nobody took it."""
    keeper.remove(path_of(instance))


def take(instance: Instance) -> Request | None:
    """Read and remove it: flags may hold secrets. None where there is none that makes sense."""
    text = read_text(path_of(instance), _LIMIT)
    remove(instance)
    try:
        raw = json.loads(text)
        given, forwarded = dict(raw["given"]), tuple(map(str, raw["forwarded"]))
        return Request(given, forwarded, bool(raw["overlap"]), str(raw["id"])[:64])
    except (ValueError, TypeError, KeyError):
        return None
