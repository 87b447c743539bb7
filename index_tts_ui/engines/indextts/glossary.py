"""The user's glossary: terms and how to say them, from ``glossary.yaml`` files, read again when they change.

M.2: {en: M dot two, zh: M 二}
NVMe: N V M E          # in every language
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger("tts.glossary")
Readings = Mapping[str, str]  # language -> how to say it; "" is any language
LONGEST_TERM = 100


class Glossary:
    """Terms of several files; a later file's terms win. A file that is wrong is logged once and left out."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._lock = threading.Lock()
        self._stamps: tuple[tuple[int, int] | None, ...] | None = None
        self._terms: dict[str, Readings] = {}
        self._pattern: re.Pattern[str] | None = None

    def find(self, text: str) -> Iterator[tuple[int, int, str, Readings]]:
        """Every term in ``text``, longest first and in any case, as (start, end, the term as written, readings)."""
        pattern, terms = self._current()
        for match in pattern.finditer(text) if pattern else ():
            yield match.start(), match.end(), match.group(), terms[match.group().lower()]

    def _current(self) -> tuple[re.Pattern[str] | None, dict[str, Readings]]:
        stamps = tuple(_stamp(path) for path in self._paths)
        with self._lock:
            if stamps != self._stamps:
                self._terms = {term: said for path in self._paths for term, said in _read(path).items()}
                self._pattern = _pattern(self._terms)
                self._stamps = stamps
            return self._pattern, self._terms


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[str, Readings]:
    import yaml

    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        log.warning("%s is left out, it cannot be read: %s", path, reason)
        return {}
    if data is None:
        return {}
    if not isinstance(data, dict):
        log.warning("%s is left out: write one 'term: how to say it' a line", path)
        return {}
    return {str(term).lower(): said for term, value in data.items() if (said := _readings(path, term, value))}


def _readings(path: Path, term: Any, value: Any) -> Readings:
    """{} where the entry is wrong, with a line in the log."""
    said = value if isinstance(value, dict) else {"": value}
    good = bool(said) and all(
        isinstance(lang, str) and isinstance(item, (str, int, float)) for lang, item in said.items()
    )
    if not good or not str(term).strip() or len(str(term)) > LONGEST_TERM:
        log.warning("%s: the term '%s' is left out: give it a reading, or one for each language", path, term)
        return {}
    return {lang.lower(): str(item) for lang, item in said.items()}


def _pattern(terms: Mapping[str, Readings]) -> re.Pattern[str] | None:
    """One alternation for all terms: a reading is never taken for a term again. AI is no part of FAIR."""
    if not terms:
        return None
    whole = (
        ("(?<![A-Za-z0-9])" if term[0].isascii() and term[0].isalnum() else "")
        + re.escape(term)
        + ("(?![A-Za-z0-9])" if term[-1].isascii() and term[-1].isalnum() else "")
        for term in sorted(terms, key=len, reverse=True)
    )
    return re.compile("|".join(whole), re.I)
