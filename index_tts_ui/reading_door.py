"""ReadingDoor: what a reading must be, for one request or for good, so that the engine can say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .engines import EngineSpec
from .errors import Invalid
from .speech import Reading

WORD_MOST, SAID_MOST = 64, 200  # characters
GLOSSARY_MOST = 200  # readings that one request may bring
KINDS = ("respelling", "pinyin", "phonemes")


class ReadingDoor:
    """``unsayable``: the frontend's (see ``Frontend.unsayable``)."""

    def __init__(self, engine: str, spec: EngineSpec, unsayable: Callable[[Reading], str]) -> None:
        self.kinds = spec.readings
        self.languages = spec.languages
        self._engine = engine
        self._unsayable = unsayable

    def glossary(self, readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """A request's readings, tidied. Raises Invalid, naming the one that is wrong."""
        if len(readings) > GLOSSARY_MOST:
            raise Invalid("too_many_readings", param="glossary", limit=GLOSSARY_MOST)
        return tuple(self.checked(reading, f"glossary.{place}.") for place, reading in enumerate(readings))

    def checked(self, reading: Reading, place: str = "") -> Reading:
        """``reading``, tidied. ``place`` stands before the names of its fields. Raises Invalid."""
        found = tidied(reading, place)
        if found.kind not in self.kinds:
            allowed = ", ".join(self.kinds)
            raise Invalid(
                "reading_kind", param=f"{place}kind", engine=self._engine, kind=found.kind, allowed=allowed
            )
        if found.language and found.language not in self.languages:
            raise Invalid("not_one_of", param=f"{place}language", allowed=", ".join(self.languages))
        if part := self._unsayable(found):
            raise Invalid(f"reading_{found.kind}", param=f"{place}said", part=part[:32])
        return found

    def can_say(self, reading: Reading) -> bool:
        """Whether the engine can say a reading that was taken before, maybe for another one."""
        known = not reading.language or reading.language in self.languages
        return known and reading.kind in self.kinds and not self._unsayable(reading)


def tidied(reading: Reading, place: str = "") -> Reading:
    """``reading`` with single spaces. Raises Invalid for what no engine could take."""
    word, said = " ".join(reading.word.split()), " ".join(reading.said.split())
    for name, text, limit in (("word", word, WORD_MOST), ("said", said, SAID_MOST)):
        if not text:
            raise Invalid("missing_value", param=f"{place}{name}")
        if len(text) > limit:
            raise Invalid("value_too_long", param=f"{place}{name}", limit=limit)
        if not any(char.isalnum() for char in text) or not text.isprintable():
            raise Invalid("reading_wordless", param=f"{place}{name}")
    if reading.kind not in KINDS:
        raise Invalid("not_one_of", param=f"{place}kind", allowed=", ".join(KINDS))
    return replace(reading, word=word, said=said)
