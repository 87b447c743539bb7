"""The usage table: rows that reach the disk whatever it does, and what ``tts-launch usage`` makes of them."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui import usage
from index_tts_ui.account import Account
from index_tts_ui.usage import DAY, UsageStore
from tests.api.server import until


def account(**values: Any) -> Account:
    """Of a request that was spoken."""
    given = {"caller": "addr:10.0.0.7", "name": "", "characters": 10, "kind": "ok", "engine": "tone"}
    return Account(**{**given, "audio_seconds": 2.0, "engine_seconds": 0.5, **values})


def rows(path: Path) -> list[sqlite3.Row]:
    """All that is on disk."""
    if not path.exists():
        return []
    database = sqlite3.connect(path)
    try:
        database.row_factory = sqlite3.Row
        return list(database.execute("SELECT * FROM usage ORDER BY id"))
    except sqlite3.DatabaseError:
        return []
    finally:
        database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the table is to be."""
    return tmp_path / "usage.sqlite3"


def test_a_row_tells_the_request(path: Path) -> None:
    store = UsageStore(path, "second", 400)
    store.put(account(request_id="a", first_seconds=0.25, background=True, tokens=9, segments=2))
    store.put(account(request_id="b", kind="engine_failed", code="out_of_memory", audio_seconds=0.0))
    store.flush()
    first, second = rows(path)
    assert dict(first) | {"time": 0} == {
        **{
            "time": 0,
            "instance": "second",
            "id": "a",
            "caller": "addr:10.0.0.7",
            "name": "",
            "background": 1,
        },
        **{"engine": "tone", "source": "spoken", "outcome": "ok", "characters": 10, "tokens": 9},
        **{"segments": 2, "audio_seconds": 2.0, "wait_seconds": 0.0, "first_seconds": 0.25},
        **{"engine_seconds": 0.5, "total_seconds": 0.0},
    }
    assert second["outcome"] == "out_of_memory" and second["first_seconds"] is None


def test_rows_come_to_disk_without_a_flush_and_old_ones_go(path: Path) -> None:
    store = UsageStore(path, "default", days=1)
    store.put(account(request_id="old", at=time.time() - 2 * DAY))
    store.put(account(request_id="new"))
    until(lambda: [row["id"] for row in rows(path)] == ["new"], "the new row alone is there")


def test_two_servers_write_one_file(path: Path) -> None:
    """The old and the new one of a restart."""
    stores = [UsageStore(path, "default", 400) for _ in range(2)]
    for number in range(200):
        stores[number % 2].put(account(request_id=f"{number:03}"))
    for store in stores:
        store.flush(10)
    assert [row["id"] for row in rows(path)] == [f"{number:03}" for number in range(200)]


def test_a_damaged_file_is_put_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"this is no database" * 1000)
    store = UsageStore(path, "default", 400)
    store.put(account(request_id="a"))
    store.flush(10)
    assert [row["id"] for row in rows(path)] == ["a"] and "damaged" in caplog.text
    assert path.with_name("usage.sqlite3.damaged").read_bytes().startswith(b"this is no")


def test_what_cannot_be_written_waits_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "RETRY_SECONDS", 0.05)
    path.mkdir()  # stands in for a disk that refuses
    store = UsageStore(path, "default", 400)
    store.put(account(request_id="a"))
    store.put(account(request_id="b"))
    store.flush(10)
    path.rmdir()
    until(lambda: [row["id"] for row in rows(path)] == ["a", "b"], "both are written after all")


def test_a_disk_that_never_comes_back_costs_rows_and_no_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "MOST_ROWS", 10)
    path.mkdir()
    store = UsageStore(path, "default", 400)
    for _ in range(10):
        for _ in range(20):
            store.put(account())
        store.flush(10)
    assert len(store._rows) <= 10
    path.rmdir()
    store.put(account(request_id="z"))
    store.flush(10)
    assert [row["id"] for row in rows(path)][-1] == "z" and len(rows(path)) <= 11


# tts-launch usage


def launch(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``tts-launch usage`` in English."""
    code = "from launcher.cli import main; main()"
    command = [sys.executable, "-c", code, "usage", "--home", str(home), *words]
    environ = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)


@pytest.fixture
def book(path: Path) -> Path:
    """Two callers on two days, and one request of a month before."""
    store = UsageStore(path, "default", 400)
    today = time.time() // DAY * DAY
    for at in (today, today - DAY):
        store.put(account(at=at, name="Ann", caller="key:1"))
        store.put(account(at=at, name="Ann", caller="key:1", kind="deadline", code="queue_timeout"))
        store.put(account(at=at, source="cached", engine_seconds=0.0))
    store.put(account(at=today - 60 * DAY, name="=1+1"))
    store.flush()
    return path.parent


def test_the_command_sums_by_day_and_caller(book: Path) -> None:
    found = json.loads(launch(book, "--json").stdout)["usage"]
    assert len(found) == 4 and found[0]["day"] < found[-1]["day"]
    ann = next(row for row in found if row["caller"] == "Ann")
    assert ann["requests"] == 2 and ann["failed"] == 1 and ann["characters"] == 20
    (one, two) = json.loads(launch(book, "--by", "caller", "--json").stdout)["usage"]
    assert (one["caller"], one["requests"], two["caller"], two["requests"]) == ("Ann", 4, "addr:10.0.0.7", 2)
    assert one["audio_seconds"] == 8.0 and two["cached"] == 2 and two["engine_seconds"] == 0.0


def test_the_command_writes_a_table_and_csv_that_is_no_formula(book: Path) -> None:
    head, *lines = launch(book, "--days", "90").stdout.splitlines()
    assert head.split()[:3] == ["day", "caller", "requests"] and len(lines) == 5
    found = list(csv.DictReader(io.StringIO(launch(book, "--csv", "--rows", "--days", "90").stdout)))
    assert len(found) == 7 and found[0]["name"] == "'=1+1" and found[0]["local_time"][10] == "T"


def test_the_command_says_where_there_is_nothing(tmp_path: Path, path: Path) -> None:
    ran = launch(tmp_path)
    assert ran.returncode == 7 and "There is no" in ran.stderr and "Traceback" not in ran.stderr
    path.write_bytes(b"no database")
    ran = launch(tmp_path)
    assert ran.returncode == 1 and "cannot be read" in ran.stderr and len(ran.stderr.splitlines()) == 1
