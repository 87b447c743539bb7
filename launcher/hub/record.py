"""``cache_hub/<model>/manifest.json``: what came, with size and sha256, written last.

It makes a later check exact for files whose size and sha256 the catalogue does not know. A model without
it (copied by hand) is judged by its structure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..catalogue import Catalogue, File
from ..lock import read_text

MANIFEST = "manifest.json"
_LIMIT = 4 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Record:
    """``files``: name to (size, sha256). ``accepted``: somebody agreed to the licence."""

    files: Mapping[str, tuple[int | None, str]]
    accepted: bool = False

    def complete(self, file: File) -> File:
        """``file`` with what is recorded where the catalogue knows nothing."""
        if file.size is not None:
            return file
        size, digest = self.files.get(file.name, (None, ""))
        return replace(file, size=size, sha256=file.sha256 or digest)


def read(folder: Path) -> Record:
    """Empty where there is none, or none that makes sense."""
    try:
        data: Any = json.loads(read_text(folder / MANIFEST, _LIMIT))
        files = {str(item["name"]): (int(item["size"]), str(item["sha256"])) for item in data["files"]}
        return Record(files, data.get("accepted") is True)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Record({})


def write(folder: Path, item: Catalogue, files: Mapping[str, tuple[int | None, str]], accepted: bool) -> None:
    """Atomically. Raises OSError."""
    from ..state import write_atomic

    manifest = {
        "model": item.model,
        "description": item.description,
        "licence": item.licence,
        "accepted": accepted,
        "upstream": item.upstream,
        "files": [{"name": name, "size": size, "sha256": digest} for name, (size, digest) in files.items()],
    }
    data = json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n"
    write_atomic(folder / MANIFEST, data, 0o644)
