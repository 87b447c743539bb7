"""Phonemes that a user writes, ARPAbet or IPA, in the alphabet that Kokoro was trained on."""

from __future__ import annotations

import json
import re
from importlib import resources

from ..marks import bad_phone

SYMBOLS: frozenset[str] = frozenset(
    json.loads(resources.files(__package__).joinpath("symbols.json").read_text("utf-8"))
)
PUNCTUATION = frozenset(';:,.!?—…"()“” ')
_SOUNDS = SYMBOLS - PUNCTUATION
# ARPAbet: (American, British); the unstressed AH and ER are others
_VOWELS = {
    "AA": ("ɑ", "ɑː"), "AE": ("æ", "a"), "AH": ("ʌ", "ʌ"), "AO": ("ɔ", "ɔː"), "AW": ("W", "W"), "AY": ("I", "I"),
    "EH": ("ɛ", "ɛ"), "ER": ("ɜɹ", "ɜː"), "EY": ("A", "A"), "IH": ("ɪ", "ɪ"), "IY": ("i", "iː"), "OW": ("O", "Q"),
    "OY": ("Y", "Y"), "UH": ("ʊ", "ʊ"), "UW": ("u", "uː"), "AH0": ("ə", "ə"), "ER0": ("əɹ", "ə"), "IY0": ("i", "i"),
}  # fmt: skip
_CONSONANTS = {
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j",
    "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_STRESS = {"1": "ˈ", "2": "ˌ"}
# what dictionaries print for what the model has one letter for
_IPA = {
    "eɪ": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "oʊ": "O", "əʊ": "Q", "t͡ʃ": "ʧ", "tʃ": "ʧ", "d͡ʒ": "ʤ", "dʒ": "ʤ",
    "ɝ": "ɜɹ", "ɚ": "əɹ", "g": "ɡ", "r": "ɹ", "ɫ": "l", "'": "ˈ", "’": "ˈ", ".": "", "-": "",
}  # fmt: skip
_IPA_PATTERN = re.compile("|".join(map(re.escape, sorted(_IPA, key=len, reverse=True))))
_VOWEL = "AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵊᵻɨ"
# dictionaries put the mark before the syllable, the model's lexicon before its vowel
_EARLY_STRESS = re.compile(f"([ˈˌ])([^{_VOWEL}ˈˌ ]+)(?=[{_VOWEL}])")


def unknown_phoneme(said: str) -> str:
    """The first part of ``said`` that is neither ARPAbet nor a letter of the model; "" where all can be said."""
    if _is_arpabet(said):
        return bad_phone(said)
    plain = _from_ipa(said)
    fault = next((char for char in plain if char not in _SOUNDS and char != " "), "")
    return fault or ("" if plain.strip(" ˈˌː") else said.strip() or "''")


def to_symbols(said: str, british: bool) -> str:
    """``said``, in which nothing is unknown, in the model's letters."""
    return _from_arpabet(said.upper(), british) if _is_arpabet(said) else _from_ipa(said)


def _is_arpabet(said: str) -> bool:
    """ARPAbet is written in capitals, or at least with figures; IPA has neither, but for the model's A I O Q W Y."""
    if not bad_phone(said):
        return said == said.upper() or any(char.isdigit() for char in said)
    return said.isascii() and len(said.split()) > 1


def _from_arpabet(said: str, british: bool) -> str:
    phones = [phone for phone in said.split() if phone != "."]
    marked = any(phone[-1].isdigit() for phone in phones)
    out: list[str] = []
    for phone in phones:
        name, stress = phone.rstrip("012"), phone[-1] if phone[-1] in "012" else ""
        if phone in _CONSONANTS:
            out.append(_CONSONANTS[phone])
            continue
        if not marked:  # nobody said where the stress is: on the first vowel
            stress, marked = "1", True
        out.append(_STRESS.get(stress, "") + _VOWELS.get(f"{name}{stress}", _VOWELS[name])[british])
    return "".join(out)


def _from_ipa(said: str) -> str:
    plain = _IPA_PATTERN.sub(lambda match: _IPA[match.group()], said.strip().strip("/[]"))
    return _EARLY_STRESS.sub(r"\2\1", " ".join(plain.split()))
