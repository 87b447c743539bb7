"""Raw text to the words a model knows: numbers said, few punctuation marks, one case."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ... import text as texts
from ...text.spanish import normalise_es
from ..marks import Mark, of_reading, pinyin, plain, umlauts
from ..protect import STAND_IN, Item, Term
from . import japanese
from .tokens import ENGLISH_MARK, HAN_MARK

# the punctuation that the models' official front ends leave
_PUNCTUATION = {
    ",": "，、；;：:",
    ".": "。．",
    "!": "！",
    "?": "？",
    "-": "·・—～~–",
    "'": '“”"‘’（）()《》【】[]「」『』〈〉«»',
    " ": "\n$|{}\\^_*#`",
}
_CHARACTERS = {ord(char): said for said, chars in _PUNCTUATION.items() for char in chars}
_JAPANESE = {code: said for code, said in _CHARACTERS.items() if chr(code) != "・"}
_HAS_BEEN = re.compile(
    r"\b(what|where|who|which|how|t?here|it|s?he|that|this)['’]s(?= (?:been|got|had)\b)", re.I
)
_IS = re.compile(r"\b(what|where|who|which|how|t?here|it|s?he|that|this)['’]s\b", re.I)
_SPACES = re.compile(r" {2,}")
_SEAM = "\ue003"  # where a mark meets the text: a space between letters or digits, else nothing
_SEAMS = re.compile(f"((?<=[0-9A-Za-z]){_SEAM}+(?=[0-9A-Za-z]))|{_SEAM}+")
# between sentences of Mandarin that share a segment
_HAN_GAP = re.compile(r"(?<=[.!?,…]) (?=[\u4e00-\u9fff])")


class Words:
    """For one version, "2" or "2.5"."""

    def __init__(self, version: str) -> None:
        self._marked = version == "2.5"

    def render(self, raw: str, language: str, items: Mapping[str, Item]) -> str:
        """``raw``, a sentence or less with stand-ins for ``items``, as the model reads it; "" where it is silent."""
        parts = STAND_IN.split(raw.strip())
        said = "".join(
            self._item(items[part], language) if odd % 2 else self._plain(part, language)
            for odd, part in enumerate(parts)
        )
        said = _SEAMS.sub(lambda seam: " " if seam[1] else "", said)
        return _SPACES.sub(" ", said).strip() if texts.has_words(said) else ""

    def joined(self, said: str, language: str) -> str:
        """Sentences that share a segment: Mandarin has no space between them."""
        return _HAN_GAP.sub("", said) if language == "zh" else said

    def _plain(self, text: str, language: str) -> str:
        if not text.strip():
            return " " if text else ""
        text = plain(text)
        if language in ("zh", "en"):
            text = _IS.sub(r"\1 is", _HAS_BEEN.sub(r"\1 has", text))
            text = texts.normalise(text, language)
        elif language == "es":
            text = normalise_es(text)
        text = text.translate(_JAPANESE if language == "ja" else _CHARACTERS)
        return self._cased(text.replace("...", "…"), language)

    def _cased(self, text: str, language: str) -> str:
        if not self._marked:
            return text.upper()
        if language == "ja":
            return japanese.spaced(text.lower())
        return text.upper() if language == "es" else text if language == "ar" else text.lower()

    def _item(self, item: Item, language: str) -> str:
        if isinstance(item, Term):
            return self._term(item, language)
        if item.kind == "pinyin":
            spoken = language == "zh"
            return self._pinyin(item.reading) if spoken else self._plain(item.source, language)
        return self._mark(item, language)

    def _term(self, term: Term, language: str) -> str:
        reading = term.reading(language)
        if reading is None or reading.kind == "respelling":
            return self._reading(term.source if reading is None else reading.said, language)
        mark = of_reading(term.source, reading)
        return self._plain(term.source, language) if mark is None else self._mark(mark, language)

    def _reading(self, reading: str, language: str) -> str:
        """A glossary's reading is text like any other; pinyin in it is pinyin."""
        out: list[str] = []
        position = 0
        for start, end, mark in pinyin(reading) if language == "zh" else ():
            out += [self._plain(reading[position:start], language), self._pinyin(mark.reading)]
            position = end
        return "".join([*out, self._plain(reading[position:], language)])

    def _pinyin(self, reading: str) -> str:
        return f"{_SEAM}{reading.lower() if self._marked else reading}{_SEAM}"

    def _mark(self, mark: Mark, language: str) -> str:
        if self._marked:
            if mark.kind == "kana":
                return f" {mark.reading} "
            sign = HAN_MARK if mark.kind == "han" else ENGLISH_MARK
            return f"{sign}{mark.reading}{sign}"
        if mark.kind == "han":
            return self._pinyin(umlauts(mark.reading))
        return self._plain(mark.word, language)  # version 2 has no way to write other readings
