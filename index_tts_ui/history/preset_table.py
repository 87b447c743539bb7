"""PresetTable: settings under names. Each call is one transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..database import Database
from ..errors import Conflict, NotFound
from .record import Preset

MOST, MOST_SEEN = 100, 500  # of one owner; own and shared together
SCHEMA = """
CREATE TABLE presets (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL,
    shared INTEGER NOT NULL, created REAL NOT NULL, UNIQUE (owner, name));
"""


class PresetTable:
    """See the module."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def seen(self, owner: str) -> list[Preset]:
        """The owner's own, and what others share, by name."""
        query = "SELECT * FROM presets WHERE owner = ? OR shared = 1 "
        query += "ORDER BY owner != ?, name COLLATE NOCASE LIMIT ?"
        return [_preset(row) for row in self._db.all(query, owner, owner, MOST_SEEN)]

    def add(self, preset_id: str, owner: str, name: str, settings: Mapping[str, Any], shared: bool) -> Preset:
        """A new one. Raises Conflict where the owner has that name already, or too many."""
        made = Preset(preset_id, owner, name, settings, shared, time.time())
        row = (preset_id, owner, name, json.dumps(dict(settings)), int(shared), made.created)
        with self._db.change() as db:
            if len(db.execute("SELECT id FROM presets WHERE owner = ?", (owner,)).fetchall()) >= MOST:
                raise Conflict("too_many_presets", limit=MOST)
            try:
                db.execute("INSERT INTO presets VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError as error:
                raise Conflict("preset_name_in_use", param="name", name=name) from error
        return made

    def change(self, owner: str, preset_id: str, admin: bool, **changes: Any) -> Preset:
        """The preset with new ``name``, ``settings`` or ``shared``. Raises NotFound, Conflict."""
        values = dict(changes)
        if "settings" in values:
            values["settings"] = json.dumps(dict(values["settings"]))
        sets = ", ".join(f"{name} = :{name}" for name in values)
        with self._db.change() as db:
            self._check_mine(owner, preset_id, admin)
            try:
                if sets:
                    db.execute(f"UPDATE presets SET {sets} WHERE id = :which", {**values, "which": preset_id})
            except sqlite3.IntegrityError as error:
                raise Conflict("preset_name_in_use", param="name", name=values["name"]) from error
        row = self._db.one("SELECT * FROM presets WHERE id = ?", preset_id)
        assert row is not None
        return _preset(row)

    def delete(self, owner: str, preset_id: str, admin: bool) -> None:
        """Raises NotFound."""
        with self._db.change() as db:
            self._check_mine(owner, preset_id, admin)
            db.execute("DELETE FROM presets WHERE id = ?", (preset_id,))

    def settings(self) -> Iterable[dict[str, Any]]:
        """Of all presets."""
        for row in self._db.all("SELECT settings FROM presets"):
            yield json.loads(row["settings"])

    def _check_mine(self, owner: str, preset_id: str, admin: bool) -> None:
        row = self._db.one("SELECT owner, shared FROM presets WHERE id = ?", preset_id)
        if row is None or not (row["owner"] == owner or (admin and row["shared"])):
            raise NotFound("preset_not_found", id=preset_id[:64])


def _preset(row: sqlite3.Row) -> Preset:
    return Preset(
        *(row["id"], row["owner"], row["name"], json.loads(row["settings"])),
        shared=bool(row["shared"]),
        created=row["created"],
    )
