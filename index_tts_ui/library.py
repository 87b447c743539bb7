"""VoiceLibrary: the voices that people added, and their clips, on disk; several servers may share one folder.

``clips/<sha256>.wav`` are canonical clips, also those that belong to no voice and are deleted after a while;
``library.json`` lists the voices, and the bin: voices that were deleted, for a week. It is written whole, under
a lock, and read again when it has changed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .audio.apart import decode_apart
from .audio.reference import Decoder, read_clip
from .errors import NotFound
from .shared_json import SharedJson, write_whole, writing
from .speech import VoiceInfo

log = logging.getLogger("tts.library")
VERSION = 1
KEEP_CLIP = 86_400.0  # seconds since its last use that a clip of no voice stays
KEEP_DELETED = 3600.0  # the same for a clip that leaves the bin: requests in the queue may still need it
KEEP_BINNED = 7 * 86_400.0  # seconds that a deleted voice can be restored
BIN_MOST = 100  # voices
SPACE = 1 << 30  # free bytes below which nothing is kept for people who change their minds
DAMAGED = "library.damaged-*.json"
LATER = ("blend", "deleted", "transcript")  # fields of a voice that older servers do not know
IDENTITIES = ("key:", "jwt:")  # owners who are somebody; an address is not
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip that was checked and stored. ``notices``: keys of ``audio.reference.NOTICES``.

    It is what began ``start`` seconds into the recording, which was ``total`` seconds long.
    """

    key: str  # sha256 of its file
    seconds: float
    notices: tuple[str, ...] = ()
    start: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredVoice:
    """One voice of the library: of a clip, or a ``blend`` of built-in ones ("a:0.6+b:0.4"), with no clip.

    ``created`` and ``deleted`` are in seconds since 1970; ``statement`` is the uploader's, of rights.
    """

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
    blend: str = ""
    deleted: float = 0.0  # of one in the bin
    transcript: str = ""  # what is said in the clip

    def info(self) -> VoiceInfo:
        """What people see of it."""
        gender = self.gender if self.gender in ("female", "male") else ""
        return VoiceInfo(
            self.id,
            self.name,
            self.name_zh or self.name,
            self.language,
            gender,  # type: ignore[arg-type]
            "blend" if self.blend else "clip",
            self.tags,
            self.seconds,
            self.owner if self.owner.startswith(IDENTITIES) else "",
            self.shared or not self.owner.startswith(IDENTITIES),
            self.blend,
            self.transcript,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StoredVoice:
        """Raises KeyError or TypeError where it is none."""
        return cls(**{**data, "tags": tuple(data["tags"])})

    def to_json(self) -> dict[str, Any]:
        """The inverse; without what says nothing, so that a server that knows only clips reads its voices."""
        return {key: value for key, value in asdict(self).items() if value or key not in LATER}


@dataclass(frozen=True, slots=True)
class Shelf:
    """What ``library.json`` says. ``sampled``: whether the sample voices were made once.

    ``bin``: deleted voices, the last one first.
    """

    voices: tuple[StoredVoice, ...] = ()
    default: str = ""
    sampled: bool = False
    bin: tuple[StoredVoice, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Shelf:
        """Raises KeyError, TypeError or ValueError where it is none."""
        if data["version"] != VERSION:
            raise ValueError(f"its version is {data['version']}, this server knows {VERSION}")
        voices = (*data["voices"], *data.get("blends", ()))
        return cls(
            tuple(map(StoredVoice.from_json, voices)),
            str(data["default"]),
            bool(data["sampled"]),
            tuple(map(StoredVoice.from_json, data.get("bin", ()))),
        )

    def to_json(self) -> dict[str, Any]:
        """The inverse of :meth:`from_json`, but for the order of clips and blends."""
        return {
            "version": VERSION,
            "voices": [voice.to_json() for voice in self.voices if not voice.blend],
            "default": self.default,
            "sampled": self.sampled,
            "blends": [voice.to_json() for voice in self.voices if voice.blend],
            "bin": [voice.to_json() for voice in self.bin],
        }

    @property
    def clips(self) -> set[str]:
        """The keys of all clips that a voice has, also one in the bin."""
        return {voice.clip for voice in (*self.voices, *self.bin)}

    def find(self, voice: str) -> StoredVoice | None:
        """By id, else by exact name."""
        named = [item for item in self.voices if voice in (item.id, item.name)]
        return next((item for item in named if item.id == voice), named[0] if named else None)


class VoiceLibrary:
    """The folder as an object; any thread may call it. What fails to be written raises ``EngineFailed("disk_full")``.

    ``decoder`` reads recordings, which strangers send.
    """

    def __init__(self, folder: Path, decoder: Decoder = decode_apart) -> None:
        self.clips = folder / "clips"
        self._decoder = decoder
        self._path = folder / "library.json"
        self._file = SharedJson(self._path, Shelf(), Shelf.from_json, Shelf.to_json)
        self._lock = threading.RLock()
        self._draft: Shelf | None = None  # inside a change: what will be written

    @property
    def shelf(self) -> Shelf:
        """What there is now, also if another process wrote it. Costs one stat(2) where nothing changed."""
        return self._file.value

    # ---- clips

    def add_clip(self, data: bytes, start: float | None = None, end: float | None = None) -> StoredClip:
        """Check and keep a recording, or what is from ``start`` to ``end`` seconds of it.

        Raises Invalid or TooLarge (see ``audio.reference``).
        """
        clip = read_clip(data, start, end, self._decoder)
        wav, key = clip.wav(), clip.key
        path = self._clip(key)
        with writing():
            if not self.touch(key):
                write_whole(path, wav)
        return StoredClip(key, clip.seconds, clip.notices, clip.start, clip.total)

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
        with self._lock:
            if self._draft is not None:
                yield self._draft
                return
            with self._file.change() as save:
                self._draft = before = self.shelf
                try:
                    yield before
                    if self._draft is not before:
                        save(self._draft)
                finally:
                    self._draft = None

    def put(self, shelf: Shelf) -> None:
        """Let ``shelf`` be what there is; only inside :meth:`change`."""
        self._draft = shelf

    def delete(self, voice: StoredVoice) -> None:
        """Put a voice into the bin, where it stays for a week, or until space is short."""
        with self.change() as shelf:
            left = tuple(item for item in shelf.voices if item.id != voice.id)
            default = "" if shelf.default == voice.id else shelf.default
            binned = (replace(voice, deleted=time.time()), *shelf.bin)
            self.put(replace(shelf, voices=left, default=default, bin=binned))
            self._tidy_bin()

    def _tidy_bin(self) -> Shelf:
        """Let the bin's oldest voices go; their clips follow in an hour. Only inside :meth:`change`."""
        with self.change() as shelf:
            oldest = time.time() - KEEP_BINNED
            short = shutil.disk_usage(self._path.parent).free < SPACE
            kept = tuple(item for item in shelf.bin[:BIN_MOST] if item.deleted > oldest and not short)
            if kept == shelf.bin:
                return shelf
            left = replace(shelf, bin=kept)
            self.put(left)
            then = time.time() - KEEP_CLIP + KEEP_DELETED
            for key in {item.clip for item in shelf.bin} - left.clips:
                with contextlib.suppress(OSError):
                    os.utime(self._clip(key), (then, then))
            return left

    def clean(self) -> int:
        """Empty the bin of what is old, delete clips that no voice has and nobody used for a day.

        Returns how many clips went.
        """
        if not self._path.parent.is_dir() or any(self._path.parent.glob(DAMAGED)):
            return 0  # the voices of a damaged list may yet be wanted
        gone = 0
        with self.change():
            used = self._tidy_bin().clips
            for path in self.clips.iterdir() if self.clips.is_dir() else ():
                with contextlib.suppress(OSError):  # it may be a folder, or gone
                    if path.stem not in used and time.time() - path.stat().st_mtime > KEEP_CLIP:
                        path.unlink()
                        gone += 1
        return gone
