"""Opened: an archive that is read. Nothing of it is believed before it was checked against its manifest."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from pathlib import Path
from types import TracebackType

from . import manifest
from .manifest import Entry, Manifest
from .refused import Refused

BLOCK = 1 << 20
SECRET = "keys.json"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
    NotImplementedError,
)


class Opened:
    """A context manager. ``manifest`` is checked: each of its names is one that a backup may have."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise Refused("backup_unreadable", path=path, reason=error.strerror or error) from error
        except _BROKEN as error:
            raise Refused("backup_no_archive", path=path) from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Opened:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._zip.close()

    def unpack(self, folder: Path | None) -> None:
        """Write every file below ``folder``, or only check them. Raises Refused where one is not as it was."""
        for entry in self.manifest.entries:
            try:
                self._one(entry, folder)
            except OSError as error:
                raise Refused(
                    "backup_disk", path=error.filename or folder, reason=error.strerror or error
                ) from error
            except _BROKEN as error:
                raise self._damaged(entry.name) from error

    def _manifest(self) -> Manifest:
        try:
            with self._zip.open(manifest.NAME) as file:
                data = file.read(manifest.LIMIT + 1)
        except (*_BROKEN, OSError) as error:
            raise Refused("backup_no_archive", path=self.path) from error
        found = manifest.parse(data[: manifest.LIMIT], self.path)
        there = sorted(self._zip.namelist())
        if there != sorted([manifest.NAME, *(entry.name for entry in found.entries)]):
            raise self._damaged(manifest.NAME)
        return found

    def _one(self, entry: Entry, folder: Path | None) -> None:
        """Reads no more than was promised: a small archive cannot fill a disk."""
        digest, left = hashlib.sha256(), entry.size
        with self._zip.open(entry.name) as file, _place(folder, entry.name).open("wb") as into:
            while block := file.read(min(BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    break
                digest.update(block)
                into.write(block)
        if left or digest.hexdigest() != entry.sha256:
            raise self._damaged(entry.name)

    def _damaged(self, name: str) -> Refused:
        return Refused("backup_damaged", path=self.path, name=name)


def _place(folder: Path | None, name: str) -> Path:
    if folder is None:
        return Path("/dev/null")
    place = folder / name
    place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    if name == SECRET:
        place.touch(0o600)
    return place
