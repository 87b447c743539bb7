"""cache_hub: which models are there, whether they are whole, and how they get there.

A file is renamed into ``cache_hub/<model>`` only when it is verified, so whatever is there under its own
name is whole or was damaged later. A file that is right is never fetched again, whoever put it there.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import catalogue
from .catalogue import Catalogue, File
from .errors import Failed, LauncherError, NotConfigured, NotPermitted
from .hub import places, record
from .hub.check import Finding, sha256
from .hub.check import check as look_through
from .lock import Lock

if TYPE_CHECKING:
    from .hub.record import Record

MANIFEST = record.MANIFEST
_NOTES = ("leftover", "partial")  # findings that no fetch mends
Progress = Callable[[int, str], None]  # bytes that are in place, what is being done

__all__ = [
    "MANIFEST",
    "Fetched",
    "Finding",
    "check",
    "fetch",
    "is_ready",
    "needed_by",
    "problems",
    "repair",
    "sha256",
]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did: ``adopted`` files were there already, ``fetched`` ones came now."""

    folder: Path
    adopted: int
    fetched: int


@dataclass(frozen=True, slots=True)
class Wish:
    """How to fetch. ``source``: "registry", "hub", "modelscope" or "" for whichever answers."""

    source: str = ""
    accepted: bool = False  # somebody agrees to the model's licence
    progress: Progress = lambda have, what: None
    on_total: Callable[[int], None] = lambda total: None  # bytes that will come, once they are known
    parallel: int = 0  # files at once; 0: as many as is usual


def needed_by(engine: str) -> str:
    """The model an engine needs; "" for one that needs none or that this launcher does not know.

    ``auto`` needs that of its last resort; see ``fitting.best``.
    """
    return catalogue.model_of(catalogue.AUTO[-1] if engine == "auto" else engine)


def is_ready(cache_hub: Path, model: str) -> bool:
    """Whether the model can be loaded, as far as sizes and headers tell. No hashing."""
    return not any(item.needed for item in check(cache_hub, model))


def is_settled(cache_hub: Path, model: str) -> bool:
    """Whether a fetch has nothing to do: the model is ready, it is on record what came, and that is all there is.

    A file that the model works without counts where its sha256 is known beforehand: it surely exists.
    """
    came = record.read(cache_hub / model).files
    wanted = {file.name for file in catalogue.load(model).files if file.required or file.sha256}
    return bool(came) and wanted <= set(came) and is_ready(cache_hub, model)


def is_started(cache_hub: Path, model: str) -> bool:
    """Whether a start has nothing to fetch: the model is ready, and it is on record that it was fetched."""
    return bool(record.read(cache_hub / model).files) and is_ready(cache_hub, model)


def check(
    cache_hub: Path, model: str, deep: bool = False, progress: Progress = lambda done, what: None
) -> list[Finding]:
    """Everything that is wrong; ``deep`` reads and hashes all bytes. Writes nothing."""
    return look_through(cache_hub / model, catalogue.load(model), deep, progress)


def problems(found: list[Finding], folder: Path) -> LauncherError | None:
    """What keeps the model from loading, as one error with what mends it; None where nothing does."""
    needed = [item for item in found if item.needed]
    if not needed:
        return None
    denied = next((item for item in needed if item.kind == "denied"), None)
    if denied:
        return NotPermitted("model_denied", path=denied.path, fix=denied.fix)
    model = folder.name
    if not any(os.path.lexists(places.place(folder, file.name)) for file in catalogue.load(model).files):
        return NotConfigured("model_missing", model=model, path=folder)
    more = _and_more(len(needed) - 1)
    return NotConfigured("model_damaged", path=needed[0].path, what=needed[0].what, more=more, model=model)


def _and_more(count: int) -> str:
    from .messages import say

    return say("and_more", count=count) if count else ""


def fetch(cache_hub: Path, model: str, wish: Wish | None = None) -> Fetched:
    """Bring the model into ``cache_hub``; safe to interrupt, to repeat and to run twice at once.

    Raises:
        Failed: no source could give a file, or the disk is full; what came so far is kept.
        NotConfigured: the licence was not accepted.
        NotPermitted: cache_hub cannot be written.
    """
    item, folder = catalogue.load(model), cache_hub / model
    if is_settled(cache_hub, model):
        return Fetched(folder, len(item.files), 0)
    return _mend(cache_hub, item, True, True, wish or Wish())


