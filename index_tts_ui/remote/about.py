"""About: what an upstream is and can, as it says itself when it is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..engines import REGISTRY, EngineSpec
from ..speech import VoiceInfo
from .upstreams import Upstream

OURS, OMNI, OPENAI = "index-tts-ui", "vllm-omni", "openai"
# OpenAI's own voices, for a server of that API that lists none
STOCK = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse")
_OMNI_PARTS = ("speed", "clone", "seed", "transcript")
_INDEXTTS_PARTS = ("speed", "clone", "emotion", "emotion_text", "seed", "pronunciation")
_VOICES_MOST = 2000


@dataclass(frozen=True)
class About:
    """``languages`` may be empty: not known. ``voices`` are its own, whatever they are to it."""

    kind: str
    model: str = ""
    features: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    voices: tuple[VoiceInfo, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the file that remembers it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> About:
        """The inverse. Raises KeyError, TypeError or ValueError."""
        voices = tuple(VoiceInfo(**{**voice, "tags": tuple(voice["tags"])}) for voice in data["voices"])
        return cls(
            str(data["kind"]), str(data["model"]), tuple(data["features"]), tuple(data["languages"]), voices
        )

    def configured(self, upstream: Upstream) -> About:
        """With what the configuration says instead."""
        voices = tuple(_voice(name) for name in upstream.voices) or self.voices
        features = self.features if upstream.features is None else upstream.features
        languages = upstream.languages or self.languages
        return replace(self, voices=voices, features=features, languages=languages)


def spec_of(about: About) -> EngineSpec | None:
    """The engine of ours that a model is, by its name; None where it is none."""
    name = about.model.lower().rpartition("/")[2]
    if name.startswith("indextts-"):  # as the hubs call them: IndexTTS-2.5
        name = name.replace("-", "", 1)
    return REGISTRY.get(name)


def kind_of(status: Any, models: Any) -> str:
    """By its answers to GET /v1/status and GET /v1/models (None where there was none)."""
    if isinstance(status, dict) and {"max_waiting", "workers", "features"} <= status.keys():
        return OURS
    owners = {
        str(one.get("owned_by", "")).lower() for one in _listed(models, "data") if isinstance(one, dict)
    }
    return OMNI if any("vllm" in owner for owner in owners) else OPENAI


def ours(status: Mapping[str, Any], voices: Any) -> About:
    """An instance of this service, by /v1/status."""
    features = tuple(str(one) for one in _listed(status, "features"))
    engine = str(status.get("engine", ""))
    return About(OURS, engine, features, (), _voices(voices))


def theirs(kind: str, models: Any, voices: Any, model: str = "") -> About:
    """Any other server, by /v1/models and /v1/audio/voices."""
    listed = [str(one.get("id", "")) for one in _listed(models, "data") if isinstance(one, dict)]
    model = model or (listed[0] if listed and kind == OMNI else "")
    found = _voices(voices)
    if kind == OMNI:
        index = "indextts" in model.lower().replace("-", "").replace("_", "")
        return About(kind, model, _INDEXTTS_PARTS if index else _OMNI_PARTS, (), found)
    return About(kind, model, ("speed",), (), found or tuple(_voice(name) for name in STOCK))


def _listed(data: Any, name: str) -> Sequence[Any]:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, list) else ()


def _voices(data: Any) -> tuple[VoiceInfo, ...]:
    """Of ``{"voices": [...]}`` with names, or with objects that have an id."""
    found: dict[str, VoiceInfo] = {}
    for one in _listed(data, "voices")[:_VOICES_MOST]:
        info = _voice(one) if isinstance(one, str) else _described(one)
        if info is not None and 0 < len(info.id) <= 256 and info.id.isprintable():
            found.setdefault(info.id, info)
    return tuple(found.values())


def _described(one: Any) -> VoiceInfo | None:
    if not isinstance(one, dict) or not isinstance(one.get("id"), str):
        return None
    name = one["id"]
    gender = one.get("gender") if one.get("gender") in ("female", "male") else ""
    said = {key: str(one.get(key) or name) for key in ("name", "name_zh")}
    language = one.get("language")
    return VoiceInfo(
        name,
        said["name"][:64],
        said["name_zh"][:64],
        language[:35] if isinstance(language, str) else "",
        gender,  # type: ignore[arg-type]
    )


def _voice(name: str) -> VoiceInfo:
    return VoiceInfo(name, name, name, "", "")
