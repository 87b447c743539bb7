"""Librarian: adds, changes, deletes and restores the voices of the library; every value is checked here."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from .errors import Conflict, Invalid
from .library import Shelf, StoredClip, StoredVoice, VoiceLibrary
from .speech import Owner, VoiceInfo
from .voices import CLIP, VoiceStore, missing, sees

NAME, STATEMENT, TAG, TAGS = 64, 1000, 32, 16  # the most characters, and the most tags
TRANSCRIPT = 1000  # characters
GENDERS = ("female", "male", "")
RESERVED = ("bin", "export", "import")  # addresses below /v1/audio/voices: no voice has such an id
BLENDED = "A blend of built-in voices."  # what a statement of rights says of it
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # BCP 47, the usual part of it


class Details(TypedDict, total=False):
    """What people say of a voice."""

    name_zh: str
    language: str
    gender: str
    tags: Sequence[str]
    shared: bool
    transcript: str


class Changes(TypedDict, total=False):
    """What can be changed of a voice; None changes nothing. ``start`` and ``end``: seconds of its clip to keep."""

    name: str | None
    language: str | None
    gender: str | None
    tags: Sequence[str] | None
    shared: bool | None
    blend: str | None
    transcript: str | None
    start: float | None
    end: float | None


class Librarian:
    """Any thread may call it. Voices are named by id or exact name."""

    def __init__(self, library: VoiceLibrary, store: VoiceStore) -> None:
        self._library = library
        self._store = store

    def add(
        self, clip: str, name: str, *, statement: str, owner: str = "", **details: Unpack[Details]
    ) -> VoiceInfo:
        """A voice of a stored clip. ``statement``: in the uploader's words, why they may use this voice.

        Raises:
            Invalid: a value that cannot be.
            NotFound: no such clip.
            Conflict: another voice that ``owner`` sees has that name.
        """
        name, said = _name(name), _line(statement, "statement", STATEMENT)
        checked = _checked(**details)
        key = self._store.clip_key(clip)
        seconds = round(self._library.clip_seconds(key), 3)
        return self._put(StoredVoice("", name, key, seconds, said, owner, 0.0, **checked))

    def add_blend(self, blend: str, name: str, *, owner: str = "", **details: Unpack[Details]) -> VoiceInfo:
        """A blend of built-in voices as a voice. Language and gender are theirs, unless said. Raises as :meth:`add`."""
        name, mixed = _name(name), self._store.mix(blend)
        parts = [self._store.info(ref.key) for ref in self._store.resolve(mixed)]
        like = {"language": self._store.info(mixed).language}
        like |= {"gender": parts[0].gender} if len({info.gender for info in parts}) == 1 else {}
        checked = {**like, **{key: value for key, value in _checked(**details).items() if value}}
        return self._put(StoredVoice("", name, "", 0.0, BLENDED, owner, 0.0, blend=mixed, **checked))

    def take_in(
        self,
        clip: bytes | None,
        *,
        name: str,
        statement: str = "",
        blend: str = "",
        owner: Owner,
        **details: Unpack[Details],
    ) -> VoiceInfo:
        """A voice that was exported: of the bytes of its clip, or its blend; under a free name. Raises as
        :meth:`add`, and Conflict where a voice that ``owner`` sees is the same."""
        if clip is not None:
            self._store.check_clones()
        key = "" if clip is None else self._library.add_clip(clip).key
        mixed = self._store.mix(blend) if blend and clip is None else ""
        with self._library.change() as shelf:
            for item in shelf.voices:
                same = item.clip == key if key else bool(mixed) and item.blend == mixed
                if same and sees(owner, item.info()):
                    raise Conflict("voice_already_there", param="file", name=item.name)
            wanted = StoredVoice("", _name(name), key, 0.0, "", owner.key, 0.0)
            free = self._named(wanted, shelf)
            if free.name != wanted.name:
                details["name_zh"] = ""
            if mixed:
                return self.add_blend(mixed, free.name, owner=owner.key, **details)
            return self.add(key, free.name, statement=statement, owner=owner.key, **details)

    def _put(self, new: StoredVoice) -> VoiceInfo:
        with self._library.change() as shelf:
            self._check_free(new, shelf)
            voice = replace(new, id=self._new_id(new, shelf), created=time.time())
            self._library.put(replace(shelf, voices=(*shelf.voices, voice)))
        return voice.info()

    def update(self, voice: str, **given: Unpack[Changes]) -> VoiceInfo:
        """Change what is given; the id stays. Raises as :meth:`add`."""
        changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        start, end = changes.pop("start", None), changes.pop("end", None)
        changes = _checked(**changes)
        old = self._stored(voice, self._library.shelf)  # nothing is written for a voice that is not there
        if "blend" in changes:
            if not old.blend:
                raise Invalid("bad_value", param="blend", reason="goes with a saved blend only")
            changes["blend"] = self._store.mix(changes["blend"])
        if start is not None or end is not None:
            changes = {"transcript": ""} | changes | self._cut(old, start, end)  # less is said in it now
        if "name" in changes and (changes["name"].strip() == old.name):
            del changes["name"]
        elif "name" in changes:
            changes |= {"name": _name(changes["name"]), "name_zh": ""}
        with self._library.change() as shelf:
            old = self._stored(old.id, shelf)
            new = replace(old, **changes)
            if new.name != old.name or new.info().shared != old.info().shared:
                self._check_free(new, shelf)
            voices = tuple(new if item.id == old.id else item for item in shelf.voices)
            self._library.put(replace(shelf, voices=voices))
        return new.info()

    def cut(self, voice: str, start: float | None, end: float | None) -> StoredClip:
        """A part of a voice's or clip's recording as a clip of its own. Raises NotFound or Invalid."""
        data = self._library.clip_path(self._store.clip_key(voice)).read_bytes()
        return self._library.add_clip(data, start, end)

    def _cut(self, voice: StoredVoice, start: float | None, end: float | None) -> dict[str, Any]:
        if voice.blend:
            raise Invalid("bad_value", param="start", reason="goes with an uploaded voice only")
        clip = self.cut(voice.id, start, end)
        return {"clip": clip.key, "seconds": round(clip.seconds, 3)}

    def delete(self, voice: str) -> None:
        """Put it into the bin; requests under way still speak with it. Raises NotFound or Invalid."""
        self._library.delete(self._stored(voice, self._library.shelf))

    def restore(self, binned: StoredVoice) -> VoiceInfo:
        """Take a voice out of the bin, under another id and name where its own are in use.

        Raises NotFound where it is not there any more.
        """
        with self._library.change() as shelf:
            if binned not in shelf.bin or (binned.clip and not self._library.touch(binned.clip)):
                raise missing(binned.id)
            voice = replace(self._named(binned, shelf), deleted=0.0)
            if voice.id in self._ids(shelf):
                voice = replace(voice, id=self._new_id(voice, shelf))
            left = tuple(item for item in shelf.bin if item != binned)
            self._library.put(replace(shelf, voices=(*shelf.voices, voice), bin=left))
        return voice.info()

    def set_default(self, voice: str) -> VoiceInfo:
        """The voice where a request names none, from now on. Raises NotFound."""
        found = self._store.find(voice)
        if found is None:
            raise missing(voice)
        if not found.shared:
            raise Invalid("shared_only", param="default")
        with self._library.change() as shelf:
            self._library.put(replace(shelf, default=found.id))
        return found

    def clip(self, voice: str) -> Path:
        """The clip's file, by the voice or the clip's own key. Raises NotFound or Invalid."""
        found = self._store.find(voice)
        if found is not None and found.kind == "builtin":
            raise Invalid("builtin_voice", param="voice", voice=found.id)
        if found is None and not voice.startswith(CLIP) and len(voice) != 64:
            raise missing(voice)
        return self._library.clip_path(self._store.clip_key(voice))

    def _stored(self, voice: str, shelf: Shelf) -> StoredVoice:
        stored = shelf.find(voice)
        if stored is not None:
            return stored
        if self._store.find(voice) is not None:
            raise Invalid("builtin_voice", param="voice", voice=voice[:64])
        raise missing(voice)

    # ---- names and ids

    def _builtin(self) -> set[str]:
        return {info.id for info in self._store.all() if info.kind == "builtin"}

    def _ids(self, shelf: Shelf) -> set[str]:
        return self._builtin() | {voice.id for voice in shelf.voices}

    def _is_free(self, new: StoredVoice, shelf: Shelf) -> bool:
        """Whether none that its owner sees has its name; of others' private voices nobody is told."""
        seen = [item for item in shelf.voices if item.owner == new.owner or item.info().shared]
        others = [item for item in seen if item.id != new.id]
        taken = self._builtin().union(*({item.id, item.name} for item in others))
        return new.name.casefold() not in {name.casefold() for name in taken}

    def _check_free(self, new: StoredVoice, shelf: Shelf) -> None:
        if not self._is_free(new, shelf):
            raise Conflict("voice_name_in_use", param="name", name=new.name)

    def _named(self, new: StoredVoice, shelf: Shelf) -> StoredVoice:
        """The voice, with a number behind its name where that is in use."""
        number, found = 1, new
        while not self._is_free(replace(found, id=""), shelf):
            number += 1
            end = f" {number}"
            found = replace(found, name=new.name[: NAME - len(end)] + end, name_zh="")
        return found

    def _new_id(self, new: StoredVoice, shelf: Shelf) -> str:
        """The name in ASCII where it has enough of it, made unique."""
        key = new.clip or hashlib.sha256(new.blend.encode()).hexdigest()
        plain = unicodedata.normalize("NFKD", new.name).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")
        slug = slug if len(slug) > 1 else f"v-{key[:8]}"
        taken = self._ids(shelf) | {voice.name for voice in shelf.voices} | {*RESERVED}
        number, found = 1, slug
        while found in taken:
            number += 1
            found = f"{slug}-{number}"
        return found


