"""Which of several languages a text is in, by its script and, among Latin ones, its commonest words."""

from __future__ import annotations

import re
from collections.abc import Collection

from .language import HAN, is_prose

KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
ARABIC = "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc"
_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{KANA}]")
_ARABIC_WORD = re.compile(f"[{ARABIC}\u064b-\u065f\u0670]+")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+(?:['’][A-Za-z]+)?")
_SPANISH_LETTER = re.compile(r"[ñáíóú¿¡]", re.I)
_SPANISH_WORD_LIST = (
    "el la los las de del que y en un una unos es por para con se su lo como pero más está son muy yo tú al le les mi"
    " este esta eso hay fue sin sobre también hasta donde quien desde todo nos porque cuando hola gracias sí qué cómo"
    " señor señora buenos días gusta mucho mucha muchas muchos bien aquí ahora tengo tiene"
)
_SPANISH_WORDS = frozenset(_SPANISH_WORD_LIST.split())
_ENGLISH_WORD_LIST = (
    "the a an is are was were be and of to in it that this you he she we they i for on with as at by from not have has"
    " had do does did will would can could my your his her our their what who how where when there hello thanks or if"
    " please yes"
)
_ENGLISH_WORDS = frozenset(_ENGLISH_WORD_LIST.split())


def detect(text: str, known: Collection[str], default: str) -> str:
    """The language of ``text`` out of ``known`` (of "zh", "en", "ja", "es", "ar"), else ``default``.

    Mandarin with Latin names in it is Mandarin. ``default`` also settles what the text leaves open:
    Han characters alone between Mandarin and Japanese, a lone "No." between English and Spanish.
    """
    han, kana = len(_HAN.findall(text)), len(_KANA.findall(text))
    latin = [word.lower() for word in _LATIN_WORD.findall(text)]
    arabic = len(_ARABIC_WORD.findall(text))
    if arabic > max(len(latin), (han + kana) // 2) and "ar" in known:
        return "ar"
    if (han or kana) and len(latin) <= 3 * (han + kana):
        # a Chinese shop sign has a の in it, Japanese prose is a third kana or more
        japanese = kana * 4 > han or (default == "ja" and (kana > 0 or not latin))
        return "ja" if japanese and "ja" in known else "zh"
    if latin:
        return _latin(text, latin, known, default)
    return default


def within(text: str, known: Collection[str], context: str) -> str:
    """As :func:`detect`, of a sentence whose neighbours are in ``context``: names alone do not change it."""
    if context in ("zh", "ja") and not _HAN.search(text) and not _KANA.search(text) and not is_prose(text):
        return context
    return detect(text, known, context)


def _latin(text: str, words: list[str], known: Collection[str], default: str) -> str:
    if "es" not in known:
        return "en"
    spanish = sum(word in _SPANISH_WORDS for word in words) + len(_SPANISH_LETTER.findall(text))
    english = sum(word in _ENGLISH_WORDS for word in words)
    if default == "es":
        return "en" if english > 2 * spanish and english > 1 else "es"
    return "es" if spanish > english and (default != "en" or spanish > 1) else "en"
