"""JobTable: the jobs themselves. Each call is one transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import Conflict, Overloaded
from ..speech import Owner
from .database import Database, job_of, owner_of, packed, who_is
from .record import ACTIVE, ENDED, Job, Line, NewJob

_FOUND = """SELECT jobs.*, count(s.job) AS segments, coalesce(sum(s.state IN ('done', 'empty')), 0) AS done,
    coalesce(sum(s.state = 'failed'), 0) AS failed,
    coalesce(sum(CASE WHEN s.state != 'pending' THEN length(s.text) END), 0) AS spoken_characters,
    coalesce(sum(CASE WHEN s.state = 'done' THEN s.samples * 1.0 / s.rate END), 0.0) AS audio_seconds,
    coalesce(sum(s.engine_seconds), 0.0) AS engine_seconds
    FROM jobs LEFT JOIN segments s ON s.job = jobs.id """


class JobTable:
    """See the module."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, job_id: str, owner: Owner, new: NewJob, fingerprint: str, most: int) -> tuple[Job, bool]:
        """The new job and True; or, where the owner's idempotency key was used, that job and False.

        Raises:
            Conflict: the key was used for something else.
            Overloaded: the owner has ``most`` unfinished jobs.
        """
        query = "SELECT id, fingerprint FROM jobs WHERE owner = ? AND key = ?"
        with self._db.change() as db:
            known = self._db.one(query, owner.key, new.idempotency_key)
            if known is not None and known["fingerprint"] != fingerprint:
                raise Conflict("idempotency_reused", param="Idempotency-Key", key=new.idempotency_key[:64])
            if known is None:
                self._check_room(owner.key, most)
                _insert(db, job_id, owner, new, fingerprint)
        found = self.find(job_id if known is None else known["id"])
        assert found is not None
        return found, known is None

    def _check_room(self, owner: str, most: int) -> None:
        count = len(self._db.all(f"SELECT id FROM jobs WHERE owner = ? AND state IN {ACTIVE}", owner))
        if count >= most:
            raise Overloaded("too_many_jobs", count=count, retry_after=60)

    def find(self, job_id: str) -> Job | None:
        """The job of that id, whoever owns it."""
        row = self._db.one(_FOUND + "WHERE jobs.id = ? GROUP BY jobs.id", job_id)
        return None if row is None else job_of(row)

    def take(self, job_id: str, line: Line) -> dict[str, Any] | None:
        """How the line is to be spoken: as it says, else as its speaker does, else as the job."""
        row = self._db.one("SELECT take, speakers FROM jobs WHERE id = ?", job_id)
        if row is None:
            return None
        cast = json.loads(row["speakers"])
        return {**json.loads(row["take"]), **cast.get(line.speaker, {}), **line.take}

    def state(self, job_id: str) -> str | None:
        """Of the job; None where there is none."""
        row = self._db.one("SELECT state FROM jobs WHERE id = ?", job_id)
        return None if row is None else str(row["state"])

    def revision(self, job_id: str) -> int:
        """Of the job; 0 where there is none."""
        row = self._db.one("SELECT revision FROM jobs WHERE id = ?", job_id)
        return 0 if row is None else int(row[0])

    def page(self, owner: str, limit: int, before: str = "") -> list[Job]:
        """The owner's jobs, the newest first; ``before``: those older than that job."""
        older = "SELECT created, id FROM jobs WHERE id = ? AND owner = ?"
        mine = f"SELECT id FROM jobs WHERE owner = ? AND (? = '' OR (created, id) < ({older})) "
        mine += "ORDER BY created DESC, id DESC LIMIT ?"
        query = f"WHERE jobs.id IN ({mine}) GROUP BY jobs.id ORDER BY jobs.created DESC, jobs.id DESC"
        return [job_of(row) for row in self._db.all(_FOUND + query, owner, before, before, owner, limit)]

    def runnable(self) -> list[tuple[str, Owner]]:
        """The ids of the jobs that want to be spoken, and whose they are; the oldest first."""
        query = "SELECT id, who FROM jobs WHERE state IN ('queued', 'running') ORDER BY created, id"
        return [(row["id"], owner_of(row["who"])) for row in self._db.all(query)]

    def move(
        self, job_id: str, allowed: Collection[str], state: str, error: Mapping[str, str] | None = None
    ) -> bool:
        """Into ``state``, where it is in one of ``allowed``; an end asks for the job's callback."""
        now, over = time.time(), state in ENDED
        marks = ", ".join("?" * len(allowed))
        values = (state, packed(error), now, now if over else None, over, job_id, *allowed)
        with self._db.change() as db:
            changed = db.execute(
                "UPDATE jobs SET state = ?, error = ?, updated = ?, finished = ?, revision = revision + 1, "
                "callback_state = CASE WHEN ? AND callback_url != '' THEN 'pending' ELSE callback_state END, "
                f"callback_tries = 0, callback_due = 0 WHERE id = ? AND state IN ({marks})",
                values,
            ).rowcount
        return bool(changed)

    def finish(self, job_id: str) -> bool:
        """The end of a running job, where nothing of it is left to be spoken."""
        left = (
            "SELECT 1 FROM lines WHERE job = ? AND split = 0 UNION ALL SELECT 1 FROM segments WHERE job = ? "
        )
        left += "AND state = 'pending' LIMIT 1"
        if self._db.one(left, job_id, job_id) is not None:
            return False
        failed = self._db.one("SELECT 1 FROM segments WHERE job = ? AND state = 'failed' LIMIT 1", job_id)
        return self.move(job_id, ("queued", "running"), "failed" if failed else "done")

    def delete(self, job_id: str) -> None:
        """With its lines and segments."""
        with self._db.change() as db:
            for table, column in (("segments", "job"), ("lines", "job"), ("jobs", "id")):
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", (job_id,))

    def finished(self) -> list[tuple[str, float]]:
        """(id, when) of those that have ended, and whose callback is settled; the longest ago first."""
        query = f"SELECT id, finished FROM jobs WHERE state IN {ENDED} AND callback_state != 'pending' "
        return [(row["id"], row["finished"]) for row in self._db.all(query + "ORDER BY finished")]

    def unfinished(self) -> list[str]:
        """The ids of those that have not ended."""
        return [row["id"] for row in self._db.all(f"SELECT id FROM jobs WHERE state IN {ACTIVE}")]

    def counts(self) -> tuple[dict[str, int], int]:
        """How many jobs there are in each state, and how many lines of unfinished ones are yet to be spoken."""
        states = dict(tuple(row) for row in self._db.all("SELECT state, count(*) FROM jobs GROUP BY state"))
        left = "SELECT job, line FROM lines WHERE split = 0 UNION SELECT job, line FROM segments WHERE state = 'pending'"
        row = self._db.one(f"SELECT count(*) FROM jobs JOIN ({left}) ON job = id WHERE state IN {ACTIVE}")
        return states, row[0] if row else 0

    def ids(self) -> set[str]:
        """Of all jobs."""
        return {row["id"] for row in self._db.all("SELECT id FROM jobs")}

    # ---- callbacks

    def calls_due(self) -> list[Job]:
        """Those whose callback is to be tried now."""
        query = "SELECT id FROM jobs WHERE callback_state = 'pending' AND callback_due <= ?"
        found = (self.find(row["id"]) for row in self._db.all(query, time.time()))
        return [job for job in found if job is not None]

    def called(self, job: Job, state: str, tries: int, wait: float) -> None:
        """How its callback went; ``wait``: seconds until the next try."""
        with self._db.change() as db:
            db.execute(
                "UPDATE jobs SET callback_state = ?, callback_tries = ?, callback_due = ?, "
                "revision = revision + 1 WHERE id = ? AND callback_state = 'pending' AND finished = ?",
                (state, tries, time.time() + wait, job.id, job.finished),
            )


def _insert(db: sqlite3.Connection, job_id: str, owner: Owner, new: NewJob, fingerprint: str) -> None:
    now = time.time()
    row = {
        **{
            "id": job_id,
            "owner": owner.key,
            "who": who_is(owner),
            "key": new.idempotency_key or None,
            "fingerprint": fingerprint,
        },
        **{"title": new.title, "take": packed(dict(new.take)), "gap": new.gap, "created": now},
        **{"speakers": packed({name: dict(take) for name, take in new.cast.items()}), "fit": new.fit},
        **{"updated": now, "lines": len(new.lines), "callback_url": new.callback_url},
        "characters": sum(len(line.text) for line in new.lines),
    }
    db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", row)
    db.executemany(
        "INSERT INTO lines (job, line, text, name, take, start, until, speaker) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                job_id,
                number,
                line.text,
                line.name,
                packed(dict(line.take)),
                *(line.start, line.end, line.speaker),
            )
            for number, line in enumerate(new.lines, 1)
        ),
    )
