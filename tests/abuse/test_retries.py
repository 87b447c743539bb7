"""The real, unmodified OpenAI SDK against a full queue: it waits as told, comes back, and is served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import openai
import pytest

from ..api.server import Server, serving, until

BUSY = {"model": "tone", "voice": "tone-a", "response_format": "pcm"}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One row, 30 ms a character, one place in the queue."""
    options = ["--engine", "tone", "--no-page", "--engine-options", "rows=1,ahead=0,step_ms=30,char_ms=20"]
    with serving(tmp_path_factory.mktemp("narrow"), *options, "--max-waiting", "1") as server:
        yield server


def occupy(server: Server, text: str) -> threading.Thread:
    """A request of somebody else."""
    body = {**BUSY, "input": text}
    thread = threading.Thread(
        target=lambda: httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=60)
    )
    thread.start()
    return thread


def test_the_sdk_with_its_own_settings_waits_for_a_full_queue_and_succeeds(narrow: Server) -> None:
    seen: list[tuple[float, httpx.Response]] = []
    sent: list[float] = []
    hooks = {
        "request": [lambda _request: sent.append(time.monotonic())],
        "response": [lambda response: seen.append((time.monotonic(), response))],
    }
    with (
        openai.DefaultHttpxClient(event_hooks=hooks) as http,
        openai.OpenAI(base_url=f"{narrow.url}/v1", api_key="none", http_client=http) as api,
    ):
        others = [occupy(narrow, "a" * 55)]
        until(lambda: narrow.status()["running"] == 1, "the engine is busy")
        others.append(occupy(narrow, "b" * 20))
        until(lambda: narrow.status()["waiting"] == 1, "the queue is full")
        sound = api.audio.speech.create(
            model="tone", input="Here I am.", voice="tone-a", response_format="pcm"
        ).content
    for thread in others:
        thread.join(60)
    assert sound
    statuses = [response.status_code for _, response in seen]
    assert statuses[0] == 429 and statuses[-1] == 200
    for (refused, response), again in zip(seen[:-1], sent[1:], strict=True):
        assert again - refused >= int(response.headers["retry-after"])


def test_the_sdk_does_not_try_again_what_cannot_succeed(narrow: Server) -> None:
    statuses: list[int] = []
    hooks = {"response": [lambda response: statuses.append(response.status_code)]}
    with (
        openai.DefaultHttpxClient(event_hooks=hooks) as http,
        openai.OpenAI(base_url=f"{narrow.url}/v1", api_key="none", http_client=http) as api,
        pytest.raises(openai.NotFoundError),
    ):
        api.audio.speech.create(model="tone", input="Hi.", voice="nobody-here")
    assert statuses == [404]
