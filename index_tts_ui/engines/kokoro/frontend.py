"""Text to Kokoro's phonemes, one character a token: needs no model and no torch."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from importlib import resources

from ... import text as texts
from ...speech import Piece, VoiceInfo
from ...text.language import HAN
from ...text.normalise import normalise_run
from .english import English
from .mandarin import Mandarin
from .voices import VOICES

SYMBOLS: frozenset[str] = frozenset(
    json.loads(resources.files(__package__).joinpath("symbols.json").read_text("utf-8"))
)
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
_PUNCTUATION = frozenset(';:,.!?—…"()“” ')


class KokoroFrontend:
    """The words of a text as phonemes in pieces; any thread. See ``engines.base.Frontend``."""

    max_tokens = 510

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mandarin: Mandarin | None = None
        self._english = {accent: English(british=accent == "en-GB") for accent in ("en-US", "en-GB")}

    def voices(self) -> Sequence[VoiceInfo]:
        """8 Mandarin and 28 English voices, best first for each language."""
        return VOICES

    def warm(self) -> None:
        """Load dictionaries (about 3 s) now rather than with the first text."""
        self._zh()
        self._english["en-US"].warm()

    def split(
        self, text: str, language: str = "", voice_language: str = "zh-CN", budget: int | None = None
    ) -> list[Piece]:
        """Pieces of ``text``, ``spoken`` in phonemes of the model's alphabet; [] where it has no words.

        ``budget`` counts characters of ``spoken`` and is kept within 20-510; by default
        200, about ten seconds.
        """
        text = texts.clean(text)
        default = language or texts.dominant(text, "zh" if voice_language.startswith("zh") else "en")
        limits = texts.Limits()
        if budget is not None:
            limits = texts.Limits(budget=max(LEAST_BUDGET, min(budget, self.max_tokens)))
        return texts.split(text, lambda raw: self._render(raw, default, voice_language), limits)

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens of all pieces of ``text``."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))

    def phonemes(self, text: str, language: str = "", voice_language: str = "zh-CN") -> str:
        """Cleaned ``text`` in one string of phonemes, however long."""
        english = self._english["en-GB" if voice_language == "en-GB" else "en-US"]
        spoken = []
        for reading, run in texts.runs(_readable(text), language):
            said = normalise_run(run, reading)
            spoken.append(self._mixed(said, english) if reading == "zh" else self._mixed_latin(said, english))
        return _tidy(" ".join(spoken))

    def _render(self, raw: str, default: str, voice_language: str) -> texts.Rendered:
        # a line's end is a sentence's end, with or without its full stop
        text = raw.strip() + ("." if raw.endswith("\n") and raw.rstrip()[-1:].isalnum() else "")
        spoken = self.phonemes(text, default, voice_language)
        silent = all(char in _PUNCTUATION for char in spoken)
        return texts.Rendered(
            "" if silent else spoken, 0 if silent else len(spoken), texts.dominant(raw, default)
        )

    def _zh(self) -> Mandarin:
        if self._mandarin is None:
            with self._lock:
                if self._mandarin is None:
                    self._mandarin = Mandarin()
        return self._mandarin

    def _mixed(self, text: str, english: English) -> str:
        return "".join(self._token(match, english) for match in _TOKEN.finditer(text))

    def _token(self, match: re.Match[str], english: English) -> str:
        token = match.group()
        if match.lastgroup == "han":
            return self._zh().phonemes(token)
        if match.lastgroup == "latin":
            return f" {english.phonemes(token)} "
        return _MARKS.get(token, token)

    def _mixed_latin(self, text: str, english: English) -> str:
        # an English run has no Han, but CJK marks may stand at its edge
        return english.phonemes(text)


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
