"""Where an earlier download may have left a model's file: a plain folder, a Hugging Face or a ModelScope cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..catalogue import File
from . import places

# Folders below what the user names that may hold a cache of repositories.
_CACHES = (
    "",
    "hub",
    "models",
    "hub/models",
    "hf_hub",
    "hf_cache",
    "huggingface/hub",
    "modelscope/hub/models",
)


def candidates(root: Path, file: File) -> Iterator[Path]:
    """Paths below ``root`` where ``file`` may be, the most exact first; only those that exist.

    A plain folder comes first, then the caches of the file's repositories.
    """
    named = [root / file.name, places.place(root, file.name)]
    sources = [source for source in file.sources if source["kind"] in ("hub", "modelscope")]
    paths = [(source["repo"], _path(source["path"], file)) for source in sources]
    cached = (folder / path for repo, path in paths for folder in repository(root, repo))
    seen = set()
    for path in (*named, *cached):
        if path not in seen and os.path.lexists(path):
            seen.add(path)
            yield path


@cache
def repository(root: Path, repo: str) -> tuple[Path, ...]:
    """Folders below ``root`` that hold the files of ``repo``, the snapshot of ``refs/main`` first."""
    found: list[Path] = []
    for cache_folder in _CACHES:
        base = root / cache_folder
        kept = base / f"models--{repo.replace('/', '--')}"
        found += _snapshots(kept)
        plain = base / repo
        found += [
            folder for folder in (plain, plain.with_name(plain.name.replace(".", "___"))) if folder.is_dir()
        ]
    kept_as, name = f"models--{repo.replace('/', '--')}", repo.rpartition("/")[2]
    if root.name == kept_as:
        found += _snapshots(root)
    elif root.parent.parent.name == kept_as or root.name in (name, name.replace(".", "___")):
        found.append(root)  # the repository's own folder; any other may have files of the same names
    return tuple(dict.fromkeys(found))


def _snapshots(kept: Path) -> list[Path]:
    main = kept / "snapshots" / places.revision(kept)
    try:
        others = sorted(entry for entry in (kept / "snapshots").iterdir() if entry.is_dir())
    except OSError:
        return []
    return sorted(others, key=lambda entry: entry != main)


def _path(pattern: str, file: File) -> str:
    return pattern.format(name=file.name, base=file.name.rpartition("/")[2])
