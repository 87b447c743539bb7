"""WordList: refuses texts with one of the terms of a file. It does not tell which."""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path

from ..errors import BadConfig, Invalid
from ..speech import Owner

log = logging.getLogger("tts.checks")
MOST_BYTES = 8 << 20
# Letters and digits of scripts that put blanks between words: there a term is a whole word.
_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BLANKS = re.compile(r"\s+")
Terms = dict[str, tuple[str, ...]]  # by their first character


class WordList:
    """One term a line, ``#`` begins a comment; the file is read again when it has changed.

    Case, width (``ＡＢＣ``), runs of blanks and invisible characters make no difference. Raises BadConfig
    where the file cannot be read at the start; one that cannot be read later leaves the terms as they were.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._terms: Terms = {}
        try:
            self._look()
        except (OSError, ValueError) as error:
            raise BadConfig("bad_config", name="text_checks", reason=_why(path, error)) from error

    def __call__(self, text: str, owner: Owner) -> None:
        """See ``TextCheck``."""
        try:
            self._look()
        except (OSError, ValueError) as error:
            if self._stamp is not None:
                log.error("%s; the terms stay as they were", _why(self._path, error))
                self._stamp = None  # said once, and read as soon as it can be
        if _has(plain(text), self._terms):
            raise Invalid("text_refused", param="input")

    def _look(self) -> None:
        stat = self._path.stat()
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp == self._stamp:
            return
        if stat.st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        self._terms = terms_of(self._path.read_text("utf-8-sig"))
        self._stamp = stamp


def terms_of(text: str) -> Terms:
    """The file's terms."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        term = plain(line.partition("#")[0])
        if term:
            found.setdefault(term[0], set()).add(term)
    return {first: tuple(sorted(terms)) for first, terms in found.items()}


def plain(text: str) -> str:
    """Without what makes no difference."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return _BLANKS.sub(" ", seen).strip()


def _has(text: str, terms: Terms) -> bool:
    return any(
        text.startswith(term, at) and _is_whole(text, at, at + len(term))
        for at, char in enumerate(text)
        if char in terms
        for term in terms[char]
    )


def _is_whole(text: str, begin: int, end: int) -> bool:
    """Whether no word goes on beyond either end."""
    before = begin > 0 and _goes_on(text[begin - 1], text[begin])
    return not before and not (end < len(text) and _goes_on(text[end - 1], text[end]))


def _goes_on(left: str, right: str) -> bool:
    return bool(_WORD.match(left) and _WORD.match(right))


def _why(path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"{path.name} cannot be read ({reason})"
