"""The engines: those of the registry, as import strings, imported where and when they are used, and plugins'."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import BadConfig
from . import plugins
from .base import Frontend
from .spec import READINGS, EngineSpec

__all__ = [
    "AUTO",
    "REGISTRY",
    "EngineSpec",
    "engine_of",
    "find",
    "frontend_of",
    "names",
    "resolve",
    "spec_of",
]


_INDEXTTS: tuple[str, ...] = (
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "max_codes",
    "segment_tokens",
)
_INDEXTTS += ("pause_ms", "diffusion_steps", "guidance")
_VOXCPM = ("speed", "clone", "seed", "transcript")
_VOXCPM_PARAMETERS = ("segment_tokens", "pause_ms", "inference_timesteps", "cfg_value")
_PIPER_PARAMETERS = ("segment_tokens", "pause_ms", "noise_scale", "noise_w_scale")

REGISTRY: dict[str, EngineSpec] = {
    "kokoro": EngineSpec(
        engine="index_tts_ui.engines.kokoro.engine:KokoroEngine",
        frontend="index_tts_ui.engines.kokoro.frontend:KokoroFrontend",
        model="kokoro",
        description="Kokoro-82M on the CPU: Mandarin, English and mixed text",
        features=("speed", "blend", "pronunciation"),
        readings=READINGS,
        token_seconds=0.3,
    ),
    "indextts2.5": EngineSpec(
        engine="index_tts_ui.engines.indextts.engine:IndexTTS25Engine",
        frontend="index_tts_ui.engines.indextts.frontend:IndexTTS25Frontend",
        model="indextts2.5",
        description="IndexTTS-2.5: voice cloning with emotion, five languages, batched on the GPU",
        features=("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation"),
        parameters=(*_INDEXTTS, "duration_factor"),
        languages=("zh", "en", "ja", "es", "ar"),
        readings=READINGS,
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
        readings=READINGS[:2],
        frontend_reads_model=True,
        token_seconds=0.5,
        devices="cuda",
    ),
    "voxcpm2": EngineSpec(
        engine="index_tts_ui.engines.voxcpm.engine:VoxCPM2Engine",
        frontend="index_tts_ui.engines.voxcpm.frontend:VoxCPM2Frontend",
        model="voxcpm2",
        description="VoxCPM 2: voice cloning at 48 kHz, one sentence after another",
        features=_VOXCPM,
        parameters=_VOXCPM_PARAMETERS,
        languages=("zh", "en", "ja", "es", "ar"),
        token_seconds=0.6,
        devices="cuda",
    ),
    "voxcpm1.5": EngineSpec(
        engine="index_tts_ui.engines.voxcpm.engine:VoxCPM15Engine",
        frontend="index_tts_ui.engines.voxcpm.frontend:VoxCPM15Frontend",
        model="voxcpm1.5",
        description="VoxCPM 1.5: voice cloning at 44.1 kHz, one sentence after another",
        features=_VOXCPM,
        parameters=_VOXCPM_PARAMETERS,
        token_seconds=0.6,
        devices="cuda",
    ),
    "piper": EngineSpec(
        engine="index_tts_ui.engines.piper.engine:PiperEngine",
        frontend="index_tts_ui.engines.piper.frontend:PiperFrontend",
        model="piper",
        description="Piper on the CPU: light voices, each of one language",
        features=("speed",),
        parameters=_PIPER_PARAMETERS,
        languages=(),
        frontend_reads_model=True,
        token_seconds=0.6,
    ),
    "remote": EngineSpec(
        engine="index_tts_ui.engines.remote:RemoteEngine",
        frontend="index_tts_ui.engines.remote:RemoteFrontend",
        description="No engine here: the servers of the setting upstreams speak",
        features=("speed",),
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
        features=("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation", "transcript"),
        parameters=(*_INDEXTTS, "duration_factor", *_VOXCPM_PARAMETERS[2:], *_PIPER_PARAMETERS[2:]),
        token_seconds=0.5,
        devices="any",
    ),
}

AUTO = ("indextts2.5", "indextts2", "kokoro")  # what engine=auto may choose, best first; see ``choice``


def resolve(target: str) -> Any:
    """The object that an import string ``package.module:name`` points to."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def names() -> tuple[str, ...]:
    """Every engine that there is, those of plugins last."""
    return tuple(dict.fromkeys((*REGISTRY, *plugins.names())))


def find(name: str, setting: str = "engine", more: tuple[str, ...] = ("auto",)) -> EngineSpec:
    """The spec of an engine that is built in or a plugin's.

    Raises:
        BadConfig: there is none of that name (``setting`` may also be one of ``more``), it is a plugin that cannot
            be used, or a plugin has the name of one that is built in.
    """
    if name in REGISTRY:
        if plugins.sources(name):
            raise plugins.clash(name)
        return REGISTRY[name]
    spec = plugins.load(name)
    if spec is None:
        known = ", ".join((*more, *names()))
        raise BadConfig("bad_config", name=setting, reason=f"'{name}' is not one of {known}")
    return spec


def spec_of(name: str) -> EngineSpec:
    """The spec of an engine that ``find`` has found before. Raises BadConfig where it is gone since."""
    return REGISTRY[name] if name in REGISTRY else find(name)


def frontend_of(name: str, model: Path) -> Frontend:
    """Its frontend; ``model`` is the folder of its files. Raises BadConfig."""
    if name not in REGISTRY:
        return plugins.frontend(name, find(name), model)
    spec = REGISTRY[name]
    made: Frontend = resolve(spec.frontend)(*((model,) if spec.frontend_reads_model else ()))
    return made


def engine_of(name: str) -> Any:
    """Its class. Raises BadConfig, or ImportError where a package of it is missing."""
    return resolve(REGISTRY[name].engine) if name in REGISTRY else plugins.engine_class(name, find(name))
