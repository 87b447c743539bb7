"""A download that is already on this machine becomes a model of cache_hub, without copying where that works."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .. import catalogue, models
from ..catalogue import Catalogue, File
from ..errors import BadArguments, NotConfigured
from . import check, layouts, places, record
from .bring import put

HOWS = ("auto", "reflink", "hardlink", "symlink", "copy")
_FICLONE = 0x40049409  # the ioctl that shares a file's blocks until one of the two changes
Progress = Callable[[int, str], None]


@dataclass(slots=True)
class Adopted:
    """``taken``: name to how; ``kept`` were whole in cache_hub already; ``refused`` are damaged at the source."""

    model: str
    folder: Path
    taken: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    refused: list[check.Finding] = field(default_factory=list)


def model_of(root: Path) -> str:
    """The model that ``root`` holds most of.

    Raises:
        NotConfigured: none.
        BadArguments: it may be several.
    """
    items = [catalogue.load(name) for name in catalogue.names()]
    shares = {item.model: _share(root, item) for item in items}
    best = max(shares.values(), default=0)
    chosen = [name for name, share in shares.items() if share == best]
    if not best:
        raise NotConfigured("nothing_to_adopt", path=root, known=", ".join(shares))
    if len(chosen) > 1:
        raise BadArguments("which_model", path=root, models=", ".join(chosen))
    return chosen[0]


def _share(root: Path, item: Catalogue) -> float:
    """Of the files that must be there; a file of auxiliary models, which several share, counts less."""
    needed = [file for file in item.files if file.required]
    found = [file for file in needed if any(True for _ in layouts.candidates(root, file))]
    own = [file for file in found if "/" not in file.name]
    return (len(found) + 10 * len(own)) / (len(needed) + 10 * sum("/" not in file.name for file in needed))


def adopt(
    cache_hub: Path,
    root: Path,
    model: str = "",
    how: str = "auto",
    deep: bool = False,
    progress: Progress = lambda done, what: None,
) -> Adopted:
    """Take every whole file of the model from ``root``; whole files of cache_hub stay. ``root`` is not changed.

    Raises:
        BadArguments, NotConfigured: see ``model_of``.
        Failed, NotPermitted: the disk is full or refuses.
    """
    root = root.expanduser().absolute()
    layouts.repository.cache_clear()
    item = catalogue.load(model or model_of(root))
    done = Adopted(item.model, cache_hub / item.model)
    with models.writing(cache_hub, item) as parts:
        known = record.read(done.folder)
        for number, file in enumerate(item.files):
            progress(number, file.name)
            _take(root, known.complete(file), file, done, how, deep, parts)
        places.write_refs(done.folder, done.taken)
        models.note(done.folder, item, {}, known.accepted)
        progress(len(item.files), "")
    return done


def _take(root: Path, recorded: File, file: File, done: Adopted, how: str, deep: bool, parts: Path) -> None:
    place = places.place(done.folder, file.name)
    if not check.look(place, recorded, deep)[0]:
        done.kept.append(file.name)
        return
    findings = []
    for path in layouts.candidates(root, file):
        kind, facts = check.look(path, file, deep)
        if kind:
            findings.append(check.Finding(file.name, kind, str(path), file.required, done.model, facts))
        elif os.path.lexists(place) and _same(path, place):
            done.kept.append(file.name)  # the folder of cache_hub itself, newer than its record
            return
        else:
            done.taken[file.name] = _into(path, place, how, parts)
            return
    done.refused += findings
    if not findings and file.required:
        done.absent.append(file.name)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _into(source: Path, place: Path, how: str, parts: Path) -> str:
    """Link or copy under a name of its own, then rename into place; returns the way that worked."""
    real = Path(os.path.realpath(source))
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    aside.unlink(missing_ok=True)
    ways = ("reflink", "hardlink", "symlink") if how == "auto" else (how,)
    try:
        for way in ways:
            try:
                _WAYS[way](real, aside)
            except OSError as error:
                aside.unlink(missing_ok=True)
                if way == ways[-1] or error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
            else:
                put(aside, place)
                return way
    finally:
        aside.unlink(missing_ok=True)
    raise AssertionError("the last way raises")


def _reflink(source: Path, target: Path) -> None:
    with open(source, "rb") as have, open(target, "xb") as new:
        fcntl.ioctl(new, _FICLONE, have.fileno())


_WAYS: dict[str, Callable[[Path, Path], object]] = {
    "reflink": _reflink,
    "hardlink": os.link,
    "symlink": os.symlink,
    "copy": shutil.copyfile,
}
