"""OpenAI's stock voice names, so that clients that know no others work unmodified.

``voices_openai.json`` names a built-in voice for each, by the language of the text. Where the
engine lacks that voice, its default speaks.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from ..service import SpeechService

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


@cache
def stock_voices() -> dict[str, dict[str, str]]:
    """OpenAI name -> {"en": id, "zh": id}."""
    data: dict[str, dict[str, str]] = json.loads(
        (files(__package__) / "voices_openai.json").read_text("utf-8")
    )
    return data


def voice_for(service: SpeechService, voice: str, text: str, language: str = "") -> str:
    """The id that ``voice`` stands for: itself, unless it is a stock name that no voice has."""
    known = {info.id for info in service.voices()}
    if voice in known or voice not in stock_voices():
        return voice
    tongue = language or ("zh" if _HAN.search(text) else "en")
    named = stock_voices()[voice][tongue]
    return named if named in known else service.default_voice()
