"""What the tests of voices and emotions share: recordings, uploads, and what the engine received."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx

from ..recordings import MINE, recording
from .server import Server


def upload(server: Server, name: str, seed: int = 0, **fields: Any) -> httpx.Response:
    """POST /v1/audio/voices."""
    return httpx.post(
        f"{server.url}/v1/audio/voices",
        data={"name": name, "statement": MINE, **fields},
        files={"file": ("me.wav", recording(seed), "audio/wav")},
        timeout=30,
    )


def added(server: Server, name: str, seed: int = 0, **fields: Any) -> dict[str, Any]:
    """The same, which works."""
    answer = upload(server, name, seed, **fields)
    assert answer.status_code == 201, answer.text
    voice: dict[str, Any] = answer.json()
    return voice


def say(server: Server, **fields: Any) -> httpx.Response:
    """POST /v1/audio/speech of a text that nobody else says."""
    text = fields.pop("input", f"Word {uuid.uuid4().hex[:12]}.")
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav", **fields}
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=30)
    answer.text_said = text  # type: ignore[attr-defined]
    return answer


def received(server: Server, answer: httpx.Response) -> dict[str, Any]:
    """The segment, as the engine received it, of an answer to :func:`say`."""
    assert answer.status_code == 200, answer.text
    return received_text(server, answer.text_said)  # type: ignore[attr-defined]


def received_text(server: Server, text: str) -> dict[str, Any]:
    """The segment of that text, as the engine received it."""
    lines = (server.home / "received.jsonl").read_text("utf-8").splitlines()
    (found,) = [segment for segment in map(json.loads, lines) if segment["text"] == text]
    segment: dict[str, Any] = found
    return segment


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code, param."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["param"]
