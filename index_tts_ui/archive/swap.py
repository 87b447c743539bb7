"""Swap: unpacked state takes the place of what is there, which is put aside; all of it, or nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from . import parts

STAGING = ".restore-"  # a folder in the home, on the same disk: renaming is all that is left to do
_SIDES = ("", "-wal", "-shm")  # a database's other files belong to it


def conflicts(home: Path, folder: Path) -> list[str]:
    """What would have to give way."""
    return [name for name in parts.ROOTS if (folder / name).exists() and _occupied(home / name)]


def _occupied(path: Path) -> bool:
    return any(path.rglob("*")) if path.is_dir() else os.path.lexists(path)


def put(home: Path, folder: Path) -> tuple[Path | None, list[str]]:
    """Move everything below ``folder`` to its place; returns where the old state is now, and what was kept.

    What is undone on a failure are renames within the home; a kill in between leaves each item in one of the
    two folders.

    Raises:
        OSError: nothing has changed.
    """
    aside = home / time.strftime("replaced-%Y%m%d-%H%M%S")
    with _undoing() as moved:
        for name in parts.ROOTS:
            if (folder / name).exists():
                for side in _SIDES:
                    if os.path.lexists(home / (name + side)):
                        aside.mkdir(mode=0o700, exist_ok=True)
                        _move(home / (name + side), aside / (name + side), moved)
                _move(folder / name, home / name, moved)
        kept = [_merge(home / name, path, moved) for name in parts.MERGED for path in _inside(folder / name)]
    return (aside if aside.exists() else None), [name for name in kept if name]


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _merge(into: Path, path: Path, moved: list[tuple[Path, Path]]) -> str:
    """An entry that is there already stays as it is; returns its name then."""
    place = into / path.name
    if os.path.lexists(place):
        return f"{into.name}/{path.name}"
    into.mkdir(mode=0o750, parents=True, exist_ok=True)
    _move(path, place, moved)
    return ""


def _move(source: Path, place: Path, moved: list[tuple[Path, Path]]) -> None:
    try:
        source.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(source, place)  # cache_hub or outputs may be a link to another disk
    moved.append((source, place))


def _carry(source: Path, place: Path) -> None:
    """To another disk: under another name until it is whole."""
    part = place.with_name(f".{place.name}.part")
    with contextlib.suppress(OSError):
        shutil.rmtree(part)
    if source.is_dir():
        shutil.copytree(source, part)
    else:
        shutil.copy2(source, part)
    part.rename(place)


@contextlib.contextmanager
def _undoing() -> Iterator[list[tuple[Path, Path]]]:
    """Moves that are taken back, the last one first, where the block fails."""
    moved: list[tuple[Path, Path]] = []
    try:
        yield moved
    except BaseException:
        for source, place in reversed(moved):
            with contextlib.suppress(OSError):
                place.rename(source)
        raise
