"""What the service lets in: a bounded queue, readiness, other origins."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import openai
import pytest

from .conftest import ORIGIN
from .server import Server, serving, until

SPEECH = {
    "model": "tone",
    "input": "One two three four five six seven eight.",
    "voice": "tone-a",
    "response_format": "pcm",
}


def test_a_full_queue_refuses_the_rest_at_once_and_serves_all_it_took(slow: Server) -> None:
    """Twenty at once against a queue of ten (and one row that works)."""
    order: list[int] = []

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        response = await client.post("/v1/audio/speech", json=SPEECH)
        order.append(response.status_code)
        return response

    async def all_at_once() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=slow.url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(ask(client) for _ in range(20)))

    responses = asyncio.run(all_at_once())
    refused = [response for response in responses if response.status_code == 429]
    served = [response for response in responses if response.status_code == 200]
    assert len(served) + len(refused) == 20
    assert 10 <= len(served) <= 14  # the row frees a place every 0.4 s while they arrive
    assert len({response.content for response in served}) == 1
    assert served[0].content
    assert order[: len(refused) - 1].count(429) >= len(refused) - 2  # nobody waited to hear no
    for response in refused:
        assert 1 <= int(response.headers["retry-after"]) <= 120
        assert response.headers["x-should-retry"] == "true"
        assert response.json()["error"]["code"] == "queue_full"
    until(slow.is_idle, "the queue is empty again", 5)


def test_who_would_wait_too_long_is_refused_at_once_and_nobody_waits_in_vain(tmp_path: Path) -> None:
    """Two hundred at once, thrice what is spoken within the six seconds that a request may wait."""
    flags = ["--engine", "tone", "--engine-options", "rows=2,step_ms=5,char_ms=2", "--no-page"]
    flags += ["--max-waiting", "1000", "--queue-timeout", "6", "--rate", "off"]

    async def ask(client: httpx.AsyncClient) -> tuple[float, httpx.Response]:
        began = time.monotonic()
        response = await client.post("/v1/audio/speech", json=SPEECH)
        return time.monotonic() - began, response

    async def scene(url: str) -> list[tuple[float, httpx.Response]]:
        async with httpx.AsyncClient(
            base_url=url, timeout=60, limits=httpx.Limits(max_connections=200)
        ) as client:
            await asyncio.gather(
                *(ask(client) for _ in range(20))
            )  # the service learns how fast its engine is
            return await asyncio.gather(*(ask(client) for _ in range(200)))

    with serving(tmp_path, *flags) as server:
        answers = asyncio.run(scene(server.url))
        refused = [(seconds, response) for seconds, response in answers if response.status_code == 429]
        assert {response.status_code for _, response in answers} == {200, 429}
        assert 40 <= len(refused) <= 190
        for seconds, response in refused:
            assert response.json()["error"]["code"] == "queue_long"
            assert 1 <= int(response.headers["retry-after"]) <= 120
            assert seconds < 3, "nobody waits to hear no"
        until(server.is_idle, "the queue is empty again", 5)


def test_the_sdk_comes_back_after_a_full_queue(slow: Server) -> None:
    """Its retries obey Retry-After, so that fourteen calls at once all succeed in the end."""

    async def scene() -> list[bytes]:
        async with openai.AsyncOpenAI(base_url=f"{slow.url}/v1", api_key="none", max_retries=5) as api:

            async def speak() -> bytes:
                response = await api.audio.speech.create(
                    model="tone", input="One.", voice="tone-a", response_format="pcm"
                )
                return response.content

            return await asyncio.gather(*(speak() for _ in range(14)))

    assert len(set(asyncio.run(scene()))) == 1


def test_while_the_model_loads_only_the_speech_waits(loading: Server) -> None:
    health = httpx.get(f"{loading.url}/healthz", timeout=10)
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    assert health.json()["model_loaded"] is False
    assert abs(health.json()["timestamp"] - time.time()) < 60
    ready = httpx.get(f"{loading.url}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["state"]) == (503, "loading")
    assert 0 <= ready.json()["fraction"] < 1
    assert ready.headers["retry-after"]
    assert httpx.head(f"{loading.url}/readyz", timeout=10).status_code == 503
    preview = httpx.post(f"{loading.url}/v1/audio/preview", json={"text": "One. Two."}, timeout=10)
    assert len(preview.json()["segments"]) == 2


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/tts", "/tts/generate", "/tts", "/synthesize"])
def test_while_the_model_loads_speech_is_503_with_retry_after(loading: Server, path: str) -> None:
    fields = {**SPEECH, "text": "Hello."}
    form = path.startswith("/tts")
    response = httpx.post(
        loading.url + path,
        data={"text": "Hello."} if form else None,
        json=None if form else fields,
        timeout=10,
    )
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "loading"
    assert 1 <= int(response.headers["retry-after"]) <= 120
    assert response.headers["x-should-retry"] == "true"


def preflight(server: Server, origin: str) -> httpx.Response:
    """What a browser asks before it posts JSON to another site."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return httpx.options(f"{server.url}/v1/audio/speech", headers=headers)


def test_other_origins_are_closed_by_default(tone: Server) -> None:
    assert "access-control-allow-origin" not in preflight(tone, ORIGIN).headers
    response = httpx.get(f"{tone.url}/v1/models", headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in response.headers


def test_a_configured_origin_may_call_and_others_may_not(slow: Server) -> None:
    allowed = preflight(slow, ORIGIN)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in preflight(slow, "https://evil.example").headers
    refused = httpx.post(f"{slow.url}/v1/audio/speech", content=b"{", headers={"Origin": ORIGIN})
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in refused.headers["access-control-expose-headers"].lower()
