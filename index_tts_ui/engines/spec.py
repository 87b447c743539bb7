"""EngineSpec: what is known of an engine before any of it is imported."""

from __future__ import annotations

from dataclasses import dataclass

FEATURES = ("speed", "blend", "clone", "emotion", "emotion_text", "seed", "pronunciation", "transcript")
READINGS = ("respelling", "pinyin", "phonemes")
DEVICES = ("cpu", "cuda", "any")


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Where an engine's parts are, as import strings. ``model`` is its folder in cache_hub; "" needs none.

    ``features`` (see ``EngineInfo``) and ``parameters`` (of ``parameters.PARAMETERS``) are what it can do,
    known before it is loaded, as are ``languages`` (none: those of its voices); of a frontend that needs the
    model's files, ``frontend`` is called with their folder.
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
    readings: tuple[str, ...] = ("respelling",)  # kinds of readings that it can say
    devices: str = "cpu"  # what it runs on: "cpu" alone, "cuda" (NVIDIA GPUs, or the CPU), "any" name
