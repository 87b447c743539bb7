"""Database: one SQLite file (WAL) with its tables. One thread may use it; what is damaged is put aside.

Another process may have the same file open: during a handover two servers do.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger("tts.database")
BUSY_SECONDS = 10.0


class Database:
    """``steps``: statements, each ended by ``;``: the first makes the tables, each other one a version more of them."""

    def __init__(self, path: Path, *steps: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _opened(path, steps)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            put_aside(path, error)
            self._db = _opened(path, steps)

    def close(self) -> None:
        """Nothing may be asked after it."""
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        return self._db.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """Its first row."""
        row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        return row


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, rather than the disk full or somebody else writing."""
    return "not a database" in str(error) or "malformed" in str(error)


def put_aside(path: Path, error: sqlite3.Error) -> None:
    """Make way for a new file; the damaged one stays for whoever may mend it."""
    aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
    log.error("%s cannot be read (%s): it is put aside as %s, and a new one is begun", path, error, aside)
    path.rename(aside)
    for suffix in ("-wal", "-shm"):  # of the damaged one
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def _opened(path: Path, steps: Sequence[str]) -> sqlite3.Connection:
    db = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last rows, never the file
        db.execute("BEGIN IMMEDIATE")
        known = db.execute("PRAGMA user_version").fetchone()[0]
        for version, step in enumerate(steps[known:], known + 1):
            for statement in filter(str.strip, step.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
