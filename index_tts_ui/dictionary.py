"""Dictionary: the readings that people keep, and which of them count for whom. Any thread."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from .reading_door import ReadingDoor, tidied
from .readings import layered, occurring
from .shared_json import SharedJson
from .speech import Owner, Reading, ReadingKind

VERSION = 1
OWN_MOST, ALL_MOST = 2000, 10_000  # entries of one owner, and of all
NOTE_MOST = 200  # characters
IDENTITIES = ("key:", "jwt:")  # owners who are somebody; all others share what they keep


@dataclass(frozen=True, slots=True)
class Entry:
    """A reading that is kept. ``owner`` is "" for everybody's; ``created`` is in seconds since 1970."""

    id: str
    word: str
    said: str
    kind: ReadingKind = "respelling"
    language: str = ""
    note: str = ""
    enabled: bool = True
    shared: bool = False
    owner: str = ""
    created: float = 0.0

    @property
    def reading(self) -> Reading:
        """What engines take."""
        return Reading(self.word, self.said, self.kind, self.language)

    @property
    def key(self) -> tuple[str, str]:
        """Nobody keeps two entries with the same."""
        return self.word.lower(), self.language

    @property
    def common(self) -> bool:
        """Whether it counts for everybody."""
        return self.shared or not self.owner


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``left_out``: (number of the entry, from 1; its word; why)."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: tuple[tuple[int, str, Invalid], ...] = ()


Entries = tuple[Entry, ...]


def identity(owner: Owner) -> str:
    """Whose an entry of theirs is; "" (everybody's) where they have no key."""
    return owner.key if owner.key.startswith(IDENTITIES) else ""


