"""History: all that is asked about results and presets. Owners see only their own.

A thread of its own has the file. What cannot be written costs the history, never the sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..database import Database, is_damage, put_aside
from ..errors import Conflict, EngineFailed, NotFound
from ..outputs import OutputStore, Recording
from ..speech import Owner, SpeechRequest
from . import entry_table, preset_table
from .entry_table import EntryTable
from .preset_table import PresetTable
from .record import Entry, Preset, clips_in, entry_of
from .sounds import Sounds

log = logging.getLogger("tts.history")
T = TypeVar("T")
FAVOURITES = 1_000  # of one owner
UNDO_SECONDS = 3_600.0  # for which what was deleted can be taken back


class Tables(NamedTuple):
    """Both, in one file."""

    db: Database
    entries: EntryTable
    presets: PresetTable


class History:
    """``days``: how long results stay, 0: none is written down. ``keep_mb``: of favourites' sound.

    The file is made when it is first needed.
    """

    def __init__(self, path: Path, outputs: OutputStore, days: float, keep_mb: int) -> None:
        self.days = days
        self._path = path
        self._sounds = Sounds(outputs)
        self._keep_mb = keep_mb
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tts-history")
        self._tables: Tables | None = None
        self._awaited: dict[str, tuple[SpeechRequest, Owner, Mapping[str, Any], str]] = {}

    # ---- writing down

    def follow(
        self,
        recording: Recording,
        request: SpeechRequest,
        owner: Owner,
        said: Mapping[str, Any],
        voice_name: str = "",
    ) -> None:
        """Write down what becomes of a recording; ``said``: settings as they are to be shown instead."""
        if self.days:
            self._awaited[recording.id] = (request, owner, said, voice_name)

    def ended(self, recording: Recording) -> None:
        """It is finished, or failed; of no interest where nobody called :meth:`follow`."""
        found = self._awaited.pop(recording.id, None)
        if found is None:
            return
        entry = entry_of(f"h-{secrets.token_hex(10)}", recording, *found)
        with contextlib.suppress(RuntimeError):  # closed: the server's very end
            self._thread.submit(self._add, entry)

    def _add(self, entry: Entry) -> None:
        try:
            self._on_disk(lambda tables: tables.entries.add(entry))
        except EngineFailed as error:
            log.warning("a result is missing in the history: %s", error.message())

    # ---- results

    async def page(
        self, owner: Owner, limit: int, words: str, favourite: bool, before: str
    ) -> list[tuple[Entry, bool]]:
        """Entries, the newest first, and whether the sound of each is still there."""

        def look(tables: Tables) -> list[tuple[Entry, bool]]:
            found = tables.entries.page(owner.key, limit, words, favourite, before)
            return [(entry, self._sounds.there(entry.output)) for entry in found]

        return await self._ask(look)

    async def get(self, owner: Owner, entry_id: str) -> tuple[Entry, bool]:
        """One of the owner's, and whether its sound is there. Raises NotFound."""

        def look(tables: Tables) -> tuple[Entry, bool]:
            entry = _found(tables.entries.find(owner.key, entry_id), entry_id)
            return entry, self._sounds.there(entry.output)

        return await self._ask(look)

    async def change(
        self,
        owner: Owner,
        entry_id: str,
        *,
        title: str | None = None,
        note: str | None = None,
        favourite: bool | None = None,
        deleted: bool | None = None,
    ) -> tuple[Entry, bool]:
        """Change what is not None. What is ``deleted`` can be taken back for an hour.

        Raises NotFound, and Conflict where there are favourites enough.
        """
        changes: dict[str, Any] = {
            name: value for name, value in (("title", title), ("note", note)) if value is not None
        }
        if deleted is not None:
            changes["deleted"] = time.time() if deleted else 0.0

        def apply(tables: Tables) -> tuple[Entry, bool]:
            old = _found(tables.entries.find(owner.key, entry_id), entry_id)
            if favourite is not None and favourite != old.favourite:
                changes["favourite"] = favourite
                if favourite:
                    self._check_room(tables, old)
                    self._sounds.keep(old.output)
            new = _found(tables.entries.change(owner.key, entry_id, **changes), entry_id)
            if old.favourite and not new.favourite:
                self._sounds.release(old.output)
            return new, self._sounds.there(new.output)

        return await self._ask(apply)

    def _check_room(self, tables: Tables, entry: Entry) -> None:
        if tables.entries.favourites(entry.owner) >= FAVOURITES:
            raise Conflict("too_many_favourites", limit=FAVOURITES)
        if self._sounds.kept() + self._sounds.size(entry.output) > self._keep_mb << 20:
            raise Conflict("favourites_full", limit=self._keep_mb)

    async def delete(self, owner: Owner, entry_id: str) -> None:
        """For good, with its sound. Raises NotFound."""

        def apply(tables: Tables) -> None:
            gone = tables.entries.delete(owner.key, entry_id)
            if not gone:
                raise _missing(entry_id)
            self._delete_sounds(gone)

        await self._ask(apply)

    async def clear(self, owner: Owner) -> int:
        """Delete all of the owner's but favourites, for good, with their sound; returns how many went."""

        def apply(tables: Tables) -> int:
            gone = tables.entries.delete_plain(owner.key)
            self._delete_sounds(gone)
            return len(gone)

        return await self._ask(apply)

    def _delete_sounds(self, outputs: list[str]) -> None:
        for output in outputs:
            self._sounds.delete(output)

    # ---- presets

    async def presets(self, owner: Owner) -> list[Preset]:
        """The owner's own, then what others share, by name."""
        return await self._ask(lambda tables: tables.presets.seen(owner.key))

    async def add_preset(self, owner: Owner, name: str, settings: Mapping[str, Any], shared: bool) -> Preset:
        """A new one. Raises Conflict where the owner has that name already, or too many."""
        new = f"p-{secrets.token_hex(8)}"
        return await self._ask(lambda tables: tables.presets.add(new, owner.key, name, settings, shared))

    async def change_preset(self, owner: Owner, preset_id: str, **changes: Any) -> Preset:
        """One of the owner's (admins: or a shared one), changed. Raises NotFound, Conflict."""
        admin = owner.may("admin")
        return await self._ask(lambda tables: tables.presets.change(owner.key, preset_id, admin, **changes))

    async def delete_preset(self, owner: Owner, preset_id: str) -> None:
        """One of the owner's (admins: or a shared one). Raises NotFound."""
        admin = owner.may("admin")
        await self._ask(lambda tables: tables.presets.delete(owner.key, preset_id, admin))

    # ---- upkeep

    async def clean(self) -> None:
        """Let old results go, and for good what was deleted; logs what fails."""

        def apply(tables: Tables) -> None:
            self._delete_sounds(tables.entries.purge(time.time() - UNDO_SECONDS))
            tables.entries.expire(self.days)
            if not any(self._path.parent.glob(f"{self._path.name}.broken-*")):  # its favourites may be wanted
                self._sounds.release_others(tables.entries.favourite_outputs())

        await self._quietly(apply)

    async def clips(self) -> set[str]:
        """The keys of the clips that favourites and presets speak with."""

        def look(tables: Tables) -> set[str]:
            settings = (*tables.entries.settings(), *tables.presets.settings())
            return set().union(*(clips_in(one) for one in settings))

        return await self._quietly(look) or set()

    async def _quietly(self, function: Callable[[Tables], T]) -> T | None:
        if not self._path.exists():
            return None
        try:
            return await self._ask(function)
        except EngineFailed as error:
            log.warning("the history cannot be kept in order: %s", error.message())
            return None

    def close(self) -> None:
        """Have all on disk; nothing may be asked after it."""
        self._thread.shutdown(wait=True)
        self._forget()

    # ---- the file

    async def _ask(self, function: Callable[[Tables], T]) -> T:
        """Call it with the tables, in their thread. Raises EngineFailed where the disk fails."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._on_disk, function)

    def _on_disk(self, function: Callable[[Tables], T]) -> T:
        try:
            try:
                return function(self._opened())
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._forget()
                put_aside(self._path, error)
                return function(self._opened())
        except (sqlite3.Error, OSError) as error:
            self._forget()
            raise EngineFailed("disk_full", reason=str(error)) from error

    def _opened(self) -> Tables:
        if self._tables is None:
            db = Database(self._path, entry_table.SCHEMA + preset_table.SCHEMA, entry_table.NAMED)
            self._tables = Tables(db, EntryTable(db), PresetTable(db))
        return self._tables

    def _forget(self) -> None:
        if self._tables is not None:
            self._tables.db.close()
            self._tables = None


def _missing(entry_id: str) -> NotFound:
    return NotFound("entry_not_found", id=entry_id[:64])


def _found(entry: Entry | None, entry_id: str) -> Entry:
    if entry is None:
        raise _missing(entry_id)
    return entry
