"""VoiceLibrary: the uploaded voices and their clips on disk; several servers may share one folder.

``clips/<sha256>.wav`` are canonical clips, also those that belong to no voice and are deleted after a while;
``library.json`` lists the voices. It is written whole, under a lock, and read again when it has changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .audio.reference import read_clip
from .errors import EngineFailed, NotFound
from .speech import VoiceInfo

log = logging.getLogger("tts.library")
VERSION = 1
KEEP_CLIP = 86_400.0  # seconds since its last use that a clip of no voice stays
KEEP_DELETED = (
    3600.0  # the same for the clip of a voice that was deleted: requests in the queue still need it
)
DAMAGED = "library.damaged-*.json"
Stamp = tuple[int, int, int]  # of a file: inode, time of its last change in ns, size
IDENTITIES = ("key:", "jwt:")  # owners who are somebody; an address is not
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip that was checked and stored. ``notices``: keys of ``audio.reference.NOTICES``."""

    key: str  # sha256 of its file
    seconds: float
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredVoice:
    """One voice of the library. ``created`` is in seconds since 1970; ``statement`` is the uploader's, of rights."""

    id: str
    name: str
    clip: str
    seconds: float
    statement: str
    owner: str
    created: float
    name_zh: str = ""
    language: str = ""
    gender: str = ""
    tags: tuple[str, ...] = ()
    shared: bool = False  # what somebody without a key uploaded is everybody's in any case

    def info(self) -> VoiceInfo:
        """What people see of it."""
        gender = self.gender if self.gender in ("female", "male") else ""
        return VoiceInfo(
            self.id,
            self.name,
            self.name_zh or self.name,
            self.language,
            gender,  # type: ignore[arg-type]
            "clip",
            self.tags,
            self.seconds,
            self.owner if self.owner.startswith(IDENTITIES) else "",
            self.shared or not self.owner.startswith(IDENTITIES),
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """What ``library.json`` says. ``sampled``: whether the sample voices were made once."""

    voices: tuple[StoredVoice, ...] = ()
    default: str = ""
    sampled: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Shelf:
        """Raises KeyError, TypeError or ValueError where it is none."""
        if data["version"] != VERSION:
            raise ValueError(f"its version is {data['version']}, this server knows {VERSION}")
        voices = tuple(StoredVoice(**{**item, "tags": tuple(item["tags"])}) for item in data["voices"])
        return cls(voices, str(data["default"]), bool(data["sampled"]))

    def to_json(self) -> dict[str, Any]:
        """The inverse of :meth:`from_json`."""
        return {"version": VERSION, **asdict(self)}

    def find(self, voice: str) -> StoredVoice | None:
        """By id, else by exact name."""
        named = [item for item in self.voices if voice in (item.id, item.name)]
        return next((item for item in named if item.id == voice), named[0] if named else None)


class VoiceLibrary:
    """The folder as an object; any thread may call it. What fails to be written raises ``EngineFailed("disk_full")``."""

    def __init__(self, folder: Path) -> None:
        self.clips = folder / "clips"
        self._path = folder / "library.json"
        self._lock = threading.RLock()
        self._draft: Shelf | None = None  # inside a change: what will be written
        self._read: tuple[Stamp | None, Shelf] = None, Shelf()  # replaced whole: readers take no lock

    @property
    def shelf(self) -> Shelf:
        """What there is now, also if another process wrote it. Costs one stat(2) where nothing changed."""
        stamp, shelf = self._stamp(), self._read[1]
        if stamp != self._read[0]:
            shelf = self._reread(shelf) if stamp is not None else Shelf()
            self._read = stamp, shelf
        return shelf

    # ---- clips

    def add_clip(self, data: bytes) -> StoredClip:
        """Check and keep a recording. Raises Invalid or TooLarge (see ``audio.reference``)."""
        clip = read_clip(data)
        wav, key = clip.wav(), clip.key
        path = self._clip(key)
        with _writing():
            if not self.touch(key):
                _write(path, wav)
        return StoredClip(key, clip.seconds, clip.notices)

    def touch(self, key: str) -> bool:
        """Whether the clip is there; if so it counts as used now."""
        try:
            os.utime(self._clip(key))
        except PermissionError:  # another user's file
            return self._clip(key).is_file()
        except OSError:
            return False
        return True

    def clip_path(self, key: str) -> Path:
        """The clip's file. Raises NotFound."""
        path = self._clip(key)
        if not SHA256.fullmatch(key) or not path.is_file():
            raise NotFound("clip_not_found", clip=key[:64])
        return path

    def clip_seconds(self, key: str) -> float:
        """Its length: 44 bytes of header, then 16-bit mono samples at the rate in bytes 24 to 28."""
        path = self.clip_path(key)
        with path.open("rb") as file:
            rate = int.from_bytes(file.read(44)[24:28], "little")
        return (path.stat().st_size - 44) / 2 / max(1, rate)

    def _clip(self, key: str) -> Path:
        return self.clips / f"{key if SHA256.fullmatch(key) else 'none'}.wav"

    # ---- voices: each returns what it wrote

    @contextlib.contextmanager
    def change(self) -> Iterator[Shelf]:
        """The shelf, which nobody else changes inside the block; what was :meth:`put` is written at its end.

        Blocks may be nested: all is written at the end of the outermost, or nothing, where that raises.
        """
        with self._lock, _writing():
            if self._draft is not None:
                yield self._draft
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with (self._path.parent / "library.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._draft = before = self.shelf
                try:
                    yield before
                    if self._draft is not before:
                        self._save(self._draft)
                finally:
                    self._draft = None

    def put(self, shelf: Shelf) -> None:
        """Let ``shelf`` be what there is; only inside :meth:`change`."""
        self._draft = shelf

    def _save(self, shelf: Shelf) -> None:
        text = json.dumps(shelf.to_json(), ensure_ascii=False, indent=1)
        _write(self._path, text.encode("utf-8", "replace"))
        self._read = self._stamp(), shelf

    def delete(self, voice: StoredVoice) -> None:
        """Take a voice out. Its clip follows in an hour, unless another voice has the same one."""
        with self.change() as shelf:
            left = tuple(item for item in shelf.voices if item.id != voice.id)
            default = "" if shelf.default == voice.id else shelf.default
            self.put(replace(shelf, voices=left, default=default))
            if all(item.clip != voice.clip for item in left):
                then = time.time() - KEEP_CLIP + KEEP_DELETED
                with contextlib.suppress(OSError):
                    os.utime(self._clip(voice.clip), (then, then))

    def clean(self) -> int:
        """Delete clips that no voice has and nobody used for a day; returns how many went."""
        if not self.clips.is_dir() or any(self._path.parent.glob(DAMAGED)):
            return 0  # the voices of a damaged list may yet be wanted
        gone = 0
        with self.change() as shelf:
            used = {item.clip for item in shelf.voices}
            for path in self.clips.iterdir():
                with contextlib.suppress(OSError):  # it may be a folder, or gone
                    if path.stem not in used and time.time() - path.stat().st_mtime > KEEP_CLIP:
                        path.unlink()
                        gone += 1
        return gone

    # ---- the file

    def _stamp(self) -> Stamp | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _reread(self, before: Shelf) -> Shelf:
        """The file; ``before`` where it is damaged, after a copy was put aside."""
        try:
            return Shelf.from_json(json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            aside = self._path.with_name(DAMAGED.replace("*", str(int(time.time()))))
            with contextlib.suppress(OSError):
                aside.write_bytes(self._path.read_bytes())
            log.error("%s is damaged (%s); a copy is %s; voices stay as they were", self._path, error, aside)
            return before


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineFailed("disk_full", reason=error.strerror or "write failed") from error


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, also when the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o640)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
