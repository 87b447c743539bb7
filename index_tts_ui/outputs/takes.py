"""Takes: other sounds of an output's segments, and which of each segment's sounds counts.

A folder beside the output. A take is ``<segment>-<take>.pcm`` (s16le mono, levelled, its pause at the end) and,
once that is whole, the same in ``.json``; ``<segment>.choice`` holds a take's number. Each file comes into
place whole, by one system call: several writers, also of two servers, and the death of any of them leave
nothing half done.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..speech import Emotion, SpeechRequest

log = logging.getLogger("tts.outputs")
TAKES = ".takes"  # behind the output's id: the folder
WIDTH = 2  # bytes of a sample
_TAKE = re.compile(r"(\d+)-(\d+)\.json")
# of a SpeechRequest: what tells how it sounds
_KEPT = ("voice", "model", "language", "speed", "emotion", "seed", "params", "fallback", "stand_in")


@dataclass(frozen=True, slots=True)
class Take:
    """One sound of a segment. ``samples`` counts its ``pause`` (seconds of silence at the end), too.

    ``request`` is what it was made of, see ``to_json``; ``created`` is in seconds since 1970.
    """

    number: int
    text: str
    samples: int
    pause: float
    request: Mapping[str, Any]
    created: float
    engine: str = ""


def to_json(request: SpeechRequest) -> dict[str, Any]:
    """What a take is made of, but for its text."""
    return {name: value for name, value in asdict(request).items() if name in _KEPT}


def from_json(data: Mapping[str, Any], text: str) -> SpeechRequest:
    """The inverse of :func:`to_json`."""
    emotion = data.get("emotion")
    if emotion is not None:
        vector = emotion.get("vector")
        emotion = Emotion(**{**emotion, "vector": tuple(vector) if vector else None})
    return SpeechRequest(text=text, **{**data, "emotion": emotion})


class Takes:
    """Of one output; there need not be a folder yet. All methods read or write the disk, and raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def made(self) -> dict[int, list[Take]]:
        """The takes of each segment that has some, by number."""
        found: dict[int, list[Take]] = {}
        for name in self._names():
            match = _TAKE.fullmatch(name)
            take = self._load(name) if match else None
            if match and take is not None:
                found.setdefault(int(match[1]), []).append(take)
        return {index: sorted(takes, key=lambda take: take.number) for index, takes in found.items()}

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []

    def _load(self, name: str) -> Take | None:
        path = self._folder / name
        try:
            take = Take(**json.loads(path.read_text("utf-8")))
            if path.with_suffix(".pcm").stat().st_size == take.samples * WIDTH:
                return take
        except FileNotFoundError:  # taken away this very moment
            return None
        except (ValueError, TypeError):
            pass
        log.warning("%s is damaged and is put aside", path)
        path.replace(path.with_suffix(".damaged"))
        return None

    def choices(self) -> dict[int, int]:
        """Segment -> the number of its take that counts, where somebody chose."""
        found: dict[int, int] = {}
        for name in self._names():
            if name.endswith(".choice"):
                with contextlib.suppress(ValueError, FileNotFoundError):
                    found[int(name[:-7])] = int((self._folder / name).read_text("ascii"))
        return found

    def path(self, index: int, number: int) -> Path:
        """Where its samples are."""
        return self._folder / f"{index}-{number}.pcm"

    @property
    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        for name in self._names():
            with contextlib.suppress(FileNotFoundError):
                total += (self._folder / name).stat().st_size
        return total

    def add(self, index: int, lowest: int, pcm: bytes, take: Mapping[str, Any]) -> int:
        """Keep one more sound of segment ``index``; ``take``: the other fields of a ``Take``. Returns its
        number, ``lowest`` or more."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._part()
        try:
            _write(part, pcm)
            number = self._place(part, index, lowest)
        finally:
            part.unlink(missing_ok=True)
        whole = Take(number=number, samples=len(pcm) // WIDTH, **take)
        self._put(f"{index}-{number}.json", json.dumps(asdict(whole), ensure_ascii=False))
        return number

    def _place(self, part: Path, index: int, number: int) -> int:
        while True:
            path = self.path(index, number)
            try:
                path.touch(exist_ok=False)  # the number is ours, whoever else adds one
            except FileExistsError:
                number += 1
            else:
                part.replace(path)
                return number

    def choose(self, index: int, number: int) -> None:
        """This one counts from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._put(f"{index}.choice", str(number))

    def remove(self, index: int, number: int) -> None:
        """It is gone."""
        path = self.path(index, number)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def drop(self) -> None:
        """All are gone."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _part(self) -> Path:
        return self._folder / f"{secrets.token_hex(8)}.part"

    def _put(self, name: str, text: str) -> None:
        part = self._part()
        try:
            _write(part, text.encode())
            part.replace(self._folder / name)
        finally:
            part.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
