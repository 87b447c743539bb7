"""The tables, and the callbacks' rules. No server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from pathlib import Path

import pytest

from index_tts_ui.errors import Conflict, Invalid, Overloaded
from index_tts_ui.jobs import callback
from index_tts_ui.jobs.database import Database
from index_tts_ui.jobs.job_table import JobTable
from index_tts_ui.jobs.record import Cut, Job, NewJob, NewLine
from index_tts_ui.jobs.segment_table import SegmentTable
from index_tts_ui.speech import Owner

from .conftest import Listener

ME = Owner("me", roles=frozenset(["speak"]), weight=2.0)


class Tables:
    """Both, on one file."""

    def __init__(self, path: Path) -> None:
        self.db = Database(path)
        self.jobs, self.segments = JobTable(self.db), SegmentTable(self.db)

    def make(self, *texts: str, name: str = "job-1", key: str = "", most: int = 9) -> Job:
        """A job of these lines, each cut into one segment."""
        new = NewJob(tuple(NewLine(text) for text in texts), {"seed": 1}, idempotency_key=key)
        job, _ = self.jobs.create(name, ME, new, "print", most)
        for line in self.segments.lines(job.id):
            self.segments.split(job.id, line, [Cut(line.text, 0.1)])
        return job


def test_what_comes_of_an_attempt_that_was_given_up_does_not_count(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "x.sqlite3")
    job = tables.make("One.", "Two.")
    one, two = tables.segments.pending(job.id, 9)
    tables.segments.again(job.id, [one], "Uno.", {0: 7})
    assert not tables.segments.settle(one, "done", samples=5, rate=10)
    tables.segments.rewrite(job.id, 2, "Dos. Tres.", {})
    assert not tables.segments.settle(two, "done", samples=5, rate=10)
    (line,) = [found for found in tables.segments.lines(job.id) if not found.split]
    tables.segments.split(job.id, line, [Cut("Dos.", 0.1), Cut("Tres.", 0.1, "tone-b")])
    assert not tables.segments.settle(two, "done", samples=5, rate=10), "it has other words now"
    assert [(one.text, one.seed) for one in tables.segments.pending(job.id, 9)][:2] == [
        ("Uno.", 7),
        ("Dos.", None),
    ]
    tables.db.close()


def test_a_job_ends_only_when_nothing_is_left_and_a_retry_opens_it_again(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "x.sqlite3")
    job = tables.make("One.", "Two.")
    one, two = tables.segments.pending(job.id, 9)
    tables.segments.settle(one, "done", samples=24, rate=12, engine="tone", engine_seconds=0.5)
    assert not tables.jobs.finish(job.id)
    tables.segments.settle(two, "failed", error={"code": "x", "message": "x", "message_zh": "x"})
    assert tables.jobs.finish(job.id)
    found = tables.jobs.find(job.id)
    assert found and (found.state, found.done, found.failed, found.audio_seconds) == ("failed", 1, 1, 2.0)
    changed = tables.segments.find(job.id, since=found.revision - 2)
    assert [segment.text for segment in changed] == ["Two."]
    tables.segments.again(job.id, changed, "", {})
    again = tables.jobs.find(job.id)
    assert again and again.state == "queued" and again.finished is None
    assert tables.jobs.runnable() == [(job.id, ME)]
    tables.db.close()


def test_a_key_is_the_owners_own_and_a_limit_too(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "x.sqlite3")
    new = NewJob((NewLine("x"),), {}, idempotency_key="k")
    assert tables.jobs.create("job-1", ME, new, "a", 1)[1]
    assert not tables.jobs.create("job-2", ME, new, "a", 1)[1]
    with pytest.raises(Conflict):
        tables.jobs.create("job-3", ME, new, "b", 1)
    with pytest.raises(Overloaded):
        tables.make("y", name="job-4", most=1)
    assert tables.jobs.create("job-5", Owner("you"), new, "b", 1)[1]
    tables.db.close()


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    path.write_bytes(b"no database at all" * 100)
    tables = Tables(path)
    tables.make("One.")
    tables.db.close()
    (aside,) = tmp_path.glob("x.sqlite3.broken-*")
    assert aside.read_bytes().startswith(b"no database")


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://ok.example/a", True),
        ("https://OK.example:443/", True),
        ("http://127.0.0.1:9000/x", True),
        ("http://127.0.0.1:9001/x", False),
        ("https://ok.example.evil/", False),
        ("https://evil/?ok.example", False),
        ("https://ok.example@evil/", False),
        ("ftp://ok.example/", False),
        ("https://ok.example:x/", False),
        ("http://[::1", False),
    ],
)
def test_only_listed_hosts_may_be_called(url: str, fine: bool) -> None:
    hosts = ("ok.example", "127.0.0.1:9000")
    if fine:
        callback.check_url(url, hosts)
    else:
        with pytest.raises(Invalid):
            callback.check_url(url, hosts)


def test_a_name_must_not_lead_to_a_private_address(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a name server that somebody else runs says so; an address itself may be listed."""
    port = int(listener.host.rpartition(":")[2])
    before = len(listener.calls)
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: answer)
    with pytest.raises(callback.CallbackFailed, match="private"):
        callback.deliver(f"http://ok.example:{port}/", ["ok.example"], b"key", "c1", b"{}")
    assert len(listener.calls) == before


def test_the_signature_is_that_of_the_standard() -> None:
    headers = callback.signed(b"secret", "msg_1", b'{"a":1}', 1700000000.9)
    wanted = hmac.digest(b"secret", b'msg_1.1700000000.{"a":1}', hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()


def test_the_key_is_made_once_and_may_be_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert callback.read_key(path) == callback.read_key(path) and len(callback.read_key(path)) == 32
    path.write_text("my own\n")
    assert callback.read_key(path) == b"my own"
