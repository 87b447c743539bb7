"""EntryTable: the results. Each call is one transaction; callers name the owner, and touch nobody else's."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..database import Database
from .record import Entry

MOST_EACH, MOST = 5_000, 200_000  # entries of one owner, and of all; favourites do not count
SCHEMA = """
CREATE TABLE entries (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, created REAL NOT NULL, output TEXT NOT NULL, text TEXT NOT NULL,
    title TEXT NOT NULL, settings TEXT NOT NULL, engine TEXT NOT NULL, characters INTEGER NOT NULL,
    segments INTEGER NOT NULL, audio_seconds REAL NOT NULL, wait_seconds REAL NOT NULL,
    engine_seconds REAL NOT NULL, total_seconds REAL NOT NULL, note TEXT NOT NULL, error TEXT,
    favourite INTEGER NOT NULL, deleted REAL NOT NULL);
CREATE INDEX entry_owner ON entries (owner, created);
CREATE INDEX entry_age ON entries (created) WHERE favourite = 0;
"""
NAMED = "ALTER TABLE entries ADD COLUMN voice_name TEXT NOT NULL DEFAULT '';"
_PLAIN = "owner = ? AND favourite = 0"
_OLDEST = "ORDER BY created DESC LIMIT -1 OFFSET ?"


class EntryTable:
    """See the module."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, entry: Entry) -> None:
        """Put it in; the oldest of too many go."""
        row = {**asdict(entry), "settings": _packed(entry.settings), "error": _packed(entry.error)}
        names = ", ".join(row)
        with self._db.change() as db:
            db.execute(f"INSERT INTO entries ({names}) VALUES ({', '.join(f':{name}' for name in row)})", row)
            for where, values, most in ((_PLAIN, (entry.owner,), MOST_EACH), ("favourite = 0", (), MOST)):
                old = f"SELECT id FROM entries WHERE {where} {_OLDEST}"
                db.execute(f"DELETE FROM entries WHERE id IN ({old})", (*values, most))

    def find(self, owner: str, entry_id: str) -> Entry | None:
        """The owner's entry of that id, also one that was deleted a moment ago."""
        row = self._db.one("SELECT * FROM entries WHERE id = ? AND owner = ?", entry_id, owner)
        return None if row is None else _entry(row)

    def page(
        self, owner: str, limit: int, words: str = "", favourite: bool = False, before: str = ""
    ) -> list[Entry]:
        """The newest first. ``words``: in their text, title or note; ``before``: those older than that entry."""
        where, values = ["owner = ?", "deleted = 0"], [owner]
        for word in words.split()[:8]:
            pattern = f"%{_escaped(word)}%"
            where.append("(text LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\' OR note LIKE ? ESCAPE '\\')")
            values += [pattern] * 3
        if favourite:
            where.append("favourite = 1")
        if before:
            where.append("(created, id) < (SELECT created, id FROM entries WHERE id = ? AND owner = ?)")
            values += [before, owner]
        query = f"SELECT * FROM entries WHERE {' AND '.join(where)} ORDER BY created DESC, id DESC LIMIT ?"
        return [_entry(row) for row in self._db.all(query, *values, limit)]

    def change(self, owner: str, entry_id: str, **changes: Any) -> Entry | None:
        """The entry with new ``title``, ``note``, ``favourite`` or ``deleted``; None where there is none."""
        sets = ", ".join(f"{name} = :{name}" for name in changes)
        with self._db.change() as db:
            if sets:
                values = {**changes, "entry": entry_id, "whose": owner}
                db.execute(f"UPDATE entries SET {sets} WHERE id = :entry AND owner = :whose", values)
        return self.find(owner, entry_id)

    def favourites(self, owner: str) -> int:
        """How many there are."""
        row = self._db.one("SELECT count(*) FROM entries WHERE owner = ? AND favourite = 1", owner)
        return int(row[0]) if row else 0

    def favourite_outputs(self) -> set[str]:
        """Of everybody."""
        return {row["output"] for row in self._db.all("SELECT output FROM entries WHERE favourite = 1")}

    def settings(self) -> Iterable[dict[str, Any]]:
        """Of all favourites."""
        for row in self._db.all("SELECT settings FROM entries WHERE favourite = 1"):
            yield json.loads(row["settings"])

    def delete(self, owner: str, entry_id: str) -> list[str]:
        """Delete it; the outputs that were its own."""
        return self._delete("owner = ? AND id = ?", owner, entry_id)

    def delete_plain(self, owner: str) -> list[str]:
        """Delete all but favourites; their outputs."""
        return self._delete(f"{_PLAIN}", owner)

    def purge(self, older: float) -> list[str]:
        """Delete what was deleted before ``older``; the outputs that were its own."""
        return self._delete("deleted > 0 AND deleted < ?", older)

    def expire(self, days: float) -> None:
        """Forget what is older than ``days`` and no favourite; their outputs have a time of their own."""
        with self._db.change() as db:
            then = time.time() - days * 86_400
            db.execute("DELETE FROM entries WHERE favourite = 0 AND created < ?", (then,))

    def _delete(self, where: str, *values: Any) -> list[str]:
        with self._db.change() as db:
            found = db.execute(f"DELETE FROM entries WHERE {where} RETURNING output", values).fetchall()
        return [row["output"] for row in found]


def _entry(row: sqlite3.Row) -> Entry:
    data = dict(zip(row.keys(), row, strict=True))
    error = data["error"] and json.loads(data["error"])
    return Entry(
        **{
            **data,
            "settings": json.loads(data["settings"]),
            "error": error,
            "favourite": bool(data["favourite"]),
        }
    )


def _packed(data: Any) -> str | None:
    return None if data is None else json.dumps(data, ensure_ascii=False)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