def repair(cache_hub: Path, model: str, deep: bool = False, wish: Wish | None = None) -> Fetched:
    """Fetch just what a (deep) check finds damaged or missing. Raises as ``fetch`` does."""
    return _mend(cache_hub, catalogue.load(model), deep, False, wish or Wish())


def _mend(cache_hub: Path, item: Catalogue, deep: bool, optional: bool, wish: Wish) -> Fetched:
    """Under the model's lock: find what is not right, fetch it, record everything.

    ``optional``: also what a model works without and has not.
    """
    from .hub.check import look
    from .hub.overview import weight

    folder = cache_hub / item.model
    with writing(cache_hub, item, wish.progress) as partial:
        if deep:
            wish.on_total(weight(cache_hub, item.model))
        seen = look_through(folder, item, deep, wish.progress if deep else lambda done, what: None)
        found = [one for one in seen if one.kind not in _NOTES]
        for one in found:
            if one.kind == "denied":
                raise NotPermitted("model_denied", path=one.path, fix=one.fix)
        wrong = {one.name for one in found}
        if optional and not all(file.required for file in item.files):
            there = (
                file for file in item.files if look(places.place(folder, file.name), file)[0] == "missing"
            )
            wrong |= {file.name for file in there}
        missing = [file for file in item.files if file.name in wrong]
        known = record.read(folder)
        came = _bring(partial, item, missing, known, wish) if missing else {}
        note(folder, item, came, known.accepted or wish.accepted)
        _forget(partial)
    return Fetched(folder, len(item.files) - len(missing), len(came))


def _bring(
    partial: Path, item: Catalogue, missing: list[File], known: Record, wish: Wish
) -> Mapping[str, tuple[int | None, str]]:
    from .hub.bring import bring
    from .sources import Sources

    if item.licence_url and not (known.accepted or wish.accepted):
        raise NotConfigured("licence", model=item.model, licence=item.licence, url=item.licence_url)
    partial.mkdir(parents=True, exist_ok=True)
    folder = partial.parent.parent / item.model
    return bring(Sources(partial), missing, folder, wish.source, wish.progress, wish.on_total, wish.parallel)


def note(folder: Path, item: Catalogue, came: Mapping[str, tuple[int | None, str]], accepted: bool) -> None:
    """Write the record: what came now, what the catalogue or the last record says, else what is there."""
    known = record.read(folder)
    files: dict[str, tuple[int | None, str]] = {}
    for file in item.files:
        path, file = places.place(folder, file.name), known.complete(file)
        if file.name in came:
            files[file.name] = came[file.name]
        elif path.is_file():
            size = path.stat().st_size
            files[file.name] = (
                (size, file.sha256) if file.sha256 and size == file.size else (size, sha256(path))
            )
    record.write(folder, item, files, accepted)


@contextmanager
def writing(cache_hub: Path, item: Catalogue, progress: Progress = lambda have, what: None) -> Iterator[Path]:
    """The model's folder is ours alone to change; gives a folder for parts. Refusals become one line.

    Without locks on this file system the parts are kept apart by host and pid, so that two never share one.
    """
    locks = cache_hub / ".locks"
    try:
        for path in (cache_hub / item.model, locks):
            path.mkdir(parents=True, exist_ok=True)
        with Lock(locks / f"{item.model}.lock") as lock:
            _wait(lock, progress)
            alone = "" if lock.works() else f"-{os.uname().nodename}-{os.getpid()}"
            yield cache_hub / ".partial" / f"{item.model}{alone}"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Failed("disk_full", path=cache_hub, megabytes=round(item.size / 1e6) or "?") from error
        raise NotPermitted("cannot_write", path=error.filename or cache_hub, reason=error.strerror) from error


def _wait(lock: Lock, progress: Progress) -> None:
    while not lock.try_acquire():  # another fetch is at it; Ctrl+C ends the wait
        progress(0, f"pid {lock.holder()}")
        time.sleep(0.2)
    lock.write(f"{os.getpid()}\n")


def _forget(partial: Path) -> None:
    """All is in place: no part is worth keeping."""
    import shutil

    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.parent.rmdir()
    except OSError:
        pass  # another model's parts are there
