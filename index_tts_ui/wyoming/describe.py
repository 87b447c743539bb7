"""What the service says of itself: one program with its voices, as Home Assistant lists them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import __version__
from ..service import SpeechService
from ..speech import Owner, VoiceInfo

PROGRAM = "index-tts-ui"
DOMAINS = ("asr", "tts", "handle", "intent", "wake", "mic", "snd")  # of the protocol; only tts has something


def info(service: SpeechService, owner: Owner) -> dict[str, Any]:
    """The data of an ``info`` event: the voices that ``owner`` sees."""
    engine = service.engine
    attribution = _attribution(engine, service.config.cache_hub / (service.spec.model or engine))
    voices = [
        _voice(voice, service.spec.languages, attribution)
        for voice in service.voices()
        if service.sees(owner, voice)
    ]
    program = {
        "name": PROGRAM,
        "description": service.spec.description or engine,
        "attribution": attribution,
        "installed": True,
        "version": __version__,
        "voices": voices,
        "supports_synthesize_streaming": True,
    }
    return {**{domain: [] for domain in DOMAINS}, "tts": [program]}


def _voice(voice: VoiceInfo, languages: tuple[str, ...], attribution: dict[str, str]) -> dict[str, Any]:
    return {
        "name": voice.id,
        "description": voice.name,
        "attribution": attribution,
        "installed": True,
        "version": __version__,
        "languages": tongues(voice, languages),
        "speakers": None,
    }


def tongues(voice: VoiceInfo, languages: tuple[str, ...]) -> list[str]:
    """What a voice speaks best, then what else the engine speaks with it."""
    own = [voice.language] if voice.language else []
    return own + [other for other in languages if not voice.language.startswith(other)]


def _attribution(engine: str, model: Path) -> dict[str, str]:
    """Who made the model, by the record that its fetch wrote."""
    try:
        upstream = str(json.loads((model / "manifest.json").read_text("utf-8"))["upstream"][0])
    except (OSError, ValueError, LookupError, TypeError):
        return {"name": engine, "url": ""}
    if upstream.startswith("http"):
        return {"name": upstream.rstrip("/").rpartition("/")[2], "url": upstream}
    return {"name": upstream, "url": f"https://huggingface.co/{upstream}"}
