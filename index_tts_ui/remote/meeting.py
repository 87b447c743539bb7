"""Meeting an upstream: which kind it is, what it can, and how it is right now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .about import OMNI, OURS, About, kind_of, ours, theirs
from .answers import Failed, Refused
from .client import Client
from .upstreams import Upstream

OVER = ("down", "draining")  # states of ours that are not waited for


@dataclass(frozen=True)
class Pulse:
    """How it is. ``load``: its segments and requests, running and waiting; ``ours``: those of it that we have
    there. None where it does not say."""

    ready: bool = True
    load: int | None = None
    ours: int | None = None
    fraction: float = 0.0
    text: str = ""

    @property
    def over(self) -> bool:
        """Whether it will not be ready by itself."""
        return not self.ready and self.text in OVER


@dataclass(frozen=True)
class Met:
    """Who it is, and how."""

    about: About
    pulse: Pulse


async def meet(client: Client, upstream: Upstream) -> Met:
    """Ask all that there is to know. Raises Failed, Busy or Refused."""
    kind, status, models = upstream.kind, None, None
    if kind in ("auto", OURS):
        status = await _quietly(client, "/v1/status") if kind == "auto" else await client.ask("/v1/status")
    if status is None or kind == "auto":
        models = await client.ask("/v1/models")
    if kind == "auto":
        kind = kind_of(status, models)
    voices = None if upstream.voices else await client.ask("/v1/audio/voices")
    if kind == OURS:
        if not isinstance(status, dict):
            raise Failed("it is no index-tts-ui: correct its kind or url")
        return Met(ours(status, voices).configured(upstream), _of_status(status))
    about = theirs(kind, models, voices, upstream.model)
    return Met(about.configured(upstream), await pulse(client, kind))


async def pulse(client: Client, kind: str) -> Pulse:
    """How it is, as cheaply as can be asked. Raises Failed, Busy or Refused."""
    if kind == OURS:
        status = await client.ask("/v1/status")
        return _of_status(status if isinstance(status, dict) else {})
    if kind == OMNI:
        await client.ask("/health")
    else:
        await client.ask("/v1/models")
    return Pulse()


async def _quietly(client: Client, path: str) -> Any:
    """None also where the server does not like to be asked that."""
    try:
        return await client.ask(path)
    except Refused:
        return None
    except Failed as error:
        if error.gone:
            raise
        return None


def _of_status(status: dict[str, Any]) -> Pulse:
    """Of GET /v1/status."""
    state = str(status.get("state", "unknown"))[:32]
    ready = status.get("ready") is True
    load = _number(status.get("running")) + _number(status.get("waiting"))
    ours = int(_number(status["yours"])) if "yours" in status else None
    return Pulse(ready, int(load), ours, min(1.0, max(0.0, _number(status.get("fraction")))), state)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e9 else 0.0
