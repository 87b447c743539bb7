"""Manifest: the last entry of an archive; what else is in it, with sizes and checksums."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from .parts import part_of
from .refused import Refused

FORMAT = "index-tts-ui-backup"
VERSION = 1  # raised when an older release could no longer make sense of an archive
NAME = "manifest.json"
LIMIT = 64 << 20  # bytes
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name below the home folder, bytes, hex digest."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the service had, whether or not its files are in the archive; bytes as its record says."""

    model: str
    bytes: int
    included: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """``made``: seconds since 1970; ``parts``: what was asked for, also where nothing of it was there."""

    made: float
    parts: tuple[str, ...]
    entries: tuple[Entry, ...]
    models: tuple[Model, ...] = ()
    release: str = __version__

    @property
    def size(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in self.entries)

    def dump(self) -> bytes:
        """JSON."""
        data = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(data, ensure_ascii=False, indent=1).encode()

    def facts(self) -> Facts:
        """For people: what it holds, without the list of files."""
        counts = {part: sum(part_of(entry.name) == part for entry in self.entries) for part in self.parts}
        return {
            "made": self.made,
            "release": self.release,
            "files": counts,
            "bytes": self.size,
            "models": [asdict(model) for model in self.models],
        }


def parse(data: bytes, path: Path) -> Manifest:
    """Raises Refused: no manifest of ours, of a newer format, or with a name that no archive may have."""
    try:
        found = json.loads(data)
        if found["format"] != FORMAT:
            raise ValueError
        version = int(found["version"])
        if version <= VERSION:
            return _read(found)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("backup_no_archive", path=path) from error
    raise Refused("backup_newer", path=path, release=found.get("release", "?"))


def _read(found: Facts) -> Manifest:
    entries = tuple(
        Entry(str(item["name"]), int(item["size"]), str(item["sha256"])) for item in found["entries"]
    )
    names = {entry.name for entry in entries}
    if len(names) != len(entries) or any(entry.size < 0 or not part_of(entry.name) for entry in entries):
        raise ValueError
    models = tuple(
        Model(str(item["model"]), int(item["bytes"]), bool(item["included"])) for item in found["models"]
    )
    parts = tuple(str(part) for part in found["parts"])
    return Manifest(float(found["made"]), parts, entries, models, str(found["release"]))
