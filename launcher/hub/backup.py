"""Copies of cache_hub: whole files only, each atomically, unchanged ones skipped; one that fails stops no other.

Links become files in the copy, so that it stands alone; of a hub cache the snapshots are copied, not the blobs.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import catalogue
from ..catalogue import File
from ..errors import Failed, NotConfigured, NotPermitted
from . import check, places, record

_SKIPPED = frozenset({".locks", ".partial", ".cache", ".git"})
_BLOCK = 4 << 20  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT)
Progress = Callable[[int, str], None]  # bytes that are done, the file


@dataclass(slots=True)
class Copied:
    """Names below cache_hub. ``kept``: the target has another, whole file, which was left alone."""

    copied: list[str] = field(default_factory=list)
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    skipped: list[check.Finding] = field(default_factory=list)  # damaged at the source
    failed: dict[str, str] = field(default_factory=dict)  # name: why
    bytes: int = 0  # that were copied

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        skipped = [item.to_json() for item in self.skipped]
        facts = {"copied": self.copied, "unchanged": self.unchanged, "bytes": self.bytes}
        return {**facts, "kept": self.kept, "skipped": skipped, "failed": self.failed}


@dataclass(frozen=True, slots=True)
class Job:
    """One file to bring from ``path`` to ``place``; ``name`` is relative to cache_hub."""

    path: Path
    place: Path
    name: str
    on_bytes: Callable[[int], None]


def mirror(
    source: Path,
    target: Path,
    deep: bool = False,
    overwrite: bool = True,
    progress: Progress = lambda done, what: None,
    on_total: Callable[[int], None] = lambda total: None,
) -> Copied:
    """Bring every whole file of ``source`` to ``target`` (both laid out as cache_hub). Deletes nothing.

    ``deep``: hash what is compared and what is checked. ``overwrite``: a whole file of the target gives way
    to another whole one.

    Raises:
        NotConfigured: nothing to copy, or one folder lies inside the other.
        NotPermitted: the target cannot be made.
        Failed: the disk is full; what was copied stays.
    """
    _apart(source, target)
    files = sorted(_files(source), key=lambda item: item[1].endswith(f"/{record.MANIFEST}"))  # those last
    if not files:
        raise NotConfigured("nothing_to_copy", path=source)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted("cannot_write", path=target, reason=error.strerror) from error
    on_total(sum(_size(path) for path, _ in files))
    done, at = Copied(), 0
    for path, name in files:
        progress(at, name)
        copy = Job(path, target / name, name, check.counted(progress, at, name))
        try:
            _one(copy, source, target, deep, overwrite, done)
        except OSError as error:
            if error.errno in _FULL:
                raise Failed("disk_full", path=target, megabytes=round(_size(path) / 1e6) or 1) from error
            done.failed[name] = f"{error.filename or path}: {error.strerror}"
        at += _size(path)
    progress(at, "")
    return done


def _apart(source: Path, target: Path) -> None:
    one, other = Path(os.path.realpath(source)), Path(os.path.realpath(target))
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise NotConfigured("same_folder", path=target)


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """Files below ``root`` with their names; links to folders are followed, each folder once."""
    seen: set[tuple[int, int]] = set()

    def below(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
        try:
            info = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return  # a check names it
        if (info.st_dev, info.st_ino) in seen:
            return  # a link back
        seen.add((info.st_dev, info.st_ino))
        names = {entry.name for entry in entries}
        for entry in entries:
            cached = entry.name == "blobs" and "snapshots" in names
            if entry.name in _SKIPPED or cached or entry.name.endswith(check.LEFTOVERS):
                continue
            inner = f"{name}/{entry.name}" if name else entry.name
            if _is_folder(entry):
                yield from below(Path(entry.path), inner)
            else:
                yield Path(entry.path), inner

    yield from below(root, "")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _one(job: Job, source: Path, target: Path, deep: bool, overwrite: bool, done: Copied) -> None:
    known, name = expected(source, job.name), job.name
    kind, facts = check.look(job.path, known, deep)
    if kind:
        model = name.partition("/")[0]
        done.skipped.append(check.Finding(name, kind, str(job.path), known.required, model, facts))
        return
    there = not check.look(job.place, expected(target, name), deep)[0]
    if there and _unchanged(job.path, job.place, deep):
        done.unchanged += 1
    elif not overwrite and (there or _another(name, done)):
        done.kept.append(name)
    else:
        _copy(job)
        done.copied.append(name)
        done.bytes += _size(job.place)


def _another(name: str, done: Copied) -> bool:
    """Whether ``name`` is the record of a model of which the target keeps files of its own."""
    model, _, inner = name.partition("/")
    return inner == record.MANIFEST and any(kept.startswith(f"{model}/") for kept in done.kept)


def expected(root: Path, name: str) -> File:
    """What the catalogue and the record of ``root`` say of a file; of a stranger only its ending speaks."""
    model, _, inner = name.partition("/")
    if model in catalogue.names():
        for file in catalogue.load(model).files:
            if places.place(root / model, file.name) == root / name:
                return record.read(root / model).complete(file)
    return File(inner or name, None, "", (), required=False)


def _unchanged(path: Path, place: Path, deep: bool) -> bool:
    """By size and time; where only the time differs, or ``deep``, by hash (and the time is put right)."""
    one, other = os.stat(path), os.stat(place)
    if one.st_size != other.st_size:
        return False
    if not deep and one.st_mtime_ns == other.st_mtime_ns:
        return True
    if check.sha256(path) != check.sha256(place):
        return False
    if not place.is_symlink():
        os.utime(place, ns=(one.st_atime_ns, one.st_mtime_ns))
    return True


def _copy(job: Job) -> None:
    place = job.place
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    aside.unlink(missing_ok=True)
    try:
        with open(job.path, "rb") as have, open(aside, "xb") as new:
            info = os.fstat(have.fileno())
            while block := have.read(_BLOCK):
                new.write(block)
                job.on_bytes(new.tell())
            new.flush()
            os.fsync(new.fileno())
        os.utime(aside, ns=(info.st_atime_ns, info.st_mtime_ns))
        os.replace(aside, place)
    finally:
        aside.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
