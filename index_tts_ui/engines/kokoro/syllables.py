"""Pinyin syllables in the phonetic alphabet that Kokoro v1.0 was trained on for Mandarin.

IPA after Duanmu, The Phonology of Standard Chinese (2007), and Lin, The Sounds of Chinese
(2007): one affricate is one letter, tones are arrows behind the vowel, in front of a
nasal coda; the neutral tone is unwritten.
"""

from __future__ import annotations

import re
from functools import lru_cache

TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}

INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ",
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip

# 0 is where the tone goes
FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0",
    "e": "ɤ0", "ei": "ei0", "en": "ə0n", "eng": "ə0ŋ", "er": "ɚ0", "ê": "ɛ0",
    "i": "i0", "ia": "ja0", "iai": "jai0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0",
    "in": "i0n", "ing": "i0ŋ", "iong": "jʊ0ŋ", "iou": "jou0", "io": "jɔ0",
    "o": "wo0", "ong": "ʊ0ŋ", "ou": "ou0",
    "u": "u0", "ua": "wa0", "uai": "wai0", "uan": "wa0n", "uang": "wa0ŋ", "uei": "wei0",
    "uen": "wə0n", "ueng": "wə0ŋ", "uo": "wo0",
    "v": "y0", "ve": "ɥe0", "van": "ɥɛ0n", "vn": "y0n",
}  # fmt: skip

_WHOLE = {"o": "ɔ0", "m": "m0", "n": "n0", "ng": "ŋ0", "hm": "hm0", "hng": "hŋ0"}
_SYLLABLE = re.compile(r"(?P<initial>zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)(?P<final>[a-zêv]+)(?P<tone>[1-5]?)")
_SHORT = {"iu": "iou", "ui": "uei", "un": "uen", "ue": "ve"}


@lru_cache(maxsize=4096)
def phonemes(pinyin: str) -> str:
    """``pinyin`` as pypinyin's TONE3 style writes it ("zhong1", "lv4", "de5") in IPA.

    Raises:
        ValueError: no such syllable.
    """
    pinyin = pinyin.replace("ü", "v")
    tone = pinyin[-1] if pinyin[-1:] in TONES else "5"
    plain = pinyin.rstrip("12345")
    if plain in _WHOLE:
        return _WHOLE[plain].replace("0", TONES[tone])
    match = _SYLLABLE.fullmatch(_written_out(plain))
    if not match or match["final"] not in FINALS:
        raise ValueError(f"no Mandarin syllable {pinyin!r}")
    initial, final = match["initial"], match["final"]
    vowel = "ɨ0" if final == "i" and initial in ("z", "c", "s", "zh", "ch", "sh", "r") else FINALS[final]
    return INITIALS[initial] + vowel.replace("0", TONES[tone])


def _written_out(plain: str) -> str:
    """The spelling rules of pinyin undone: yi is i, wo is uo, ju is jv, liu is liou."""
    if plain.startswith("y"):
        rest = plain[1:]
        if rest.startswith(("u", "v")):
            return "v" + rest[1:]
        return rest if rest.startswith("i") else "i" + ("ou" if rest == "ou" else rest)
    if plain.startswith("w"):
        return plain[1:] if plain in ("wu", "wong") else "u" + plain[1:]
    match = re.fullmatch(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)(.+)", plain)
    if not match:
        return plain
    initial, final = match.groups()
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return initial + _SHORT.get(final, final)
