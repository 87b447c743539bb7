"""What a voice is given: the ids of phonemes that the package ``piper-tts`` finds for a text, phrase by phrase."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .mandarin import SENTENCE, clauses, mended


class Unsayable(Exception):
    """The voice cannot speak it; its text says why."""


@dataclass(frozen=True)
class Phrase:
    """``ids`` of one run of the model, and the silence behind it at the voice's own speed, in seconds."""

    ids: tuple[int, ...]
    pause: float


def phrases(speaker: Any, language: str, text: str) -> list[Phrase]:
    """``speaker``: a ``piper.PiperVoice``; ``language``: "zh-CN". The last has no pause.

    Raises Unsayable where there are no sounds, or one that the voice does not have.
    """
    found: list[Phrase] = []
    for stretch, pause in _stretches(language, text):
        sentences = [phonemes for phonemes in _phonemes(speaker, stretch) if _sounds(phonemes)]
        found += [Phrase(_ids(speaker, phonemes), SENTENCE) for phonemes in sentences]
        if sentences:
            found[-1] = Phrase(found[-1].ids, pause)
    if not found:
        raise Unsayable("it has nothing to speak")
    found[-1] = Phrase(found[-1].ids, 0.0)
    return found


def _stretches(language: str, text: str) -> Iterator[tuple[str, float]]:
    if not language.startswith("zh"):
        yield text, 0.0
        return
    for stretch, pause in clauses(text):
        yield mended(stretch), pause


def _phonemes(speaker: Any, text: str) -> list[list[str]]:
    try:
        return list(speaker.phonemize(text))
    except (RuntimeError, ValueError) as error:  # espeak-ng knows no such language
        raise Unsayable(f"its phonemes cannot be found: {error}") from error


def _sounds(phonemes: list[str]) -> bool:
    return any(_is_sound(phoneme) for phoneme in phonemes)


def _is_sound(phoneme: str) -> bool:
    """Letters are; stress, tone and punctuation only change one."""
    return unicodedata.category(phoneme[0]) in ("Ll", "Lu", "Lo", "Nd")


def _ids(speaker: Any, phonemes: list[str]) -> tuple[int, ...]:
    known = speaker.config.phoneme_id_map
    unknown = sorted({phoneme for phoneme in phonemes if phoneme not in known and _is_sound(phoneme)})
    if unknown:
        raise Unsayable(f"the voice has no sound for {' '.join(unknown)!r}")
    return tuple(speaker.phonemes_to_ids([phoneme for phoneme in phonemes if phoneme in known]))
