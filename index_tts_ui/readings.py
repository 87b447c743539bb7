"""Readings together: which one counts where several say how to read the same word."""

from __future__ import annotations

from collections.abc import Iterable

from .speech import Reading


def layered(*layers: Iterable[Reading]) -> list[Reading]:
    """All readings but those of a word and language for which a layer before has one already.

    A reading for every language ("") also covers each one. Case does not matter.
    """
    found: list[Reading] = []
    taken: set[tuple[str, str]] = set()
    for layer in layers:
        mine: set[tuple[str, str]] = set()
        for reading in layer:
            word = reading.word.lower()
            key = (word, reading.language)
            if not {key, (word, "")} & taken and key not in mine:
                found.append(reading)
                mine.add(key)
        taken |= mine
    return found


def occurring(readings: Iterable[Reading], text: str) -> list[Reading]:
    """Those whose word is in ``text``, whether or not as a word of its own."""
    lowered = text.lower()
    letters = set(lowered)
    return [
        reading
        for reading in readings
        if (word := reading.word.lower())[0] in letters and word in lowered  # most fail at their first letter
    ]
