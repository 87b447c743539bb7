"""What is wrong with a model's folder: one finding a file, each with what mends it. Writes nothing.

Quick: stat and headers. Deep: every byte, against the sha256 of the catalogue, the hub cache or the record.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..catalogue import Catalogue, File
from ..messages import say
from . import formats, places, record

LEFTOVERS = (".incomplete", ".part", ".partial", ".tmp", ".crdownload", ".aria2", "._____temp")
_MOST_ENTRIES = 20_000  # of a folder that are looked through for leftovers
_INDEX = ".index.json"
Progress = Callable[[int, str], None]  # bytes (deep) or files (quick) that are done, what is being looked at

# kind: what mends it (messages fix_...). Anything else is mended by a repair.
_FIXES = {"missing": "fetch", "denied": "access", "unreadable": "disk", "loop": "link", "link_folder": "link"}
_FIXES |= {"leftover": "leftover", "partial": "resume", "not_a_file": "not_a_file"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one path. ``kind`` is stable; ``needed``: the model does not load with it."""

    name: str
    kind: str
    path: str = ""
    needed: bool = True
    model: str = ""
    facts: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def what(self) -> str:
        """In words."""
        return say(f"damage_{self.kind}", **self.facts)

    @property
    def fix(self) -> str:
        """What to do, in words."""
        return say(f"fix_{_FIXES.get(self.kind, 'repair')}", model=self.model, path=self.path)

    @property
    def line(self) -> str:
        """Path, trouble and fix in one line."""
        return say("finding", path=self.path.replace("\n", "?"), what=self.what, fix=self.fix)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        facts = {"file": self.name, "kind": self.kind, "path": self.path, "needed": self.needed}
        return {**facts, "what": self.what, "fix": self.fix}


def check(
    folder: Path, item: Catalogue, deep: bool = False, progress: Progress = lambda done, what: None
) -> list[Finding]:
    """Everything that is wrong with the model in ``folder``, in the catalogue's order; leftovers last."""
    known = record.read(folder)
    found: list[Finding] = []
    done = 0
    for number, file in enumerate(item.files, 1):
        file = known.complete(file)
        hashing = counted(progress, done, file.name)
        found += judge(folder, item.model, file, deep, hashing if deep else None)
        done += file.size or _size(places.place(folder, file.name))
        progress(done if deep else number, file.name)
    return found + list(_leftovers(folder, item.model))


def judge(
    folder: Path, model: str, file: File, deep: bool = False, on_bytes: Callable[[int], None] | None = None
) -> list[Finding]:
    """The findings of one file; a sharded one may have several. An optional file may be absent."""
    path = places.place(folder, file.name)
    kind, facts = look(path, file, deep, on_bytes)
    if kind == "missing" and os.path.lexists(index := path.with_name(path.name + _INDEX)):
        return list(_shards(index, model, file, deep))
    if not kind or (kind == "missing" and not file.required):
        return []
    broken = places.broken_link(path) if kind in ("link", "missing") else None
    if broken and broken != path:
        kind, path, facts = "link_folder", broken, {"target": os.readlink(broken)}
    return [Finding(file.name, kind, str(path), file.required, model, facts)]


def look(
    path: Path, file: File, deep: bool = False, on_bytes: Callable[[int], None] | None = None
) -> tuple[str, dict[str, Any]]:
    """The kind of trouble with one path and its facts; ("", {}) where it is whole."""
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):
            return "not_a_file", {}
        kind = file.kind or formats.kind_of(file.name)
        if file.size is not None and info.st_size != file.size:
            formats.judge(path, "raw")  # a pointer, a web page or nothing at all says more than a size
            return "size", {"have": info.st_size, "want": file.size}
        formats.judge(path, kind)
        if file.keys and (lacking := formats.lacking_keys(path, file.keys)):
            return "keys", {"names": ", ".join(lacking)}
        wanted = file.sha256 or places.blob_sha256(path)
        if deep and sha256(path, on_bytes or (lambda have: None)) != (wanted or None) and wanted:
            return "hash", {}
        return "", {}
    except formats.Damaged as damage:
        return damage.key, damage.facts
    except OSError as error:
        return _refused(path, error)


def _refused(path: Path, error: OSError) -> tuple[str, dict[str, Any]]:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ("link", {"target": os.readlink(path)}) if path.is_symlink() else ("missing", {})
    if error.errno in (errno.EACCES, errno.EPERM):
        return "denied", {}
    return ("loop", {}) if error.errno == errno.ELOOP else ("unreadable", {"reason": error.strerror})


def _shards(index: Path, model: str, file: File, deep: bool) -> Iterator[Finding]:
    """A file that came in parts: its index must be whole and every part that it names must be there."""
    kind, facts = look(index, File(index.name, None, "", (), "json"))
    parts: set[str] = set()
    if not kind:
        try:
            parts = {str(part) for part in json.loads(index.read_bytes())["weight_map"].values()}
        except (ValueError, TypeError, KeyError, AttributeError):
            kind, facts = "not_a", {"format": "index"}
    if kind or not parts:
        yield Finding(
            file.name, kind or "not_a", str(index), file.required, model, facts or {"format": "index"}
        )
    for part in sorted(parts):
        path = index.with_name(os.path.basename(part))
        kind, facts = look(path, File(path.name, None, "", (), file.kind), deep)
        if kind:
            named = {"shard": path.name, "index": index.name} if kind == "missing" else facts
            kind = "shard" if kind == "missing" else kind
            yield Finding(file.name, kind, str(path), file.required, model, named)


def _leftovers(folder: Path, model: str) -> Iterator[Finding]:
    """What interrupted downloads left: listed, never counted as present."""
    for path in walk(folder):
        if path.name.endswith(LEFTOVERS):
            yield Finding(str(path.relative_to(folder)), "leftover", str(path), False, model)
    partial = folder.parent / ".partial" / model
    if partial.is_dir():
        yield Finding(partial.name, "partial", str(partial), False, model)


def walk(folder: Path) -> Iterator[Path]:
    """Files below ``folder``, links to folders not followed, at most _MOST_ENTRIES."""
    seen = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(parent, name)
        seen += len(names) + len(folders)
        if seen > _MOST_ENTRIES:
            return


def sha256(path: Path, on_bytes: Callable[[int], None] = lambda have: None) -> str:
    """Hex digest of a file; ``on_bytes`` hears how much has been read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            on_bytes(file.tell())
    return digest.hexdigest()


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def counted(progress: Progress, done: int, name: str) -> Callable[[int], None]:
    """Tells ``progress`` of bytes beyond those that were done before."""
    return lambda have: progress(done + have, name)
