"""The places in the engine where a segment can be caught: by too little memory, or by its listener's leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# stage: the object under the engine's stages, and its method
PLACES = {
    "clips": ("conditioner._encoder", "encode"),
    "emotion": ("mixer", "from_clip"),
    "prefix": ("gpt", "prefix"),
    "prefill": ("decoder", "_fill"),
    "decode": ("decoder._cache", "stepping"),
    "latents": ("gpt", "latents"),  # of version 2
    "regulator": ("features", "__call__"),
    "noise": ("diffuser", "add"),
    "diffusion": ("diffuser._estimator", "_run"),
    "windows": ("vocoder", "add"),
    "vocoder": ("vocoder", "_forward"),
}
OF_25 = [place for place in PLACES if place != "latents"]


def before(
    patch: pytest.MonkeyPatch, engine: Any, place: str, call: int, what: Callable[[], None]
) -> list[int]:
    """Do ``what`` before the ``call``-th call (from 1) of ``place``; the list holds the calls so far."""
    names, method = PLACES[place]
    owner = engine._pipeline._do
    for name in names.split("."):
        owner = getattr(owner, name)
    kind = type(owner)
    shipped = getattr(kind, method)
    calls: list[int] = []

    def caught(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            what()
        return shipped(self, *args, **kwargs)

    patch.setattr(kind, method, caught)
    return calls
