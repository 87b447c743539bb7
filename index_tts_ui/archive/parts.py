"""Parts of a backup: which files of a home folder belong to each, and what a name in an archive may be.

Names are relative to the home folder, with ``/``. The patterns admit neither ``..`` nor a leading ``/``, so an
archive can name nothing outside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODELS = "models"
_ID = r"[A-Za-z0-9_-]{16,64}"
_PLAIN = r"[A-Za-z0-9_][A-Za-z0-9 _.+@=,-]{0,199}"
# In the order of copying. What names others comes before what is named: clips stay a while after their voice,
# keys for ever, so that neither can be missing from a copy that is made while the service runs.
PARTS: dict[str, re.Pattern[str]] = {
    "settings": re.compile(r"tts\.toml|wordlist\.txt"),
    "usage": re.compile(r"usage\.sqlite3"),
    "history": re.compile(r"history\.sqlite3"),  # with the presets
    "dictionary": re.compile(r"dictionary\.json"),
    "voices": re.compile(r"voices/(library\.json|clips/[0-9a-f]{64}\.wav)"),
    "sounds": re.compile(rf"outputs/{_ID}\.({_PLAIN})(/{_PLAIN})?"),  # of favourites
    "keys": re.compile(r"keys\.json"),
    MODELS: re.compile(rf"cache_hub/({_PLAIN}/){{1,16}}{_PLAIN}"),
}
USUAL = tuple(name for name in PARTS if name != MODELS)
DATABASES = {"usage.sqlite3": 0, "history.sqlite3": 2}  # and the newest user_version that is understood
ROOTS = (
    "tts.toml",
    "wordlist.txt",
    "usage.sqlite3",
    "history.sqlite3",
    "dictionary.json",
    "voices",
    "keys.json",
)
MERGED = ("outputs", "cache_hub")  # of which each entry stands for itself
_NOT_MODELS = frozenset({".locks", ".partial", ".cache", ".git"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file to copy."""

    path: Path
    name: str


def part_of(name: str) -> str:
    """The part that a name belongs to; "" for a name that no archive may have."""
    return next((part for part, pattern in PARTS.items() if pattern.fullmatch(name)), "")


def files(home: Path, part: str) -> Iterator[Source]:
    """The files of a part that are there now; some may go before they are read."""
    if part == "voices":
        yield from _these(home, "voices/library.json")
        yield from _these(home, *(f"voices/clips/{path.name}" for path in _listed(home / "voices/clips")))
    elif part == "sounds":
        yield from _kept(home)
    elif part == MODELS:
        yield from (item for item in _models(home) if part_of(item.name) == MODELS)
    else:
        yield from _these(home, *(name for name in ROOTS if part_of(name) == part))


def _these(home: Path, *names: str) -> Iterator[Source]:
    return (Source(home / name, name) for name in names if part_of(name) and (home / name).is_file())


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _kept(home: Path) -> Iterator[Source]:
    """Sounds with a ``.keep`` beside them, with their takes."""
    folder = home / "outputs"
    for mark in sorted(folder.glob("*.keep")):
        for path in sorted((*folder.glob(f"{mark.stem}.*"), *folder.glob(f"{mark.stem}.*/*"))):
            yield from _these(home, path.relative_to(home).as_posix())


def _models(home: Path) -> Iterator[Source]:
    """All below ``cache_hub``; links become files; of a hub's cache the snapshots, not the blobs."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(home / "cache_hub", followlinks=True):
        info = Path(folder).stat()
        if (info.st_dev, info.st_ino) in seen:
            folders.clear()  # a link back
            continue
        seen.add((info.st_dev, info.st_ino))
        skipped = _NOT_MODELS | ({"blobs"} if "snapshots" in folders else set())
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(names, key=lambda item: (item == "manifest.json", item)):  # the commit mark last
            path = Path(folder, name)
            if path.is_file() and not name.endswith((".part", ".incomplete")):
                yield Source(path, path.relative_to(home).as_posix())
