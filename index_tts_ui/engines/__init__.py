"""The registry of engines, as import strings: an engine is imported where it is used, when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Where an engine's parts are. ``model`` is its folder in cache_hub; "" needs none.

    ``features`` (see ``EngineInfo``) and ``parameters`` (of ``parameters.PARAMETERS``) are what it can do,
    known before it is loaded, as are ``languages``; of a frontend that needs the model's files, ``frontend``
    is called with their folder.
    """

    engine: str
    frontend: str
    model: str = ""
    description: str = ""
    features: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("zh", "en")
    frontend_reads_model: bool = False
    token_seconds: float = 0.0  # of sound that the slowest speech takes for a token; 0: not known
    devices: str = "cpu"  # what it runs on: "cpu" alone, "cuda" (NVIDIA GPUs, or the CPU), "any" name


_INDEXTTS: tuple[str, ...] = (
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "max_codes",
    "segment_tokens",
)
_INDEXTTS += ("pause_ms", "diffusion_steps", "guidance")

REGISTRY: dict[str, EngineSpec] = {
    "kokoro": EngineSpec(
        engine="index_tts_ui.engines.kokoro.engine:KokoroEngine",
        frontend="index_tts_ui.engines.kokoro.frontend:KokoroFrontend",
        model="kokoro",
        description="Kokoro-82M on the CPU: Mandarin, English and mixed text",
        features=("speed", "blend"),
        token_seconds=0.3,
    ),
    "indextts2.5": EngineSpec(
        engine="index_tts_ui.engines.indextts.engine:IndexTTS25Engine",
        frontend="index_tts_ui.engines.indextts.frontend:IndexTTS25Frontend",
        model="indextts2.5",
        description="IndexTTS-2.5: voice cloning with emotion, five languages, batched on the GPU",
        features=("speed", "clone", "emotion", "seed", "pronunciation"),
        parameters=(*_INDEXTTS, "duration_factor"),
        languages=("zh", "en", "ja", "es", "ar"),
        frontend_reads_model=True,
        token_seconds=0.5,
        devices="cuda",
    ),
    "indextts2": EngineSpec(
        engine="index_tts_ui.engines.indextts.engine:IndexTTS2Engine",
        frontend="index_tts_ui.engines.indextts.frontend:IndexTTS2Frontend",
        model="indextts2",
        description="IndexTTS-2: voice cloning with emotion, Mandarin and English, batched on the GPU",
        features=("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation"),
        parameters=_INDEXTTS,
        frontend_reads_model=True,
        token_seconds=0.5,
        devices="cuda",
    ),
    "tone": EngineSpec(
        engine="index_tts_ui.engines.tone:ToneEngine",
        frontend="index_tts_ui.engines.tone:ToneFrontend",
        description="A test engine: one tone per character, failures on command",
        features=("speed", "blend", "seed"),
        token_seconds=0.5,
        devices="any",
    ),
    "tone-clone": EngineSpec(
        engine="index_tts_ui.engines.tone:ToneCloneEngine",
        frontend="index_tts_ui.engines.tone:ToneCloneFrontend",
        description="The test engine with no voices of its own, but all that a cloning engine can be asked",
        features=("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation"),
        parameters=(*_INDEXTTS, "duration_factor"),
        token_seconds=0.5,
        devices="any",
    ),
}

AUTO = ("indextts2.5", "indextts2", "kokoro")  # what engine=auto may choose, best first; see ``choice``


def resolve(target: str) -> Any:
    """The object that an import string ``package.module:name`` points to."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
