"""The model catalogues: data files that say which files a model has, how large, with which sha256, from where."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadArguments

CATALOGUES = Path(__file__).parent / "catalogue"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model. ``name`` is relative to the model's folder; ``sources`` are tried in order."""

    name: str
    size: int  # bytes
    sha256: str
    sources: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One model."""

    model: str
    engines: tuple[str, ...]
    description: str
    licence: str
    upstream: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def names() -> list[str]:
    """Models that have a catalogue (the files beside them have an underscore)."""
    return sorted(path.stem for path in CATALOGUES.glob("*.json") if "_" not in path.stem)


@functools.cache
def load(model: str) -> Catalogue:
    """Raises BadArguments for an unknown model, naming the known ones."""
    if model not in names():
        raise BadArguments("unknown_model", model=model, known=", ".join(names()))
    data = json.loads((CATALOGUES / f"{model}.json").read_text("utf-8"))
    shared = data["shared_sources"]
    files = tuple(
        File(item["name"], item["size"], item["sha256"], tuple(_sources(item["sources"], shared)))
        for item in data["files"]
    )
    texts = (data["description"], data["licence"])
    return Catalogue(data["model"], tuple(data["engines"]), *texts, tuple(data["upstream"]), files)


def _sources(value: str | list[dict[str, Any]], shared: dict[str, Any]) -> list[dict[str, Any]]:
    return shared[value] if isinstance(value, str) else value
