"""IndexTTS's text half: a text in segments of exact token ids. Needs the model's vocabulary, no weights, no torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from ... import text as texts
from ...speech import Piece, Reading, VoiceInfo
from ...text.detect import detect, within
from ..glossary import Glossary
from ..marks import Mark, MarkKind, bad_phone, bad_pinyin, bracketed, kinds, pinyin
from ..protect import ANY, Item, Protected, protect, terms
from .tokens import Tokens2, Tokens25
from .words import Words

LEAST_BUDGET, BUDGET = 20, 120
# the first segment is short, so that its sound comes soon: about three seconds
FIRST_LEAST, FIRST_MOST = 10, 30


class IndexTTSFrontend:
    """What both versions share; any thread. ``Piece.spoken`` is the ids, in decimal, with spaces between.

    Budgets count the ids of one segment, its language's control token too, without the start and
    stop tokens that the model's driver adds. ``home`` may hold the user's ``glossary.yaml``; by
    default it is the folder that holds cache_hub.
    """

    VERSION: ClassVar[str]
    languages: ClassVar[tuple[str, ...]]
    max_tokens = 600

    def __init__(self, model_dir: Path, home: Path | None = None) -> None:
        """Raises ``BadConfig``, naming the file and the command that brings it, without the vocabulary."""
        self._tokens: Tokens2 | Tokens25 = (Tokens25 if self.VERSION == "2.5" else Tokens2)(Path(model_dir))
        self._words = Words(self.VERSION)
        folders = [Path(model_dir), *([home] if (home := home or _home(Path(model_dir))) else [])]
        self._glossary = Glossary([folder / "glossary.yaml" for folder in folders])

    def voices(self) -> Sequence[VoiceInfo]:
        """None is built in: every voice is a clip."""
        return ()

    @classmethod
    def marks(cls) -> tuple[MarkKind, ...]:
        """The pronunciation marks that ``split`` understands, for the page's buttons."""
        return kinds(cls.VERSION)

    @staticmethod
    def unsayable(reading: Reading) -> str:
        """See ``Frontend.unsayable``: phonemes are ARPAbet's."""
        faults = {"pinyin": bad_pinyin, "phonemes": bad_phone}
        return faults[reading.kind](reading.said) if reading.kind in faults else ""

    def split(
        self,
        text: str,
        language: str = "",
        voice_language: str = "zh-CN",
        budget: int | None = None,
        readings: Sequence[Reading] = (),
    ) -> list[Piece]:
        """See ``Frontend.split``. ``budget`` is kept within 20-600; marks and glossary terms are never cut.

        ``language``: one of ``languages``, or "" to decide sentence by sentence.
        """
        budget = max(LEAST_BUDGET, min(BUDGET if budget is None else budget, self.max_tokens))
        job = _Job(self._words, self._tokens, self.languages, budget)
        protected = protect(text, (bracketed, terms(self._glossary, readings), pinyin), job.fits)
        return job.pieces(
            protected, _tongue(language, self.languages), _tongue(voice_language, self.languages)
        )

    def count(self, text: str, language: str = "", voice_language: str = "zh-CN") -> int:
        """Tokens of all pieces of ``text``."""
        return sum(piece.tokens for piece in self.split(text, language, voice_language))


class IndexTTS25Frontend(IndexTTSFrontend):
    """Five languages; the text begins with its language's control token."""

    VERSION = "2.5"
    languages = ("zh", "en", "ja", "es", "ar")


class IndexTTS2Frontend(IndexTTSFrontend):
    """Mandarin and English; other letters are spoken as their nearest Latin ones."""

    VERSION = "2"
    languages = ("zh", "en")


class _Job:
    """One text being split."""

    def __init__(
        self, words: Words, tokens: Tokens2 | Tokens25, languages: tuple[str, ...], budget: int
    ) -> None:
        self._words, self._tokens, self._languages, self._budget = words, tokens, languages, budget
        self._room = budget - len(tokens.prefix(languages[0]))  # one token in every language, or none

    def fits(self, item: Item) -> bool:
        """Whether ``item`` has room in a segment whatever its language; else it is plain text that may be cut."""
        # a mark reads the same in every language, unless its word is spoken for it
        languages = self._languages[:2] if isinstance(item, Mark) else self._languages
        said = (self._words.render(ANY, language, {ANY: item}) for language in languages)
        return all(len(self._tokens.encode(self._tokens.sayable(words))) <= self._room for words in said)

    def pieces(self, protected: Protected, forced: str, voice: str) -> list[Piece]:
        """Segments of ``protected``, in the language ``forced`` or their own."""
        text = texts.clean(protected.text)
        context = forced or self._tongue_of(protected, text, voice or self._languages[0], detect)

        def render(raw: str) -> texts.Rendered:
            language = forced or self._tongue_of(protected, raw, context, within)
            # a line's end is a sentence's end, with or without its full stop
            line = raw.strip() + ("." if raw.endswith("\n") and raw.rstrip()[-1:].isalnum() else "")
            said = self._tokens.sayable(self._words.render(line, language, protected.items))
            return texts.Rendered(said, len(self._tokens.encode(said)) if said else 0, language)

        limits = texts.Limits(
            self._room, self._room, min(FIRST_LEAST, self._room), min(FIRST_MOST, self._room)
        )
        return [self._finished(piece, protected) for piece in texts.split(text, render, limits)]

    def _tongue_of(self, protected: Protected, raw: str, context: str, by: _Detect) -> str:
        words = protected.worded(raw)
        if not texts.has_words(words) and protected.pinyin_only(raw):
            return "zh"
        return by(words, self._languages, context)

    def _finished(self, piece: Piece, protected: Protected) -> Piece:
        prefix = self._tokens.prefix(piece.language)
        ids = prefix + self._tokens.encode(self._words.joined(piece.spoken, piece.language))
        if len(ids) > self._budget:  # two marks that meet may take one token more than with a space between
            ids = prefix + self._tokens.encode(piece.spoken)
        spoken = " ".join(map(str, ids))
        return replace(piece, text=protected.restored(piece.text), spoken=spoken, tokens=len(ids))


_Detect = Callable[[str, Collection[str], str], str]


def _tongue(tag: str, known: Collection[str]) -> str:
    """The language of "zh-CN", "" where the model has it not."""
    language = tag.lower().replace("_", "-").split("-")[0]
    return language if language in known else ""


def _home(model_dir: Path) -> Path | None:
    """The folder that holds cache_hub, where the model is in one."""
    return next(
        (folder.parent for folder in model_dir.absolute().parents if folder.name == "cache_hub"), None
    )
