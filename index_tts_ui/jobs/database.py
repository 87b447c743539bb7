"""Database: the SQLite file of the jobs, its tables, and what a row means. One thread may use it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import database
from ..speech import Owner
from .record import Job, Line, Segment

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
# An older server, which may still speak during a handover, knows nothing of these.
_SPEAKERS = """
ALTER TABLE jobs ADD COLUMN speakers TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN fit REAL;
ALTER TABLE lines ADD COLUMN speaker TEXT NOT NULL DEFAULT '';
ALTER TABLE lines ADD COLUMN until REAL;
ALTER TABLE lines ADD COLUMN fit REAL NOT NULL DEFAULT 1;
ALTER TABLE lines ADD COLUMN fits INTEGER NOT NULL DEFAULT 0;
"""
_MARKED = "ALTER TABLE segments ADD COLUMN voice TEXT NOT NULL DEFAULT '';"


class Database(database.Database):
    """The tables of the jobs in ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, _SPEAKERS, _MARKED)


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
    found["cast"] = json.loads(row["speakers"])
    found["error"] = row["error"] and json.loads(row["error"])
    found["audio_seconds"] = round(row["audio_seconds"], 3)
    found["engine_seconds"] = round(row["engine_seconds"], 3)
    return Job(**found)


def line_of(row: sqlite3.Row) -> Line:
    """A row of ``lines``."""
    take = json.loads(row["take"])
    slot = (row["start"], bool(row["split"]), row["until"])
    return Line(row["line"], row["text"], row["name"], take, *slot, row["speaker"], row["fit"])


def segment_of(row: sqlite3.Row) -> Segment:
    """A row of ``segments``."""
    keys = ("job", "line", "text", "pause", "state", "tries", "seed", "samples", "rate", "engine", "voice")
    error = row["error"] and json.loads(row["error"])
    return Segment(index=row["seg"], error=error, **{key: row[key] for key in keys})
