"""OpenAI's stock voice names and the articles' speaker_id, so that clients that know no others work unmodified.

``voices_openai.json`` names a built-in voice for each, by the language of the text, and its gender. Where the
engine lacks that voice, an uploaded one of that gender and language speaks, or of that gender, or the default.
A voice that is called ``alloy`` is what ``alloy`` means.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.resources import files

from .. import markup
from ..errors import Invalid
from ..service import SpeechService
from ..speech import VoiceInfo

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KOKORO = re.compile(r"[a-z]([fm])_\w+")  # what speaker_ids holds unless it was set: language, gender, name


@cache
def stock_voices() -> dict[str, dict[str, str]]:
    """OpenAI name -> {"en": id, "zh": id, "gender": "female" or "male"}."""
    data: dict[str, dict[str, str]] = json.loads(
        (files(__package__) / "voices_openai.json").read_text("utf-8")
    )
    return data


def voice_for(service: SpeechService, voice: str, text: str, language: str = "") -> str:
    """What ``voice`` stands for: itself, unless it is a stock name that no voice has."""
    if voice not in stock_voices():
        return voice
    own = service.find_voice(voice)
    if own is not None and own.shared:  # a private one would take the name from everybody else
        return voice
    tongue = language or _tongue(text)
    stock = stock_voices()[voice]
    named = stock["zh" if tongue == "zh" else "en"]
    return named if service.find_voice(named) else _like(service, voice, stock["gender"], tongue)


def stand_in(service: SpeechService, voice: str, text: str, language: str = "") -> str | None:
    """The voice that a backup engine may use for a stock name; None: ``voice`` is somebody's own."""
    if voice not in stock_voices() or voice_for(service, voice, text, language) == voice:
        return None
    return stock_voices()[voice]["zh" if (language or _tongue(text)) == "zh" else "en"]


def speaker_name(service: SpeechService, speaker_id: int) -> str:
    """What the setting says for ``speaker_id``. Raises Invalid where there are not so many."""
    names = service.config.listed("speaker_ids")
    if speaker_id >= len(names):
        raise Invalid("out_of_range", param="speaker_id", bound=f"0-{len(names) - 1}")
    return names[speaker_id]


def speaker_voice(service: SpeechService, speaker_id: int, text: str) -> str:
    """The voice of ``speaker_id``. Raises Invalid where there are not so many."""
    name = speaker_name(service, speaker_id)
    if service.find_voice(name) is not None:
        return name
    match = _KOKORO.fullmatch(name)
    gender = "" if match is None else ("female" if match[1] == "f" else "male")
    return _like(service, name, gender, _tongue(text))


def _tongue(text: str) -> str:
    return "zh" if _HAN.search(markup.plain(text)) else "en"


def _like(service: SpeechService, name: str, gender: str, language: str) -> str:
    """An uploaded voice for ``name``, the same one as long as it is there; "" where none is like it."""
    voices = [
        voice
        for voice in service.voices()
        if voice.kind == "clip" and voice.shared and gender and voice.gender == gender
    ]
    fluent = [voice for voice in voices if voice.language.partition("-")[0].lower() == language]

    def rank(voice: VoiceInfo) -> bytes:  # each name prefers voices in an order of its own
        return hashlib.sha256(f"{name}/{voice.id}".encode()).digest()

    return max(fluent or voices, key=rank).id if voices else ""
