"""Whether a voice can read a text: by the script of most of its words, and what becomes of the others.

Two languages in one script are not told apart: a German text in an English voice sounds as an Englishman reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ...text.language import HAN

LATIN = "LATIN"
# language: scripts that it is written in, as Unicode names begin; every other is written in Latin
_SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("zh", "yue"), ("CJK",)),
    "ja": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "ko": ("HANGUL", "CJK"),
    **dict.fromkeys(("ru", "uk", "bg", "mk", "be", "tt", "ky"), ("CYRILLIC",)),
    **dict.fromkeys(("sr", "kk", "uz", "az"), ("CYRILLIC", LATIN)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("hi", "ne", "mr"), ("DEVANAGARI",)),
    "el": ("GREEK",),
    "ka": ("GEORGIAN",),
    "hy": ("ARMENIAN",),
    "he": ("HEBREW",),
    "te": ("TELUGU",),
    "ml": ("MALAYALAM",),
    "ta": ("TAMIL",),
    "kn": ("KANNADA",),
    "bn": ("BENGALI",),
    "gu": ("GUJARATI",),
    "pa": ("GURMUKHI", "ARABIC"),
    "si": ("SINHALA",),
    "th": ("THAI",),
    "am": ("ETHIOPIC",),
}
SHARE = 4  # of so many words at least one must be in the voice's script; the others are names
_WORD = re.compile(f"[{HAN}]|[^\\W\\d_{HAN}]+")


def scripts(language: str) -> tuple[str, ...]:
    """That ``language`` ("zh", without a country) is written in."""
    return _SCRIPTS.get(language, (LATIN,))


def readable(text: str, language: str) -> bool:
    """Whether enough of the words are in a script of ``language`` (a Han character is one); a text of none is."""
    own = others = 0
    for script in _written(text):
        if script in scripts(language):
            own += 1
        else:
            others += 1
    return own * SHARE >= others


def _written(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        if script := _script(word[0]):
            yield script


def _script(char: str) -> str:
    """ "" for what no name tells."""
    return "CJK" if re.match(f"[{HAN}]", char) else unicodedata.name(char, "").partition(" ")[0]


def approached(text: str, language: str) -> str:
    """``text`` with words of scripts that the voice does not read in Latin letters: espeak-ng names them otherwise
    ("Chinese letter"), or leaves them out."""
    known = {*scripts(language), LATIN}

    def latin(match: re.Match[str]) -> str:
        script = _script(match[0][0])
        if not script or script in known:
            return match[0]
        from anyascii import anyascii

        return f"{anyascii(match[0])} "

    return text if text.isascii() else _WORD.sub(latin, text)
