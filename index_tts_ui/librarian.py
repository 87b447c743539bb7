"""Librarian: adds, changes and deletes the voices of the library; every value is checked here."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .errors import Conflict, Invalid, NotFound
from .library import Shelf, StoredVoice, VoiceLibrary
from .speech import VoiceInfo
from .voices import CLIP, VoiceStore

NAME, STATEMENT, TAG, TAGS = 64, 1000, 32, 16  # the most characters, and the most tags
GENDERS = ("female", "male", "")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # BCP 47, the usual part of it


class Librarian:
    """Any thread may call it. Voices are named by id or exact name."""

    def __init__(self, library: VoiceLibrary, store: VoiceStore) -> None:
        self._library = library
        self._store = store

    def add(
        self,
        clip: str,
        name: str,
        *,
        statement: str,
        owner: str = "",
        language: str = "",
        gender: str = "",
        tags: Sequence[str] = (),
        name_zh: str = "",
        shared: bool = False,
    ) -> VoiceInfo:
        """A voice of a stored clip. ``statement``: in the uploader's words, why they may use this voice.

        Raises:
            Invalid: a value that cannot be.
            NotFound: no such clip.
            Conflict: another voice has that name.
        """
        name = _name(name)
        said = _line(statement, "statement", STATEMENT)
        details = _details(language=language, gender=gender, tags=tags)
        key = self._store.clip_key(clip)
        seconds = round(self._library.clip_seconds(key), 3)
        with self._library.change() as shelf:
            self._check_free(name, shelf)
            voice = StoredVoice(
                id=self._new_id(name, key, shelf),
                name=name,
                name_zh=name_zh,
                clip=key,
                seconds=seconds,
                statement=said,
                owner=owner,
                created=time.time(),
                shared=shared,
                **details,
            )
            self._library.put(replace(shelf, voices=(*shelf.voices, voice)))
        return voice.info()

    def update(
        self,
        voice: str,
        *,
        name: str | None = None,
        language: str | None = None,
        gender: str | None = None,
        tags: Sequence[str] | None = None,
        shared: bool | None = None,
    ) -> VoiceInfo:
        """Change what is not None; the id stays. Raises as :meth:`add`."""
        changes = _details(language=language, gender=gender, tags=tags)
        changes |= {} if shared is None else {"shared": shared}
        self._stored(voice, self._library.shelf)  # nothing is written for a voice that is not there
        with self._library.change() as shelf:
            old = self._stored(voice, shelf)
            if name is not None and name.strip() != old.name:
                changes |= {"name": _name(name), "name_zh": ""}
                self._check_free(changes["name"], shelf, old)
            new = replace(old, **changes)
            voices = tuple(new if item.id == old.id else item for item in shelf.voices)
            self._library.put(replace(shelf, voices=voices))
        return new.info()

    def delete(self, voice: str) -> None:
        """Take it out; requests under way still speak with it. Raises NotFound or Invalid."""
        self._library.delete(self._stored(voice, self._library.shelf))

    def set_default(self, voice: str) -> VoiceInfo:
        """The voice where a request names none, from now on. Raises NotFound."""
        found = self._store.find(voice)
        if found is None:
            raise _missing(voice)
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
            raise _missing(voice)
        return self._library.clip_path(self._store.clip_key(voice))

    def _stored(self, voice: str, shelf: Shelf) -> StoredVoice:
        stored = shelf.find(voice)
        if stored is not None:
            return stored
        if self._store.find(voice) is not None:
            raise Invalid("builtin_voice", param="voice", voice=voice[:64])
        raise _missing(voice)

    def _check_free(self, name: str, shelf: Shelf, but: StoredVoice | None = None) -> None:
        taken = {voice.id for voice in self._store.all()} | {voice.id for voice in shelf.voices}
        taken |= {voice.name for voice in shelf.voices}
        taken -= {but.id, but.name} if but else set()
        if name.casefold() in {other.casefold() for other in taken}:
            raise Conflict("voice_name_in_use", param="name", name=name)

    def _new_id(self, name: str, key: str, shelf: Shelf) -> str:
        """The name in ASCII where it has enough of it, made unique."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")
        slug = slug if len(slug) > 1 else f"v-{key[:8]}"
        taken = {voice.id for voice in self._store.all()} | {voice.id for voice in shelf.voices}
        taken |= {voice.name for voice in shelf.voices}
        number, found = 1, slug
        while found in taken:
            number += 1
            found = f"{slug}-{number}"
        return found


def _missing(voice: str) -> NotFound:
    return NotFound("voice_not_found", param="voice", voice=voice[:64])


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


def _details(
    language: str | None = None, gender: str | None = None, tags: Sequence[str] | None = None
) -> dict[str, Any]:
    """The values that are not None, as they are stored. Raises Invalid."""
    found: dict[str, Any] = {}
    if language is not None:
        if language and not _LANGUAGE.fullmatch(language):
            raise Invalid("bad_value", param="language", reason="must be like 'zh-CN' or 'en', or empty")
        found["language"] = language
    if gender is not None:
        if gender not in GENDERS:
            raise Invalid("not_one_of", param="gender", allowed="female, male, or nothing")
        found["gender"] = gender
    if tags is not None:
        named = dict.fromkeys(_line(tag, "tags", TAG) for tag in tags if tag.strip())
        if len(named) > TAGS:
            raise Invalid("bad_value", param="tags", reason=f"are at most {TAGS}")
        found["tags"] = tuple(named)
    return found
