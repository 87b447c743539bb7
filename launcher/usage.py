"""What was spoken, by day and caller: sums over ``usage.sqlite3``, which the server writes (``index_tts_ui.usage``).

It is only read, also while the server runs.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .errors import Failed, NotRunning

DAY = 86_400.0
Found = dict[str, Any]
GROUPS = {
    "day": "strftime('%Y-%m-%d', time, 'unixepoch', 'localtime')",
    "caller": "CASE name WHEN '' THEN caller ELSE name END",
}
SUMS = {
    "requests": "COUNT(*)",
    "failed": "SUM(outcome NOT IN ('ok', 'cancelled'))",
    "cached": "SUM(source != 'spoken')",
    "characters": "SUM(characters)",
    "audio_seconds": "ROUND(SUM(audio_seconds), 1)",
    "engine_seconds": "ROUND(SUM(engine_seconds), 1)",
    "wait_seconds": "ROUND(AVG(wait_seconds), 2)",
}
SECONDS = 5.0  # to wait for a server that writes


def sums(path: Path, days: float, by: Sequence[str]) -> list[Found]:
    """One entry for each day, caller or both, of the last ``days``. Raises NotRunning or Failed."""
    groups = [f"{GROUPS[name]} AS {name}" for name in by]
    columns = ", ".join([*groups, *(f"{sql} AS {name}" for name, sql in SUMS.items())])
    names = ", ".join(by)
    return _asked(
        path, f"SELECT {columns} FROM usage WHERE time >= ? GROUP BY {names} ORDER BY {names}", days
    )


def rows(path: Path, days: float) -> list[Found]:
    """Each request of the last ``days``, oldest first. Raises NotRunning or Failed."""
    when = "strftime('%Y-%m-%dT%H:%M:%S', time, 'unixepoch', 'localtime')"
    found = _asked(path, f"SELECT {when} AS local_time, * FROM usage WHERE time >= ? ORDER BY time", days)
    return [{name: value for name, value in row.items() if name != "time"} for row in found]


def _asked(path: Path, question: str, days: float) -> list[Found]:
    if not path.exists():
        raise NotRunning("usage_none", path=path)
    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=SECONDS)
        try:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(question, (time.time() - days * DAY,))]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise Failed("usage_unreadable", path=path, reason=str(error)) from error


def table(found: Sequence[Found]) -> list[str]:
    """For people: columns of even width, numbers to the right."""
    heads = list(found[0])
    cells = [[str(row[head]) for head in heads] for row in found]
    widths = [max(len(head), *(len(row[at]) for row in cells)) for at, head in enumerate(heads)]
    left = [isinstance(found[0][head], str) for head in heads]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if is_text else cell.rjust(width)
            for cell, width, is_text in zip(row, widths, left, strict=True)
        )
        return "  ".join(padded).rstrip()

    return [line(heads), *(line(row) for row in cells)]


def as_csv(found: Sequence[Found]) -> str:
    """For spreadsheets, which take some beginnings of a name for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found[0])
    for row in found:
        writer.writerow([_harmless(value) for value in row.values()])
    return out.getvalue().rstrip("\n")


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
