"""What a real server writes of its requests: metrics, the access log, the debug log, the usage table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

from tests.api.server import Server, serving, until

BODY = {"model": "tone", "voice": "tone-a", "response_format": "wav"}
TEXT = "One sentence here. Another sentence there."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JSON logs with everything in them."""
    flags = ["--engine", "tone", "--no-page", "--engine-options", "step_ms=1", "--log-format", "json"]
    with serving(tmp_path_factory.mktemp("records"), *flags, "--log-level", "debug") as server:
        yield server


def speak(
    server: Server, text: str = TEXT, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    """One request."""
    body = {**BODY, "input": text, **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, headers=headers, timeout=60)


def figures(server: Server) -> dict[tuple[str, ...], float]:
    """GET /metrics: (name, label values in the order of their names) -> value."""
    answer = httpx.get(f"{server.url}/metrics", timeout=20)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def entries(path: Path, request_id: str) -> list[dict[str, Any]]:
    """Lines of a log that are about a request."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return [item for item in found if request_id in (item.get("id"), item.get("request"))]


def usage(server: Server, request_id: str) -> list[dict[str, Any]]:
    """Rows of a request."""
    path = server.home / "usage.sqlite3"
    if not path.exists():
        return []
    database = sqlite3.connect(path)
    try:
        database.row_factory = sqlite3.Row
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage'").fetchone():
            return []  # made a moment before its table is
        return [dict(row) for row in database.execute("SELECT * FROM usage WHERE id = ?", (request_id,))]
    finally:
        database.close()


def test_metrics_count_what_was_spoken(server: Server) -> None:
    before = figures(server)
    assert speak(server).status_code == 200
    assert speak(server, "Now [[fail]] this.").status_code == 500
    assert speak(server, "").status_code == 400
    after = figures(server)

    def grown(*key: str) -> float:
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert grown("tts_requests_total", "interactive", "", "tone", "ok") == 1
    assert grown("tts_requests_total", "interactive", "engine_failed", "tone", "engine_failed") == 1
    assert grown("tts_requests_total", "interactive", "empty_text", "", "invalid") == 1
    assert grown("tts_segment_failures_total", "engine_failed") == 1
    assert grown("tts_segment_seconds_count", "tone") == 2
    for name in ("first_audio_seconds", "wait_seconds", "realtime_factor"):
        assert grown(f"tts_{name}_count", "interactive", "tone") == 1
    assert grown("tts_characters_total", "interactive", "tone") == len(TEXT)
    assert 2 < grown("tts_audio_seconds_total", "interactive", "tone") < 3
    assert after[("tts_ready",)] == 1 and after[("tts_queue_waiting",)] == 0
    assert after[("tts_worker_state", "cpu", "tone", "ready")] == 1
    assert after[("tts_worker_memory_bytes", "cpu", "tone")] > 1e7
    assert after[("process_resident_memory_bytes",)] > 1e7


def test_one_id_goes_from_the_door_to_the_engine(server: Server) -> None:
    """The access log, the server's debug log, and the worker's own lines on standard error."""
    assert speak(server, headers={"x-request-id": "trace-me.1"}).status_code == 200
    logs = server.home / "logs"
    until(lambda: len(entries(logs / "tts_debug.log", "trace-me.1")) >= 3, "the server's lines")
    until(lambda: len(entries(server.home / "server.out", "trace-me.1")) >= 4, "the worker's lines, too")
    worker = [
        line for line in entries(server.home / "server.out", "trace-me.1") if line["logger"] == "tts.worker"
    ]
    assert [line["message"].rpartition(": ")[2] for line in worker].count("spoken") == 2
    until(lambda: entries(logs / "tts_access.log", "trace-me.1"), "the line of the access log")
    (access,) = entries(logs / "tts_access.log", "trace-me.1")
    assert (access["address"], access["caller"], access["status"]) == ("127.0.0.1", "addr:127.0.0.1", 200)
    assert access["characters"] == len(TEXT) and access["outcome"] == "ok" and access["engine"] == "tone"
    assert 2 < access["audio_seconds"] < 3 and 0 <= access["wait_seconds"] <= access["seconds"]
    assert 0 < access["first_seconds"] <= access["seconds"]


def test_each_request_has_one_row(server: Server) -> None:
    speak(server, headers={"x-request-id": "good"})
    speak(server, "Now [[fail]] this.", headers={"x-request-id": "bad"})
    speak(server, "", headers={"x-request-id": "refused"})
    until(lambda: usage(server, "good") and usage(server, "bad"), "the rows are there")
    (good,), (bad,) = usage(server, "good"), usage(server, "bad")
    assert (good["outcome"], good["caller"], good["characters"]) == ("ok", "addr:127.0.0.1", len(TEXT))
    assert good["segments"] == 2 and good["engine_seconds"] > 0 and good["audio_seconds"] > 2
    assert bad["outcome"] == "engine_failed" and not usage(server, "refused")
    access = server.home / "logs" / "tts_access.log"
    until(lambda: entries(access, "refused"), "the refusal is in the access log")
    assert entries(access, "refused")[0]["outcome"] == "empty_text"


def test_a_client_that_hangs_up_is_told_as_cancelled(server: Server) -> None:
    body = {**BODY, "input": "Long. " * 300}
    headers = {"x-request-id": "hung-up"}
    with httpx.stream(
        "POST", f"{server.url}/v1/audio/speech", json=body, headers=headers, timeout=60
    ) as answer:
        next(answer.iter_raw())
    until(lambda: usage(server, "hung-up"), "the row is there")
    (row,) = usage(server, "hung-up")
    assert row["outcome"] == "cancelled" and row["first_seconds"] > 0
    until(lambda: entries(server.home / "logs" / "tts_access.log", "hung-up"), "the line is there")
    assert entries(server.home / "logs" / "tts_access.log", "hung-up")[0]["outcome"] == "cancelled"


def test_equal_requests_are_answered_from_what_was_kept(server: Server) -> None:
    first = speak(server, "Keep this one.", cache=True)
    again = [speak(server, "Keep this one.", cache=True, response_format=fmt) for fmt in ("wav", "mp3")]
    assert "x-tts-source" not in first.headers
    until(
        lambda: speak(server, "Keep this one.", cache=True).headers["x-tts-source"] == "cached", "it is kept"
    )
    assert {answer.headers["x-tts-source"] for answer in again} <= {"cached", "shared"}
    assert first.content == again[0].content != again[1].content
    assert speak(server, "Keep this one.", cache="yes").status_code == 400


def test_the_sdks_idempotency_key_makes_a_retry_safe(server: Server) -> None:
    client = OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    given: dict[str, Any] = {"model": "tone", "voice": "tone-a", "response_format": "wav"}
    headers = {"Idempotency-Key": "order-7"}
    answers = [
        client.audio.speech.with_raw_response.create(input="Pay once.", extra_headers=headers, **given)
        for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["x-tts-source"] in ("cached", "shared")
    other = speak(server, "Pay twice.", headers=headers)
    assert other.status_code == 409 and other.json()["error"]["code"] == "idempotency_mismatch"
    assert speak(server, headers={"Idempotency-Key": "two words"}).status_code == 400
