"""Voice archive: voices as a zip file, to be taken to another library, and back.

``voices.json`` says of each voice all that is said when one is added, its rights included, and names its clip in
the archive, or its blend. Nothing in an archive is trusted: no name in it becomes a path, no more of it is read
than an upload may have, and what a voice says is checked as if it were uploaded.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from .errors import Conflict, Invalid, NotFound, TooLarge, TTSError
from .librarian import Librarian
from .library import VoiceLibrary
from .speech import Owner, VoiceInfo

LIST, VERSION = "voices.json", 1
MOST = 100  # voices of an archive
FILES = 10 * MOST  # in it; what we make has one for each voice, and the list
LIST_BYTES = 1 << 20
CLIP_BYTES = 4 << 20  # our own clips have 1.4 MB at most
TOTAL_BYTES = 96 << 20
WORDS = ("name", "name_zh", "language", "gender", "statement", "blend", "clip", "transcript")
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError)  # says ``zipfile``
REFUSALS = (Invalid, NotFound, Conflict, TooLarge)


@dataclass(frozen=True)
class Imported:
    """What became of an archive: the voices that were added; of the others name and reason."""

    added: tuple[VoiceInfo, ...]
    left_out: tuple[tuple[str, TTSError], ...]


def pack(library: VoiceLibrary, ids: Sequence[str]) -> IO[bytes]:
    """The voices as a zip, to be read from its beginning; those whose clip is gone are left out.

    Raises NotFound where none is left.
    """
    there = [item for item in library.shelf.voices if item.id in ids]
    there = [item for item in there if not item.clip or library.touch(item.clip)][:MOST]
    if not there:
        raise NotFound("nothing_to_export")
    file = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 - whoever reads it closes it
    listed: list[dict[str, Any]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for voice in there:
            entry: dict[str, Any] = {name: getattr(voice, name) for name in WORDS if getattr(voice, name)}
            if voice.clip:
                entry["clip"] = f"clips/{voice.clip}.wav"
                if entry["clip"] not in archive.namelist():
                    archive.write(library.clip_path(voice.clip), entry["clip"])
            listed.append({**entry, "tags": list(voice.tags), "created": round(voice.created)})
        text = json.dumps({"version": VERSION, "voices": listed}, ensure_ascii=False, indent=1)
        archive.writestr(LIST, text.encode("utf-8", "replace"))
    file.seek(0)
    return file


def unpack(librarian: Librarian, data: bytes, owner: Owner, shared: bool = False) -> Imported:
    """Add each voice that is good, new and possible here, under a free name; nothing else of the archive is used.

    Raises Invalid for what is no such archive.
    """
    added: list[VoiceInfo] = []
    left_out: list[tuple[str, TTSError]] = []
    with _opened(data) as archive:
        budget = _Budget(archive)
        for entry in _listed(budget.read(LIST, LIST_BYTES)):
            try:
                clip = budget.read(entry.pop("clip"), CLIP_BYTES) if "clip" in entry else None
                added.append(librarian.take_in(clip, owner=owner, shared=shared, **entry))
            except REFUSALS as error:
                left_out.append((entry["name"][:64], error))
    return Imported(tuple(added), tuple(left_out))


def _opened(data: bytes) -> zipfile.ZipFile:
    if data.count(b"PK\x01\x02") > FILES:  # an entry of its table of contents, which would be read whole
        raise Invalid("bad_file", param="file", reason=f"it has more than {FILES} files")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except BROKEN as error:
        raise Invalid("bad_file", param="file", reason=_said(error)) from error


class _Budget:
    """Reads an archive's files by name, each and all of them within bounds, whatever their headers say."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = TOTAL_BYTES

    def read(self, name: str, limit: int) -> bytes:
        """Raises Invalid where it is not there, too large or damaged."""
        limit = min(limit, self._left)
        try:
            info = self._archive.getinfo(name)
            if info.compress_type not in PACKED:
                raise Invalid("bad_file", param="file", reason=f"{name[:64]} is packed in an unusual way")
            with self._archive.open(info) as file:
                data = file.read(limit + 1)
        except KeyError as error:
            raise Invalid("bad_file", param="file", reason=f"it has no {name[:64]}") from error
        except BROKEN as error:
            raise Invalid("bad_file", param="file", reason=_said(error)) from error
        if len(data) > limit:
            raise Invalid("bad_file", param="file", reason=f"{name[:64]} is too large")
        self._left -= len(data)
        return data


def _listed(text: bytes) -> Iterator[dict[str, Any]]:
    """What is said of each voice: strings and a list of tags, nothing else. Raises Invalid."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("bad_file", param="file", reason=f"{LIST} is no JSON") from error
    voices = data.get("voices") if isinstance(data, dict) and data.get("version") == VERSION else None
    if not isinstance(voices, list) or not all(isinstance(item, dict) for item in voices):
        raise Invalid("bad_file", param="file", reason=f"{LIST} is no list of voices that this server knows")
    if len(voices) > MOST:
        raise Invalid("bad_file", param="file", reason=f"it has more than {MOST} voices")
    for item in voices:
        words = {name: item[name] for name in WORDS if isinstance(item.get(name), str) and item[name]}
        tags = item.get("tags")
        tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
        yield {"name": "", "statement": "", **words, "tags": tags}


def _said(error: Exception) -> str:
    return str(error).lower().partition("\n")[0][:100] or "it is damaged"
