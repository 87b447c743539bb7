"""The registry of engines, as import strings: an engine is imported where it is used, when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Where an engine's parts are. ``model`` is its folder in cache_hub; "" needs none."""

    engine: str
    frontend: str
    model: str = ""
    description: str = ""


REGISTRY: dict[str, EngineSpec] = {
    "kokoro": EngineSpec(
        engine="index_tts_ui.engines.kokoro.engine:KokoroEngine",
        frontend="index_tts_ui.engines.kokoro.frontend:KokoroFrontend",
        model="kokoro",
        description="Kokoro-82M on the CPU: Mandarin, English and mixed text",
    ),
    "tone": EngineSpec(
        engine="index_tts_ui.engines.tone:ToneEngine",
        frontend="index_tts_ui.engines.tone:ToneFrontend",
        description="A test engine: one tone per character, failures on command",
    ),
}

AUTO = ("kokoro",)  # what engine=auto may choose, best first; never the test engine


def resolve(target: str) -> Any:
    """The object that an import string ``package.module:name`` points to."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
