"""Text to Kokoro's phonemes, one character a token: needs no model and no torch."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ... import text as texts
from ...speech import Piece, Reading, VoiceInfo
from ...text.language import HAN
from ...text.normalise import normalise_run
from ..glossary import Glossary
from ..marks import Mark, bad_pinyin, bracketed, pinyin, plain
from ..protect import ANY, STAND_IN, Item, Protected, protect, terms
from .english import English
from .given import PUNCTUATION, SYMBOLS, unknown_phoneme
from .mandarin import Mandarin
from .slots import Slots
from .voices import VOICES

LEAST_BUDGET = 20  # one syllable and its comma fit; a number may still be cut below that

_MARKS = {
    "，": ", ", "、": ", ", "。": ". ", "．": ". ", "！": "! ", "？": "? ", "：": ": ", "；": "; ", "…": "… ", "—": "— ",
    "–": "— ", "《": " “", "》": "” ", "〈": " “", "〉": "” ", "「": " “", "」": "” ", "『": " “", "』": "” ", "【": " “",
    "】": "” ", "“": " “", "”": "” ", "（": " (", "）": ") ", "[": " (", "]": ") ", "\n": ". ", ",": ", ", ";": "; ",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_TOKEN = re.compile(f"(?P<han>[{HAN}]+)|(?P<latin>[A-Za-zÀ-ɏ]+(?:[ '’.&-]+[A-Za-zÀ-ɏ]+)*)|(?P<other>.)", re.S)
_FOREIGN = re.compile(f"[^\\W\\d_A-Za-zÀ-ɏ{HAN}]+")
_BESIDE_HAN = re.compile(f"[{HAN}]|{STAND_IN.pattern}")
_NOTHING = Protected("")


class KokoroFrontend:
    """The words of a text as phonemes in pieces; any thread. See ``engines.base.Frontend``."""

    max_tokens = 510

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mandarin: Mandarin | None = None
        self._glossary = Glossary()
        self._english = {accent: English(british=accent == "en-GB") for accent in ("en-US", "en-GB")}

    def voices(self) -> Sequence[VoiceInfo]:
        """8 Mandarin and 28 English voices, best first for each language; then 18 whose first language is another."""
        return VOICES

    def warm(self) -> None:
        """Load dictionaries (about 3 s) now rather than with the first text."""
        self._zh()
        self._english["en-US"].warm()

    @staticmethod
    def unsayable(reading: Reading) -> str:
        """See ``Frontend.unsayable``: phonemes are ARPAbet, IPA, or the model's own letters."""
        faults = {"pinyin": bad_pinyin, "phonemes": unknown_phoneme}
        return faults[reading.kind](reading.said) if reading.kind in faults else ""

    def split(
        self,
        text: str,
        language: str = "",
        voice_language: str = "zh-CN",
        budget: int | None = None,
        readings: Sequence[Reading] = (),
    ) -> list[Piece]:
        """Pieces of ``text``, ``spoken`` in phonemes of the model's alphabet; [] where it has no words.

        ``budget`` counts characters of ``spoken`` and is kept within 20-510; by default
        200, about ten seconds.
        """
        limits = texts.Limits()
        if budget is not None:
            limits = texts.Limits(budget=max(LEAST_BUDGET, min(budget, self.max_tokens)))

        def fits(item: Item) -> bool:
            alone = Protected(ANY, {ANY: item})
            said = (self.phonemes(ANY, tongue, voice_language, alone) for tongue in ("zh", "en"))
            return max(map(len, said)) <= limits.budget

        finders = (bracketed, terms(self._glossary, readings), _pinyin_beside_han)
        hidden = protect(text, finders, fits)
        text = texts.clean(hidden.text if hidden.items else text)
        guess = "zh" if voice_language.startswith("zh") else "en"
        default = language or texts.dominant(hidden.worded(text) if hidden.items else text, guess)
        pieces = texts.split(text, lambda raw: self._render(raw, default, voice_language, hidden), limits)
        return (
            [replace(piece, text=hidden.restored(piece.text)) for piece in pieces] if hidden.items else pieces
        )

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens of all pieces of ``text``."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))

    def phonemes(
        self, text: str, language: str = "", voice_language: str = "zh-CN", hidden: Protected = _NOTHING
    ) -> str:
        """Cleaned ``text``, with stand-ins for what is ``hidden``, in one string of phonemes, however long."""
        british = voice_language == "en-GB"
        english = self._english["en-GB" if british else "en-US"]
        slots = Slots(british)
        if hidden.items:
            text = slots.put(text, hidden, texts.dominant(hidden.worded(text), language or "zh"))
        spoken = []
        for reading, run in texts.runs(_readable(plain(text)), language):
            said = normalise_run(run, reading)
            spoken.append(
                self._mixed(said, english, slots)
                if reading == "zh"
                # an English run has no Han, but CJK marks may stand at its edge
                else english.phonemes(said, slots.latin)
            )
        return _tidy(" ".join(spoken))

    def _render(self, raw: str, default: str, voice_language: str, hidden: Protected) -> texts.Rendered:
        # a line's end is a sentence's end, with or without its full stop
        text = raw.strip() + ("." if raw.endswith("\n") and raw.rstrip()[-1:].isalnum() else "")
        spoken = self.phonemes(text, default, voice_language, hidden)
        silent = all(char in PUNCTUATION for char in spoken)
        tongue = texts.dominant(hidden.worded(raw) if hidden.items else raw, default)
        return texts.Rendered("" if silent else spoken, 0 if silent else len(spoken), tongue)

    def _zh(self) -> Mandarin:
        if self._mandarin is None:
            with self._lock:
                if self._mandarin is None:
                    self._mandarin = Mandarin()
        return self._mandarin

    def _mixed(self, text: str, english: English, slots: Slots) -> str:
        return "".join(self._token(match, english, slots) for match in _TOKEN.finditer(text))

    def _token(self, match: re.Match[str], english: English, slots: Slots) -> str:
        token = match.group()
        if match.lastgroup == "han":
            return self._zh().phonemes(*slots.filled(token))
        if match.lastgroup == "latin":
            return f" {english.phonemes(token, slots.latin)} "
        return _MARKS.get(token, token)


def _pinyin_beside_han(text: str) -> Iterator[tuple[int, int, Mark]]:
    """Pinyin in place of a character touches others; elsewhere such a word is a name or an abbreviation."""
    for start, end, mark in pinyin(text):
        if _BESIDE_HAN.search(text[max(0, start - 1) : end + 1]):
            yield start, end, mark


def _readable(text: str) -> str:
    """Letters of other scripts in Latin ones: better approximate than silent."""
    return _FOREIGN.sub(_latin, text)


def _latin(match: re.Match[str]) -> str:
    from anyascii import anyascii

    letters = match.group()
    if all(char.lower() in _GREEK for char in letters) and len(letters) == 1:
        return f" {_GREEK[letters.lower()]} "
    return str(anyascii(letters))


def _tidy(spoken: str) -> str:
    spoken = "".join(char if char in SYMBOLS else " " for char in spoken.replace("\n", " "))
    spoken = re.sub(r" {2,}", " ", spoken)
    spoken = re.sub(r" (?=[,.;:!?…)”])|(?<=[(“]) ", "", spoken)
    spoken = re.sub(r"([,;:])(?:\s?[,;:])+", r"\1", spoken)
    return spoken.strip(" ,;:")
