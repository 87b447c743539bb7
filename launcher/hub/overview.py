"""Every model of the catalogues and every other folder of cache_hub, with its state."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import catalogue
from . import check, places

COMPLETE, DAMAGED, ABSENT, UNKNOWN = "complete", "damaged", "absent", "unknown"


@dataclass(frozen=True, slots=True)
class Overview:
    """``size``: bytes on disk; ``wanted``: bytes that the catalogue knows of."""

    model: str
    state: str
    path: Path
    size: int = 0
    wanted: int = 0
    licence: str = ""
    description: str = ""
    findings: list[check.Finding] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        facts = {"model": self.model, "state": self.state, "path": str(self.path), "size": self.size}
        facts |= {"size_known": self.wanted or None, "licence": self.licence, "description": self.description}
        return {**facts, "findings": [item.to_json() for item in self.findings]}


def overview(cache_hub: Path) -> list[Overview]:
    """The known models first; sizes and headers are read, nothing else."""
    known = [_known(cache_hub, name) for name in catalogue.names()]
    names = {item.model for item in known}
    try:
        others = sorted(entry.name for entry in os.scandir(cache_hub) if entry.is_dir())
    except OSError:
        others = []
    strangers = [name for name in others if name not in names and not name.startswith(".")]
    return known + [_unknown(cache_hub / name) for name in strangers]


def present(cache_hub: Path) -> list[str]:
    """Known models that have a folder (or a link for one) in ``cache_hub``."""
    return [name for name in catalogue.names() if os.path.lexists(cache_hub / name)]


def weight(cache_hub: Path, model: str) -> int:
    """Bytes of the model's files on disk."""
    return sum(_size(places.place(cache_hub / model, file.name)) for file in catalogue.load(model).files)


def _known(cache_hub: Path, name: str) -> Overview:
    item, folder = catalogue.load(name), cache_hub / name
    found = check.check(folder, item)
    size = weight(cache_hub, name)
    state = DAMAGED if any(one.needed for one in found) else COMPLETE
    if not size and all(one.kind == "missing" for one in found if one.needed):
        state, found = ABSENT, [one for one in found if not one.needed]
    return Overview(name, state, folder, size, item.size, item.licence, item.description, found)


def _unknown(folder: Path) -> Overview:
    return Overview(folder.name, UNKNOWN, folder, sum(os.lstat(path).st_size for path in check.walk(folder)))


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
