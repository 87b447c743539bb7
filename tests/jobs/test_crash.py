"""Jobs outlive what happens to their server: real processes, killed."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ..api.server import Server, serving, until
from .asking import Jobs

LINES = [f"Line {number:02} has some words. Its second part is {number:02}." for number in range(30)]
OPTIONS = "rows=2,step_ms=3,char_ms=10"
pytestmark = pytest.mark.slow


@contextlib.contextmanager
def jobs_of(home: Path) -> Iterator[Jobs]:
    """A server on ``home``, and its jobs."""
    options = f"{OPTIONS},record={home}/received.jsonl"
    with serving(home, "--engine", "tone", "--no-page", "--engine-options", options) as server:
        jobs = Jobs(server)
        with jobs.http:
            yield jobs


def kill_everything(server: Server) -> None:
    """SIGKILL to the server and its worker at once."""
    process = psutil.Process(server.process.pid)
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    server.process.wait(10)


def done(jobs: Jobs, job_id: str) -> dict[tuple[int, int], dict[str, Any]]:
    """What is spoken of it."""
    return {(one["line"], one["segment"]): one for one in jobs.segments(job_id) if one["state"] == "done"}


def test_after_sigkill_of_everything_a_job_goes_on_without_making_anything_twice(tmp_path: Path) -> None:
    """But for a segment whose file was damaged meanwhile."""
    key = {"Idempotency-Key": "book"}
    body = {"lines": LINES, "seed": 5}
    with jobs_of(tmp_path) as jobs:
        made = jobs.http.post("/jobs", json=body, headers=key).json()["id"]
        until(lambda: jobs.see(made)["segments_done"] >= 12, "a part is spoken")
        kill_everything(jobs.server)
    with jobs_of(tmp_path) as jobs:
        again = jobs.http.post("/jobs", json=body, headers=key)
        assert (again.status_code, again.json()["id"]) == (200, made)
        jobs.do(made, "pause")
        until(jobs.server.is_idle, "what ran has ended")
        before = done(jobs, made)
        assert 12 <= len(before) < 2 * len(LINES)
        kill_everything(jobs.server)
    damaged = tmp_path / "jobs" / made / "1-0-0.pcm"
    damaged.write_bytes(damaged.read_bytes()[:-2])
    (tmp_path / "jobs" / made / "1-1-0.part").write_bytes(b"half")
    received = len((tmp_path / "received.jsonl").read_text().splitlines())
    with jobs_of(tmp_path) as jobs:
        assert jobs.see(made)["state"] == "paused"
        jobs.do(made, "resume")
        ended = jobs.ended(made)
        assert (ended["state"], ended["segments_done"]) == ("done", 2 * len(LINES))
        texts = Counter(one["text"] for one in jobs.received()[received:])
        already = {one["text"] for one in before.values()}
        assert texts.keys() & already == {before[1, 0]["text"]}, "only what was damaged"
        assert sum(texts.values()) == 2 * len(LINES) - len(before) + 1
        assert len(jobs.http.get(f"/jobs/{made}/audio", params={"format": "wav"}).content) > 44


def test_of_two_servers_of_one_home_one_speaks_and_the_other_takes_over(tmp_path: Path) -> None:
    """As in a handover: the first is told to stop, the second waits for its lock."""
    with jobs_of(tmp_path) as first:
        made = first.make(lines=LINES)["id"]
        until(lambda: first.see(made)["segments_done"] >= 4, "it speaks")
        with jobs_of(tmp_path) as second:
            assert second.see(made)["id"] == made
            first.server.process.terminate()
            assert first.server.process.wait(20) == 0
            assert second.ended(made)["state"] == "done"
            texts = Counter(one["text"] for one in second.received())
            assert {texts[line.partition(". ")[0] + "."] for line in LINES} == {1}
