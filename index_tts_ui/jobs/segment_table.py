"""SegmentTable: the jobs' lines, and the segments they are cut into. Each call is one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from .database import Database, line_of, packed, segment_of
from .fitting import PASSES, faster
from .record import ACTIVE, Cut, Line, Segment

_THIS = "WHERE job = ? AND line = ? AND seg = ? AND tries = ?"  # one attempt: ``Segment.key``
_NEXT_REVISION = "(SELECT revision + 1 FROM jobs WHERE id = ?)"


class SegmentTable:
    """See the module."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def lines(self, job_id: str, first: int = 1, limit: int = 1 << 30) -> list[Line]:
        """In order, from number ``first``."""
        query = "SELECT * FROM lines WHERE job = ? AND line >= ? ORDER BY line LIMIT ?"
        return [line_of(row) for row in self._db.all(query, job_id, first, limit)]

    def unsplit(self, job_id: str) -> Line | None:
        """The next line whose segments are not known."""
        row = self._db.one("SELECT * FROM lines WHERE job = ? AND split = 0 ORDER BY line LIMIT 1", job_id)
        return None if row is None else line_of(row)

    def split(
        self,
        job_id: str,
        line: Line,
        pieces: Sequence[Cut],
        state: str = "pending",
        error: Mapping[str, str] | None = None,
    ) -> None:
        """Its segments are these, in ``state``; unless it says something else by now."""
        claim = "UPDATE lines SET split = 1 WHERE job = ? AND line = ? AND text = ? AND split = 0"
        with self._db.change() as db:
            if not db.execute(claim, (job_id, line.index, line.text)).rowcount:
                return
            db.executemany(
                "INSERT INTO segments (job, line, seg, text, pause, voice, state, error, tries, revision) VALUES "
                f"(?, ?, ?, ?, ?, ?, ?, ?, (SELECT tries FROM lines WHERE job = ? AND line = ?), {_NEXT_REVISION})",
                (
                    (
                        job_id,
                        line.index,
                        index,
                        *astuple(cut),
                        state,
                        packed(error),
                        job_id,
                        line.index,
                        job_id,
                    )
                    for index, cut in enumerate(pieces)
                ),
            )
            _touch(db, job_id)

    def pending(self, job_id: str, limit: int) -> list[Segment]:
        """The first that are still to be spoken."""
        query = "SELECT * FROM segments WHERE job = ? AND state = 'pending' ORDER BY line, seg LIMIT ?"
        return [segment_of(row) for row in self._db.all(query, job_id, limit)]

    def find(self, job_id: str, first: int = 1, last: int = 1 << 30, since: int = 0) -> list[Segment]:
        """Of the lines ``first`` to ``last``, in order; ``since``: what changed after that revision."""
        query = "SELECT * FROM segments WHERE job = ? AND line BETWEEN ? AND ? AND revision > ? "
        rows = self._db.all(query + "ORDER BY line, seg", job_id, first, last, since if since else -1)
        return [segment_of(row) for row in rows]

    def settle(
        self,
        segment: Segment,
        state: str,
        *,
        samples: int = 0,
        rate: int = 0,
        engine: str = "",
        engine_seconds: float = 0.0,
        error: Mapping[str, str] | None = None,
    ) -> bool:
        """What became of it; False where this attempt no longer counts."""
        with self._db.change() as db:
            changed = db.execute(
                "UPDATE segments SET state = ?, samples = ?, rate = ?, engine = ?, error = ?, "
                f"engine_seconds = engine_seconds + ?, revision = {_NEXT_REVISION} "
                f"{_THIS} AND state = 'pending'",
                (state, samples, rate, engine, packed(error), engine_seconds, segment.job, *segment.key),
            ).rowcount
            if changed:
                _touch(db, segment.job)
        return bool(changed)

    def lost(self, segment: Segment) -> None:
        """Its file is not there, or not whole: it is to be spoken again."""
        with self._db.change() as db:
            db.execute(f"UPDATE segments SET state = 'pending', samples = 0 {_THIS}", segment.key)
            _touch(db, segment.job)

    def again(
        self, job_id: str, which: Sequence[Segment], text: str, seeds: Mapping[int, int | None]
    ) -> None:
        """Speak these again, ``text`` (where there is one) instead of their own; the job goes on.

        ``seeds``: by their place in ``which``.
        """
        with self._db.change() as db:
            for place, segment in enumerate(which):
                db.execute(
                    "UPDATE segments SET state = 'pending', tries = tries + 1, seed = ?, error = NULL, text = ?, "
                    f"revision = {_NEXT_REVISION} {_THIS}",
                    (seeds.get(place), text or segment.text, job_id, *segment.key),
                )
                db.execute("UPDATE lines SET fits = 0 WHERE job = ? AND line = ?", (job_id, segment.line))
            _reopen(db, job_id)

    def fit(self, job_id: str, first: int = 1, last: int = 1 << 30) -> int:
        """Of these lines, those that are spoken and longer than their slots are to be spoken again, faster.

        How many they are; none, where the job does not want that.
        """
        job = self._db.one(f"SELECT fit FROM jobs WHERE id = ? AND state IN {ACTIVE}", job_id)
        if job is None or job["fit"] is None:
            return 0
        left = "SELECT 1 FROM segments s WHERE s.job = lines.job AND s.line = lines.line AND s.state IN "
        query = "SELECT * FROM lines WHERE job = ? AND line BETWEEN ? AND ? AND split = 1 AND fits < ? "
        query += f"AND until IS NOT NULL AND NOT EXISTS ({left} ('pending', 'failed'))"
        found = 0
        with self._db.change() as db:
            for row in self._db.all(query, job_id, first, last, PASSES):
                line = line_of(row)
                factor = faster(line, self.find(job_id, line.index, line.index), job["fit"])
                fits = PASSES if factor is None else row["fits"] + 1
                values = (factor or line.fit, fits, job_id, line.index)
                db.execute("UPDATE lines SET fit = ?, fits = ? WHERE job = ? AND line = ?", values)
                if factor is not None:
                    self._hasten(db, job_id, line.index)
                    found += 1
            if found:
                _touch(db, job_id)
        return found

    def _hasten(self, db: sqlite3.Connection, job_id: str, line: int) -> None:
        db.execute(
            f"UPDATE segments SET state = 'pending', tries = tries + 1, revision = {_NEXT_REVISION} "
            "WHERE job = ? AND line = ? AND state = 'done'",
            (job_id, job_id, line),
        )

    def rewrite(self, job_id: str, line: int, text: str, take: Mapping[str, Any]) -> None:
        """The line says something else now, or otherwise: it is cut and spoken anew.

        ``take``: how, whatever the speaker does. What runs of it no longer counts.
        """
        most = "SELECT max(tries) FROM segments WHERE job = :job AND line = :line"
        total = "SELECT sum(length(text)) FROM lines WHERE job = :job"
        values = {"job": job_id, "line": line, "text": text, "take": packed(dict(take))}
        with self._db.change() as db:
            db.execute(
                "UPDATE lines SET text = :text, take = :take, split = 0, fit = 1, fits = 0, "
                f"tries = max(tries, coalesce(({most}), 0)) + 1 WHERE job = :job AND line = :line",
                values,
            )
            db.execute("DELETE FROM segments WHERE job = :job AND line = :line", values)
            db.execute(f"UPDATE jobs SET characters = ({total}) WHERE id = :job", values)
            _reopen(db, job_id)


def _reopen(db: sqlite3.Connection, job_id: str) -> None:
    _touch(db, job_id)
    db.execute(
        "UPDATE jobs SET state = 'queued', finished = NULL, error = NULL, callback_state = '' "
        "WHERE id = ? AND state IN ('done', 'failed')",
        (job_id,),
    )


def _touch(db: sqlite3.Connection, job_id: str) -> None:
    db.execute("UPDATE jobs SET revision = revision + 1, updated = ? WHERE id = ?", (time.time(), job_id))
