"""One row per request that was taken in, in ``usage.sqlite3``. Nothing here ever holds a request up.

A thread of its own writes, several rows at a time. A disk that is full or locked is tried again while
rows wait in memory; a file that is damaged is put aside and another one begun.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from pathlib import Path

from .account import Account

log = logging.getLogger("tts.usage")
BATCH_SECONDS = 0.2  # rows are collected so long; a SIGKILL loses no more than these
RETRY_SECONDS = 5.0
CLEAN_SECONDS = 3600.0
COMPLAIN_SECONDS = 60.0
MOST_ROWS = 100_000  # that wait for a disk
DAY = 86_400.0
# "tts-launch usage" reads these names, too
COLUMNS = (
    *("time REAL", "instance TEXT", "id TEXT", "caller TEXT", "name TEXT", "background INTEGER"),
    *("engine TEXT", "source TEXT", "outcome TEXT", "characters INTEGER", "tokens INTEGER"),
    *("segments INTEGER", "audio_seconds REAL", "wait_seconds REAL", "first_seconds REAL"),
    *("engine_seconds REAL", "total_seconds REAL"),
)
SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS usage ({', '.join(COLUMNS)})",
    "CREATE INDEX IF NOT EXISTS usage_time ON usage (time)",
)
INSERT = f"INSERT INTO usage VALUES ({', '.join('?' * len(COLUMNS))})"
Row = tuple[float | str | int | None, ...]


class UsageStore:
    """``days``: how long rows stay. The file is made when the first row comes."""

    def __init__(self, path: Path, instance: str, days: float) -> None:
        self.lost = 0  # rows for which there was no room
        self._path = path
        self._instance = instance
        self._days = days
        self._queue: queue.SimpleQueue[Row | threading.Event] = queue.SimpleQueue()
        self._hurry = threading.Event()  # somebody waits for a flush
        self._thread: threading.Thread | None = None
        self._rows: list[Row] = []  # of the thread: not yet on disk
        self._database: sqlite3.Connection | None = None
        self._clean_at = self._complain_at = 0.0

    def put(self, account: Account) -> None:
        """Queue the row of a request that has ended; never waits."""
        if self._queue.qsize() >= MOST_ROWS:
            self.lost += 1
            return
        self._queue.put(row_of(account, self._instance))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
            self._thread.start()

    def flush(self, seconds: float = 2.0) -> None:
        """Wait until what was put is on disk, or could not be written; at most ``seconds``."""
        if self._thread is not None:
            done = threading.Event()
            self._queue.put(done)
            self._hurry.set()
            done.wait(seconds)

    # ---- the thread

    def _run(self) -> None:
        while True:
            token = self._collect()
            if not self._write():
                self._write()  # a damaged file was put aside
            if token is not None:
                self._forget()  # perhaps the end; the next row opens it again
                token.set()

    def _collect(self) -> threading.Event | None:
        """Wait for a row, and a moment more for others; returns who waits for them to be written.

        It sleeps through that moment: woken by each row it would, too, take turns with those who serve.
        """
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=RETRY_SECONDS if self._rows else None)
            self._hurry.wait(BATCH_SECONDS)
            while not isinstance(item, threading.Event):
                self._rows.append(item)
                item = self._queue.get_nowait()
            self._hurry.clear()
            return item
        return None

    def _write(self) -> bool:
        """Whether all rows are on disk, or it makes no sense to try again at once."""
        del self._rows[:-MOST_ROWS]
        try:
            if self._rows:
                database = self._opened()
                with database:
                    database.executemany(INSERT, self._rows)
                self._rows.clear()
                self._clean(database)
            return True
        except sqlite3.OperationalError as error:  # full, locked, read-only: later
            self._complain(f"{self._path.name} cannot be written ({error}): tried again")
        except sqlite3.DatabaseError as error:
            self._put_aside(error)
            return False
        except OSError as error:
            self._complain(f"{self._path.name} cannot be made ({error.strerror}): tried again")
        self._forget()
        return True

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=5.0)
            self._database = database
            database.execute(
                "PRAGMA journal_mode=WAL"
            )  # who reads, or the other server of a restart, waits not
            database.execute("PRAGMA synchronous=NORMAL")
            with database:
                for statement in SCHEMA:
                    database.execute(statement)
        return self._database

    def _clean(self, database: sqlite3.Connection) -> None:
        if time.monotonic() < self._clean_at:
            return
        self._clean_at = time.monotonic() + CLEAN_SECONDS
        with database:
            database.execute("DELETE FROM usage WHERE time < ?", (time.time() - self._days * DAY,))

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        self._forget()
        aside = self._path.with_name(f"{self._path.name}.damaged")
        self._complain(f"{self._path.name} is damaged ({error}): put aside as {aside.name}")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
        for suffix in ("-wal", "-shm"):  # of the damaged one
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()

    def _forget(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _complain(self, text: str) -> None:
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAIN_SECONDS
            log.warning("%s", text)


def row_of(account: Account, instance: str) -> Row:
    """In the order of ``COLUMNS``."""
    first = account.first_seconds
    return (
        *(round(account.at, 3), instance, account.request_id, account.caller, account.name),
        *(int(account.background), account.engine, account.source, account.outcome),
        *(account.characters, account.tokens, account.segments, round(account.audio_seconds, 3)),
        *(round(account.wait_seconds, 4), None if first is None else round(first, 4)),
        *(round(account.engine_seconds, 4), round(account.total_seconds, 4)),
    )
