"""What is sent for a segment: OpenAI's fields, and those that vLLM-Omni and this service add to them.

vLLM-Omni: docs/serving/speech_api.md of its repository (``task_type``, ``ref_audio``, ``ref_text``, ``language``);
IndexTTS takes its emotions as ``extra_params``, by the names of the official package.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..engines.remote import respelled
from ..speech import Segment, VoiceRef
from .about import OMNI, OURS, About
from .upstreams import Upstream

_LANGUAGES = {
    "zh": "Chinese",
    "en": "English",
    "ja": "Japanese",
    "ko": "Korean",
    "de": "German",
    "fr": "French",
}
_LANGUAGES |= {"ru": "Russian", "pt": "Portuguese", "es": "Spanish", "it": "Italian"}
Clips = Mapping[str, str]  # by sha256: what the server takes for it (an id, or a data URL)


def clips_of(segment: Segment) -> list[str]:
    """The sha256 of each clip that a segment needs."""
    keys = [ref.key for ref in segment.voices if ref.kind == "clip"]
    if segment.emotion is not None and segment.emotion.clip:
        keys.append(segment.emotion.clip)
    return list(dict.fromkeys(keys))


def data_url(wav: bytes) -> str:
    """A clip within a request."""
    return "data:audio/wav;base64," + base64.b64encode(wav).decode("ascii")


def body(segment: Segment, upstream: Upstream, about: About, clips: Clips) -> dict[str, Any]:
    """The JSON of POST /v1/audio/speech."""
    model = upstream.model or (about.model if about.kind != OURS else "")
    common: dict[str, Any] = {"model": model or "tts-1", "response_format": upstream.format}
    speed = float(segment.params.get("speed", 1.0))
    if speed != 1.0:
        common["speed"] = speed
    if about.kind == OURS:
        return {**common, **_ours(segment, clips)}
    marks = "pronunciation" in about.features
    common["input"] = respelled(segment.text, segment.readings, segment.language, marks)
    if about.kind == OMNI:
        return {**common, **_omni(segment, about, clips)}
    told = segment.emotion.text if segment.emotion is not None else None
    return {**common, "voice": _named(segment.voices), **({"instructions": told} if told else {})}


def _ours(segment: Segment, clips: Clips) -> dict[str, Any]:
    first = segment.voices[0]
    voice = f"clip:{clips[first.key]}" if first.kind == "clip" else _named(segment.voices)
    params = {key: value for key, value in segment.params.items() if key != "speed"}
    readings = [
        {"word": one.word, "said": one.said, "kind": one.kind, "language": one.language}
        for one in segment.readings
    ]
    found = {
        "input": segment.text,
        "voice": voice,
        "language": segment.language,
        "seed": segment.seed,
        "raw": True,
        "dictionary": False,
        **params,
    }
    if readings:
        found["glossary"] = readings
    if segment.emotion is not None:
        found["emotion"] = _emotion(segment, clips)
    return found


def _emotion(segment: Segment, clips: Clips) -> dict[str, Any]:
    emotion = segment.emotion
    assert emotion is not None
    found: dict[str, Any] = {"weight": emotion.weight}
    if emotion.vector is not None:
        return {**found, "vector": list(emotion.vector), "random": emotion.random}
    if emotion.clip is not None:
        return {**found, "clip": f"clip:{clips[emotion.clip]}"}
    return {**found, "text": emotion.text}


def _omni(segment: Segment, about: About, clips: Clips) -> dict[str, Any]:
    first = segment.voices[0]
    found: dict[str, Any] = {"language": _LANGUAGES.get(segment.language, "Auto")}
    if first.kind == "clip":
        found |= {"task_type": "Base", "ref_audio": clips[first.key]}
        if first.text:
            found["ref_text"] = first.text
    else:
        found["voice"] = first.key
    if "seed" in about.features:
        found["seed"] = segment.seed
    if "emotion" in about.features:
        found["extra_params"] = {"lang": segment.language, **_extra(segment, clips)}
    elif segment.emotion is not None and segment.emotion.text:
        found["instructions"] = segment.emotion.text
    return found


def _extra(segment: Segment, clips: Clips) -> dict[str, Any]:
    """The emotion, as IndexTTS names its parts."""
    emotion = segment.emotion
    if emotion is None:
        return {}
    found: dict[str, Any] = {"emo_alpha": emotion.weight}
    if emotion.vector is not None:
        return {**found, "emo_vector": list(emotion.vector), "use_random": emotion.random}
    if emotion.clip is not None:
        return {**found, "emo_audio": clips[emotion.clip]}
    return {**found, "use_emo_text": True, "emo_text": emotion.text}


def _named(voices: tuple[VoiceRef, ...]) -> str:
    """A voice's id, or a blend's parts."""
    if len(voices) == 1:
        return voices[0].key
    return "+".join(f"{ref.key}:{ref.weight:g}" for ref in voices)
