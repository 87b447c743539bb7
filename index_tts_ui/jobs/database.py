"""Database: the SQLite file (WAL) of the jobs, its tables, and what a row means. One thread may use it.

Another process may have the same file open: during a handover two servers do.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..speech import Owner
from .record import Job, Line, Segment

log = logging.getLogger("tts.jobs")
BUSY_SECONDS = 10.0
VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, who TEXT NOT NULL, key TEXT, fingerprint TEXT NOT NULL, title TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued', take TEXT NOT NULL, gap REAL, created REAL NOT NULL,
    updated REAL NOT NULL, finished REAL, revision INTEGER NOT NULL DEFAULT 1, lines INTEGER NOT NULL,
    characters INTEGER NOT NULL, error TEXT, callback_url TEXT NOT NULL,
    callback_state TEXT NOT NULL DEFAULT '', callback_tries INTEGER NOT NULL DEFAULT 0,
    callback_due REAL NOT NULL DEFAULT 0, UNIQUE (owner, key));
CREATE INDEX by_state ON jobs (state, created);
CREATE INDEX by_owner ON jobs (owner, created);
CREATE TABLE lines (
    job TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, name TEXT NOT NULL, take TEXT NOT NULL,
    start REAL, split INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, line)) WITHOUT ROWID;
CREATE INDEX unsplit ON lines (job, line) WHERE split = 0;
CREATE TABLE segments (
    job TEXT NOT NULL, line INTEGER NOT NULL, seg INTEGER NOT NULL, text TEXT NOT NULL, pause REAL NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, seed INTEGER, samples INTEGER NOT NULL DEFAULT 0,
    rate INTEGER NOT NULL DEFAULT 0, engine TEXT NOT NULL DEFAULT '', engine_seconds REAL NOT NULL DEFAULT 0,
    error TEXT, revision INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job, line, seg)) WITHOUT ROWID;
CREATE INDEX pending ON segments (job, line, seg) WHERE state = 'pending';
"""


class Database:
    """See the module."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            if "not a database" not in str(error) and "malformed" not in str(error):
                raise
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            log.error(
                "%s cannot be read (%s): it is put aside as %s, and jobs begin anew", path, error, aside
            )
            path.rename(aside)
            self._db = _opened(path)

    def close(self) -> None:
        """Nothing may be asked after it."""
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        return self._db.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """Its first row."""
        row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        return row


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last rows, never the file
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    return db


def packed(data: Any) -> str | None:
    """As JSON; None stays."""
    return None if data is None else json.dumps(data, ensure_ascii=False)


def owner_of(who: str) -> Owner:
    """Who asked, as they were then."""
    data = json.loads(who)
    return Owner(**{**data, "roles": frozenset(data["roles"])})


def who_is(owner: Owner) -> str:
    """The inverse."""
    return json.dumps({**asdict(owner), "roles": sorted(owner.roles)}, ensure_ascii=False)


def job_of(row: sqlite3.Row) -> Job:
    """A row of ``jobs`` with its counts."""
    found = {key: row[key] for key in row.keys() if key in Job.__dataclass_fields__}  # noqa: SIM118 a Row is no dict
    found["take"] = json.loads(row["take"])
    found["error"] = row["error"] and json.loads(row["error"])
    found["audio_seconds"] = round(row["audio_seconds"], 3)
    found["engine_seconds"] = round(row["engine_seconds"], 3)
    return Job(**found)


def line_of(row: sqlite3.Row) -> Line:
    """A row of ``lines``."""
    take = json.loads(row["take"])
    return Line(row["line"], row["text"], row["name"], take, row["start"], bool(row["split"]))


def segment_of(row: sqlite3.Row) -> Segment:
    """A row of ``segments``."""
    keys = ("job", "line", "text", "pause", "state", "tries", "seed", "samples", "rate", "engine")
    error = row["error"] and json.loads(row["error"])
    return Segment(index=row["seg"], error=error, **{key: row[key] for key in keys})
