"""Where a model's file is: plainly under its folder, or in a hub cache there (blobs, refs, snapshots).

In a catalogue a file of a hub cache is named ``.../models--Org--Repo/snapshots/main/file``; the folder under
``snapshots`` that is meant is the one that ``refs/main`` names, as for the hub's own client when it is offline.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ..lock import read_text

REVISION = "main"
_MARK = f"/snapshots/{REVISION}/"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BLOB = re.compile(r"[0-9a-f]{64}")


def place(folder: Path, name: str) -> Path:
    """The path of the catalogue's file ``name`` below the model's ``folder``, whether it is there or not."""
    repo, cached, rest = name.partition(_MARK)
    if not cached:
        return folder / name
    return folder / repo / "snapshots" / revision(folder / repo) / rest


def revision(repo: Path) -> str:
    """The snapshot that a loader takes: what ``refs/main`` of the repository's cache folder says."""
    said = read_text(repo / "refs" / REVISION, 256).strip()
    return said if _SAFE.fullmatch(said) else REVISION


def write_refs(folder: Path, names: Iterable[str]) -> None:
    """Give every hub cache of ``names`` its ``refs/main``; one that has it keeps it."""
    for repo in sorted({name.partition(_MARK)[0] for name in names if _MARK in name}):
        ref = folder / repo / "refs" / REVISION
        if (folder / repo / "snapshots").is_dir() and not os.path.lexists(ref):
            from ..state import write_atomic

            ref.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(ref, revision(folder / repo).encode(), 0o644)


def blob_sha256(path: Path) -> str:
    """The sha256 that a hub cache promises for a file: the name of the blob its link points to; or ""."""
    try:
        target = os.path.basename(os.readlink(path))
    except OSError:
        return ""
    return target if _BLOB.fullmatch(target) else ""


def broken_link(path: Path) -> Path | None:
    """The link on the way to ``path`` that leads nowhere; None where something is simply absent."""
    for part in (path, *path.parents):
        if part.is_symlink() and not os.path.exists(part):
            return part
    return None
