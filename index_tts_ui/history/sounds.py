"""Sounds: the outputs' files, as the history sees them. ``<id>.keep`` beside one exempts it from their cleaning."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from ..outputs import KEEP, OutputStore

SETTLE_SECONDS = 60.0  # an exemption younger than this may be of a favourite that is being written


class Sounds:
    """Its methods touch the disk."""

    def __init__(self, outputs: OutputStore) -> None:
        self._outputs = outputs
        self._folder = outputs.folder

    def there(self, output: str) -> bool:
        """Whether the finished sound is still there."""
        return (self._folder / f"{output}.json").is_file()

    def size(self, output: str) -> int:
        """Bytes of its files, with the takes of its segments."""
        files = (*self._folder.glob(f"{output}.*"), *self._folder.glob(f"{output}.*/*"))
        return sum(path.stat().st_size for path in files if path.is_file())

    def kept(self) -> int:
        """Bytes of all that is exempt."""
        return sum(self.size(path.stem) for path in self._folder.glob(f"*{KEEP}"))

    def keep(self, output: str) -> None:
        """Exempt it, where it is there. Raises OSError."""
        if self.there(output):
            self._mark(output).touch()

    def release(self, output: str) -> None:
        """Let it go when its time comes."""
        self._mark(output).unlink(missing_ok=True)

    def release_others(self, favourites: Collection[str]) -> None:
        """Let go what is no favourite's: a crash may leave such."""
        for mark in self._folder.glob(f"*{KEEP}"):
            with contextlib.suppress(OSError):
                if mark.stem not in favourites and time.time() - mark.stat().st_mtime > SETTLE_SECONDS:
                    mark.unlink()

    def delete(self, output: str) -> None:
        """Delete all of it."""
        for path in self._folder.glob(f"{output}.*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        self._outputs.forget(output)

    def _mark(self, output: str) -> Path:
        return self._folder / f"{output}{KEEP}"
