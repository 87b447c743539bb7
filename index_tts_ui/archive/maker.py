"""Make an archive of a home folder, also while a service works in it.

A database is copied by SQLite's own backup, in one read transaction; every other file is one that the service
replaces as a whole, so what is read is one of its versions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from . import manifest, parts
from .manifest import Entry, Manifest, Model
from .parts import Source
from .refused import Refused

BUSY_SECONDS = 30.0  # for a writer that holds a database
BLOCK = 1 << 20
SMALL = (".json", ".toml", ".txt", ".sqlite3")  # what gets smaller


def make(home: Path, target: Path, wanted: Collection[str], overwrite: bool = False) -> tuple[Path, Manifest]:
    """Write the archive as a whole, or not at all; returns its path.

    ``target``: a file, or a folder that gets one named after the time.

    Raises:
        Refused: it is there already, a database is damaged, the disk is full, nothing is to be saved.
    """
    path = target / time.strftime("index-tts-ui-%Y%m%d-%H%M%S.zip") if target.is_dir() else target
    if path.exists() and not overwrite:
        raise Refused("backup_exists", path=path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _beside(path) as part:
            made = _fill(home, part, wanted)
            _settle(part, path, overwrite)
    except OSError as error:
        raise Refused("backup_disk", path=error.filename or path, reason=error.strerror or error) from error
    return path, made


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file of our own eyes only (it will hold secrets), gone after the block unless it was renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(part: Path, path: Path, overwrite: bool) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if path.exists() and not overwrite:  # since we looked
        raise Refused("backup_exists", path=path)
    part.replace(path)


def _fill(home: Path, path: Path, wanted: Collection[str]) -> Manifest:
    chosen = tuple(part for part in parts.PARTS if part in wanted)
    with zipfile.ZipFile(path, "w", strict_timestamps=False) as archive:
        sources = (source for part in chosen for source in parts.files(home, part))
        entries = tuple(filter(None, (_add(archive, source) for source in sources)))
        if not entries:
            raise Refused("backup_nothing", path=home)
        made = Manifest(time.time(), chosen, entries, tuple(_models(home, parts.MODELS in chosen)))
        archive.writestr(manifest.NAME, made.dump(), zipfile.ZIP_DEFLATED)
    return made


def _add(archive: zipfile.ZipFile, source: Source) -> Entry | None:
    """Copy one file; None where it has gone since it was listed."""
    if source.name in parts.DATABASES:
        with tempfile.TemporaryDirectory(dir=Path(str(archive.filename)).parent, prefix=".backup-") as folder:
            copy = Path(folder, "copy.sqlite3")
            _snapshot(source, copy)
            return _copied(archive, Source(copy, source.name))
    try:
        return _copied(archive, source)
    except FileNotFoundError:
        return None


def _copied(archive: zipfile.ZipFile, source: Source) -> Entry:
    """What was read is what is counted and hashed, whatever becomes of the file meanwhile."""
    with source.path.open("rb") as file:
        info = zipfile.ZipInfo(source.name, time.localtime()[:6])
        info.external_attr = 0o600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED if source.name.endswith(SMALL) else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with archive.open(info, "w", force_zip64=True) as into:
            while block := file.read(BLOCK):
                into.write(block)
                digest.update(block)
                size += len(block)
    return Entry(source.name, size, digest.hexdigest())


def _snapshot(source: Source, copy: Path) -> None:
    """One consistent state of a database that others may be writing. Raises Refused where it is damaged."""
    place = f"file:{quote(str(source.path))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(place, BUSY_SECONDS, uri=True)) as live,
            closing(sqlite3.connect(copy)) as still,
        ):
            live.backup(still)  # all pages in one step: readers hold up no writer of a WAL
            still.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal
            said = still.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        part = parts.part_of(source.name)
        raise Refused("backup_damaged_source", path=source.path, reason=said, part=part)


def _models(home: Path, included: bool) -> Iterator[Model]:
    """What ``cache_hub`` has, by the records that its fetches wrote."""
    for record in sorted((home / "cache_hub").glob("*/manifest.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            files = json.loads(record.read_text("utf-8"))["files"]
            yield Model(record.parent.name, sum(int(item["size"] or 0) for item in files), included)
