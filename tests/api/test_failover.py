"""Failover over HTTP: two test engines behind a real server; what its answers say of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from .cloning import added, refusal
from .server import Server, serving

FAILS = "Some words [[fail]]. And some more."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cloning engine, and one behind it that speaks what makes the first one fail."""
    flags = ["--engine", "tone-clone", "--no-page", "--backup", "tone", "--rate", "off"]
    options = ["--engine-options", "char_ms=20,backup.deaf=1,backup.char_ms=20"]
    with serving(tmp_path_factory.mktemp("failover"), *flags, *options) as running:
        added(running, "Anna")
        yield running


def ask(server: Server, **fields: Any) -> httpx.Response:
    """POST /v1/audio/speech."""
    body = {"model": "tts-1", "voice": "alloy", "input": FAILS, "response_format": "wav", **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=30)


def test_a_stock_name_is_spoken_by_the_backup_and_the_answer_says_so(server: Server) -> None:
    good = ask(server, input="Nothing fails here.")
    assert good.headers["x-tts-engine"] == "tone-clone" and "x-tts-note" not in good.headers
    answer = ask(server)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-tts-engine"] == "tone"
    assert "'tone' speaks this" in answer.headers["x-tts-note"]
    assert "engine_failed" in answer.headers["x-tts-note"]
    by_number = httpx.post(f"{server.url}/api/tts", json={"text": FAILS, "speaker_id": 1}, timeout=30)
    assert by_number.headers["x-tts-engine"] == "tone" and by_number.headers["x-tts-note"]


def test_a_cloned_voice_is_kept_unless_any_will_do(server: Server) -> None:
    assert refusal(ask(server, voice="Anna")) == (500, "engine_failed", None)
    assert ask(server, voice="Anna", fallback="any").headers["x-tts-engine"] == "tone"
    assert refusal(ask(server, emotion="sad")) == (500, "engine_failed", None)
    plain = ask(server, emotion="sad", fallback="any")
    assert "without the emotion" in plain.headers["x-tts-note"]
    assert refusal(ask(server, fallback="some")) == (400, "not_one_of", "fallback")


def test_the_end_of_an_event_stream_tells_the_engine_and_why(server: Server) -> None:
    lines = ask(server, stream_format="sse").text.splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert base64.b64decode(events[0]["audio"])[:4] == b"RIFF"
    assert events[-1]["type"] == "speech.audio.done" and events[-1]["engine"] == "tone"
    assert "'tone' speaks this" in events[-1]["note"]


def test_the_status_shows_both_engines(server: Server) -> None:
    assert ask(server).status_code == 200
    status = server.status()
    assert status["engine"] == "tone-clone" and status["ready"] and not status["stands_in"]
    assert [one["engine"] for one in status["backends"]] == ["tone-clone", "tone"]
    assert [one["breaker"] for one in status["backends"]] == ["closed", "closed"]
    assert [one["state"] for one in status["backends"]] == ["ready", "ready"]
