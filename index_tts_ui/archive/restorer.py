"""Put an archive back into a home folder in which nothing runs (the launcher holds its locks)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from . import swap, verdict
from .opened import Opened
from .refused import Refused

SPARE = 64 << 20  # bytes that stay free


def look(path: Path) -> dict[str, object]:
    """Check every byte of an archive and say what it holds; writes nothing. Raises Refused."""
    with Opened(path) as archive:
        archive.unpack(None)
        return archive.manifest.facts()


def restore(home: Path, path: Path, replace: bool) -> dict[str, object]:
    """Unpack beside, look at all of it, then swap.

    Raises:
        Refused: with the home as it was.
    """
    with Opened(path) as archive:
        _prepare(home, archive)
        try:
            staging = Path(tempfile.mkdtemp(dir=home, prefix=swap.STAGING))
        except OSError as error:
            raise Refused("backup_disk", path=home, reason=error.strerror or error) from error
        try:
            archive.unpack(staging)
            notices = verdict.check(staging, archive.manifest)
            if not replace and (there := swap.conflicts(home, staging)):
                raise Refused("backup_in_the_way", path=home, names=", ".join(there))
            try:
                aside, kept = swap.put(home, staging)
            except OSError as error:
                raise Refused(
                    "backup_disk", path=error.filename or home, reason=error.strerror or error
                ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        notices += [("backup_kept", {"name": name}) for name in kept]
        return {
            **archive.manifest.facts(),
            "aside": str(aside) if aside else None,
            "notices": [{"key": key, "facts": facts} for key, facts in notices],
        }


def _prepare(home: Path, archive: Opened) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob(f"{swap.STAGING}*"):  # of a restore that was killed
            shutil.rmtree(left, ignore_errors=True)
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise Refused("backup_disk", path=error.filename or home, reason=error.strerror or error) from error
    needed = archive.manifest.size + SPARE
    if free < needed:
        raise Refused("backup_no_room", path=home, megabytes=round((needed - free) / 1e6) or 1)