def _line(value: str, param: str, limit: int) -> str:
    """``value`` on one line, without what cannot be seen."""
    text = " ".join("".join(char for char in value if char.isprintable() or char.isspace()).split())
    if not text:
        raise Invalid("missing_value", param=param)
    if len(text) > limit:
        raise Invalid("value_too_long", param=param, limit=limit)
    return text


def _name(value: str) -> str:
    name = _line(value, "name", NAME)
    if name.lower().startswith(CLIP):
        raise Invalid("bad_value", param="name", reason=f"must not begin with '{CLIP}'")
    return name


def _checked(**given: Any) -> dict[str, Any]:
    """The values as they are stored. Raises Invalid."""
    found = dict(given)
    if (language := given.get("language")) and not _LANGUAGE.fullmatch(language):
        raise Invalid("bad_value", param="language", reason="must be like 'zh-CN' or 'en', or empty")
    if given.get("gender", "") not in GENDERS:
        raise Invalid("not_one_of", param="gender", allowed="female, male, or nothing")
    if name_zh := given.get("name_zh"):
        found["name_zh"] = _line(name_zh, "name_zh", NAME)
    if transcript := given.get("transcript"):
        found["transcript"] = _line(transcript, "transcript", TRANSCRIPT)
    if "tags" in given:
        named = dict.fromkeys(_line(tag, "tags", TAG) for tag in given["tags"] if tag.strip())
        if len(named) > TAGS:
            raise Invalid("bad_value", param="tags", reason=f"are at most {TAGS}")
        found["tags"] = tuple(named)
    return found