class Dictionary:
    """``path`` is its file; ``door`` tells what the engine can say. What they may not see is not there for them."""

    def __init__(self, path: Path, door: ReadingDoor) -> None:
        self._file: SharedJson[Entries] = SharedJson(path, (), _parse, _dump)
        self.door = door
        self._index: tuple[Entries, dict[str, list[Reading]], list[tuple[str, Reading]]] = (), {}, []

    # ---- looking

    def readings(self, owner: Owner, text: str) -> list[Reading]:
        """What counts for a text of theirs: of each word their own entry, else what others share, the oldest."""
        entries = self._file.value
        if not entries:
            return []
        by_owner, common = self._indexed(entries)
        mine = identity(owner)
        own = occurring(by_owner.get(mine, ()), text)
        others = occurring((reading for whose, reading in common if whose != mine), text)
        return [reading for reading in layered(own, others) if self.door.can_say(reading)]

    def _indexed(self, entries: Entries) -> tuple[dict[str, list[Reading]], list[tuple[str, Reading]]]:
        """What is enabled: each owner's readings, and everybody's with their owners; made once a change."""
        if self._index[0] is not entries:
            by_owner: dict[str, list[Reading]] = {}
            for entry in (enabled := [entry for entry in entries if entry.enabled]):
                by_owner.setdefault(entry.owner, []).append(entry.reading)
            common = [(entry.owner, entry.reading) for entry in enabled if entry.common]
            self._index = entries, by_owner, common
        return self._index[1:]

    def entries(self, owner: Owner) -> Entries:
        """All that they may see, their own first, by word."""
        mine = identity(owner)
        seen = [
            entry for entry in self._file.value if entry.common or entry.owner == mine or owner.may("admin")
        ]
        return tuple(sorted(seen, key=lambda entry: (entry.owner != mine, *entry.key)))

    def find(self, owner: Owner, entry_id: str) -> Entry:
        """Raises NotFound."""
        found = next((entry for entry in self.entries(owner) if entry.id == entry_id), None)
        if found is None:
            raise NotFound("word_not_found", id=entry_id[:64])
        return found

    def may_change(self, owner: Owner, entry: Entry) -> bool:
        """Their own, everybody's, and for admins all."""
        return entry.owner in ("", owner.key) or owner.may("admin")

    # ---- changing; each raises EngineFailed where the disk fails

    def add(self, owner: Owner, entry: Entry) -> Entry:
        """Keep it as theirs. Raises Invalid; Conflict where they have one of that word; TooLarge."""
        fresh = self._fresh(owner, entry)
        with self._file.change() as put:
            before = self._file.value
            _check_unique(before, fresh)
            _check_room(before, fresh.owner, 1)
            put((*before, fresh))
        return fresh

    def update(self, owner: Owner, entry_id: str, **changes: Any) -> Entry:
        """Change these of its fields. Raises NotFound, Forbidden, Invalid, Conflict."""
        with self._file.change() as put:
            old = self._changeable(owner, entry_id)
            new = replace(old, **changes)
            if new.reading != old.reading:
                new = _with_reading(new, self.door.checked(new.reading))
            _check_note(new.note)
            others = tuple(entry for entry in self._file.value if entry.id != old.id)
            _check_unique(others, new)
            put(tuple(new if entry.id == old.id else entry for entry in self._file.value))
        return new

    def delete(self, owner: Owner, entry_id: str) -> Entry:
        """Take it out. Raises NotFound, Forbidden."""
        with self._file.change() as put:
            gone = self._changeable(owner, entry_id)
            put(tuple(entry for entry in self._file.value if entry.id != gone.id))
        return gone

    def bring_in(self, owner: Owner, entries: Iterable[Entry]) -> Imported:
        """Add them, or change what the owner has of the same words; what is wrong is left out. Raises TooLarge.

        A kind or a language that only another engine has is kept, for that engine.
        """
        left_out: list[tuple[int, str, Invalid]] = []
        good: dict[tuple[str, str], Entry] = {}
        for number, entry in enumerate(entries, 1):
            try:
                fresh = self._fresh(owner, entry, self._portable)
                good[fresh.key] = fresh
            except Invalid as error:
                left_out.append((number, entry.word[:64], error))
        with self._file.change() as put:
            before = self._file.value
            mine = {entry.key: entry for entry in before if entry.owner == identity(owner)}
            same = [entry for key, entry in good.items() if key in mine and _alike(entry, mine[key])]
            changed = {
                mine[key].id: replace(entry, id=mine[key].id, created=mine[key].created)
                for key, entry in good.items()
                if key in mine and not _alike(entry, mine[key])
            }
            added = [entry for key, entry in good.items() if key not in mine]
            _check_room(before, identity(owner), len(added))
            if added or changed:
                put((*(changed.get(entry.id, entry) for entry in before), *added))
        return Imported(len(added), len(changed), len(same), tuple(left_out))

    def _portable(self, reading: Reading) -> Reading:
        foreign = reading.kind not in self.door.kinds or reading.language not in ("", *self.door.languages)
        return tidied(reading) if foreign else self.door.checked(reading)

    def _fresh(self, owner: Owner, entry: Entry, check: Callable[[Reading], Reading] | None = None) -> Entry:
        _check_note(entry.note)
        checked = (check or self.door.checked)(entry.reading)
        name, now = f"word-{secrets.token_hex(8)}", time.time()
        return replace(_with_reading(entry, checked), id=name, owner=identity(owner), created=now)

    def _changeable(self, owner: Owner, entry_id: str) -> Entry:
        entry = self.find(owner, entry_id)
        if not self.may_change(owner, entry):
            raise Forbidden("role_missing", role="admin")
        return entry


def _with_reading(entry: Entry, reading: Reading) -> Entry:
    return replace(entry, word=reading.word, said=reading.said, kind=reading.kind, language=reading.language)


def _alike(entry: Entry, other: Entry) -> bool:
    """Whether they say the same, whoever wrote them when."""
    same = replace(entry, id=other.id, created=other.created, shared=other.shared)
    return same == other


def _check_note(note: str) -> None:
    if len(note) > NOTE_MOST:
        raise Invalid("value_too_long", param="note", limit=NOTE_MOST)


def _check_unique(entries: Sequence[Entry], new: Entry) -> None:
    if any(entry.owner == new.owner and entry.key == new.key for entry in entries):
        raise Conflict("word_in_dictionary", param="word", word=new.word)


def _check_room(entries: Sequence[Entry], owner: str, more: int) -> None:
    own = sum(entry.owner == owner for entry in entries)
    for count, limit in ((own, OWN_MOST), (len(entries), ALL_MOST)):
        if more and count + more > limit:
            raise TooLarge("dictionary_full", limit=limit)


def _parse(data: Mapping[str, Any]) -> Entries:
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']}, this server knows {VERSION}")
    return tuple(Entry(**item) for item in data["entries"])


def _dump(entries: Entries) -> dict[str, Any]:
    return {"version": VERSION, "entries": [asdict(entry) for entry in entries]}
