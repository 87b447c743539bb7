"""Words and how to say them: the ``glossary.yaml`` files, read again when they change, and what a request brings.

M.2: {en: M dot two, zh: M 二}
NVMe: N V M E          # in every language
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..readings import layered, occurring
from ..speech import Reading
from ..text.detect import KANA
from ..text.language import HAN

log = logging.getLogger("tts.glossary")
Readings = Mapping[str, Reading]  # by language; "" is any language
LONGEST_TERM = 100
# what words are made of in scripts that put spaces between them
_LETTER = f"[^\\W_{HAN}{KANA}]"
_IS_LETTER = re.compile(_LETTER)


class Glossary:
    """Terms of several files; a later file's terms win. A file that is wrong is logged once and left out."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._paths = tuple(paths)
        self._lock = threading.Lock()
        self._stamps: tuple[tuple[int, int] | None, ...] | None = None
        self._terms: list[Reading] = []

    def find(self, text: str, first: Sequence[Reading] = ()) -> Iterator[tuple[int, int, str, Readings]]:
        """Every term in ``text``, longest first and in any case, as (start, end, the term as written, readings).

        ``first`` go before the files' terms of the same words.
        """
        terms: dict[str, dict[str, Reading]] = {}
        for reading in layered(occurring(first, text), occurring(self._current(), text)):
            terms.setdefault(reading.word.lower(), {})[reading.language] = reading
        if terms:
            for match in _pattern(tuple(sorted(terms))).finditer(text):
                if (found := terms.get(match.group().lower())) is not None:
                    yield match.start(), match.end(), match.group(), found

    def _current(self) -> list[Reading]:
        stamps = tuple(_stamp(path) for path in self._paths)
        with self._lock:
            if stamps != self._stamps:
                found = {term: said for path in self._paths for term, said in _read(path).items()}
                self._terms = [reading for said in found.values() for reading in said]
                self._stamps = stamps
            return self._terms


def from_yaml(data: Any) -> Iterator[tuple[str, list[Reading]]]:
    """Each term of a glossary file with its readings; with none where the entry is wrong. Raises ValueError."""
    if not isinstance(data, dict):
        raise ValueError("write one 'term: how to say it' a line")
    for term, value in data.items():
        yield str(term), _readings(str(term).strip(), value)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[str, list[Reading]]:
    import yaml

    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        entries = [] if data is None else list(from_yaml(data))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        log.warning("%s is left out, it cannot be read: %s", path, reason)
        return {}
    for term, said in entries:
        if not said:
            log.warning(
                "%s: the term '%s' is left out: give it a reading, or one for each language", path, term
            )
    return {term.strip().lower(): said for term, said in entries if said}


def _readings(term: str, value: Any) -> list[Reading]:
    said = value if isinstance(value, dict) else {"": value}
    good = all(isinstance(lang, str) and isinstance(item, (str, int, float)) for lang, item in said.items())
    if not good or not term or len(term) > LONGEST_TERM:
        return []
    return [Reading(term, str(item), language=lang.lower()) for lang, item in said.items()]


@lru_cache(maxsize=64)
def _pattern(words: Collection[str]) -> re.Pattern[str]:
    """One alternation for all: a reading is never taken for a term again. AI is no part of FAIR."""
    whole = (
        (f"(?<!{_LETTER})" if _IS_LETTER.match(word[0]) else "")
        + re.escape(word)
        + (f"(?!{_LETTER})" if _IS_LETTER.match(word[-1]) else "")
        for word in sorted(words, key=len, reverse=True)
    )
    return re.compile("|".join(whole), re.I)
