"""Sound leaves as it is made; who hangs up or cancels leaves nothing running behind."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from .server import Server, until

SENTENCE = "One two three four five six seven eight."  # 40 characters: 0.4 s of work on the slow server
LONG = " ".join([SENTENCE] * 97)
BROKEN = "Said. This one goes on for quite a while and then [[fail]]."
JSON = {"content-type": "application/json"}


def body(text: str, **fields: Any) -> dict[str, Any]:
    """A speech request; pcm, because it needs no codec."""
    return {"model": "tone", "input": text, "voice": "tone-a", "response_format": "pcm", **fields}


def raw_request(server: Server, fields: dict[str, Any], *headers: str) -> socket.socket:
    """A request sent over a plain socket, its answer still to be read."""
    payload = json.dumps(fields).encode()
    lines = ["POST /v1/audio/speech HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head = "\r\n".join([*lines, f"Content-Length: {len(payload)}", *headers, "", ""])
    raw = socket.create_connection(("127.0.0.1", server.port), 30)
    raw.sendall(head.encode() + payload)
    return raw


def read_all(raw: socket.socket) -> bytes:
    """To the end of the connection."""
    parts = []
    while data := raw.recv(65536):
        parts.append(data)
    return b"".join(parts)


async def deltas(lines: AsyncIterator[str]) -> AsyncIterator[int]:
    """A running count of the sse deltas in ``lines``; on the slow server each is one segment."""
    count = 0
    async for line in lines:
        if line.startswith("data: ") and "speech.audio.delta" in line:
            count += 1
            yield count


@contextlib.contextmanager
def busy(server: Server) -> Iterator[None]:
    """The server's only row speaks a long text the while."""
    with raw_request(server, body(LONG)) as raw:
        assert raw.recv(12) == b"HTTP/1.1 200"
        yield
    until(server.is_idle, "the long text was cancelled")


def test_a_short_request_slips_into_a_long_one_and_a_cancel_stops_it(slow: Server) -> None:
    """4,000 characters: heard while later segments are unmade; then a sentence is answered after at
    most two more of its segments; then it is cancelled and nothing of it runs on."""

    async def scene() -> None:
        async with httpx.AsyncClient(base_url=slow.url, timeout=60) as client:
            long = body(LONG, stream_format="sse")
            assert 3900 < len(LONG) <= 4096
            headers = {"X-Request-Id": "the-long-one"}
            async with client.stream("POST", "/v1/audio/speech", json=long, headers=headers) as response:
                assert response.headers["x-request-id"] == "the-long-one"
                lines = response.aiter_lines()
                heard = deltas(lines)
                while await anext(heard) < 3:
                    pass
                assert slow.status()["running"] == 1
                short = asyncio.create_task(client.post("/v1/audio/speech", json=body("Excuse me.")))
                count = 3
                while not short.done():
                    count = await anext(heard)
                assert short.result().status_code == 200
                assert count - 3 <= 2 + 1  # one more may come while this loop waits for it
                cancelled = await client.delete("/v1/requests/the-long-one")
                assert cancelled.json() == {"id": "the-long-one", "cancelled": True}
                rest = [line async for line in lines if line.startswith("data: ")]
                error = json.loads(rest[-1][6:])
                assert error["type"] == "speech.audio.error"
                assert error["error"]["code"] == "cancelled"

    asyncio.run(scene())
    until(slow.is_idle, "nothing waits or runs", 5)


def test_a_request_is_cancelled_by_its_id_before_its_first_byte(slow: Server) -> None:
    with busy(slow), httpx.Client(base_url=slow.url, timeout=30) as client:
        answers: list[httpx.Response] = []
        headers = {"X-Request-Id": "never-heard"}
        speak = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{slow.url}/v1/audio/speech", json=body(SENTENCE), headers=headers, timeout=30)
            )
        )
        speak.start()
        until(lambda: client.delete("/v1/requests/never-heard").status_code == 200, "the request is known")
        speak.join(20)
        assert not speak.is_alive()
        assert answers[0].status_code == 409
        assert answers[0].json()["error"]["code"] == "cancelled"
        assert answers[0].headers["x-should-retry"] == "false"  # else the SDK would send it again
        gone = client.delete("/v1/requests/never-heard")
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "request_not_found")


def test_an_id_in_use_is_refused(slow: Server) -> None:
    with raw_request(slow, body(LONG), "X-Request-Id: twice") as raw:
        assert raw.recv(12) == b"HTTP/1.1 200"
        response = httpx.post(
            f"{slow.url}/v1/audio/speech", json=body(SENTENCE), headers={"X-Request-Id": "twice"}, timeout=30
        )
        assert (response.status_code, response.json()["error"]["code"]) == (409, "id_in_use")
    until(slow.is_idle, "the first one was cancelled by its closed connection", 5)


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_hanging_up_in_mid_stream_cancels(slow: Server, stream_format: str) -> None:
    raw = raw_request(slow, body(LONG, stream_format=stream_format))
    assert raw.recv(12) == b"HTTP/1.1 200"
    assert not slow.is_idle()
    raw.close()
    until(slow.is_idle, "nothing waits or runs", 5)


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/tts", "/synthesize"])
def test_hanging_up_before_the_first_byte_cancels(slow: Server, path: str) -> None:
    with busy(slow):
        before = slow.status()["waiting"] + slow.status()["running"]
        with socket.create_connection(("127.0.0.1", slow.port), 30) as raw:
            payload = json.dumps(body(LONG) | {"text": LONG}).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
            raw.sendall(head.encode() + payload)
            until(lambda: slow.status()["waiting"] + slow.status()["running"] > before, "the request is in")
    until(slow.is_idle, "nothing waits or runs", 5)


def test_a_failure_before_the_first_byte_is_a_status(tone: Server) -> None:
    response = httpx.post(f"{tone.url}/v1/audio/speech", json=body("Oh [[fail]] no."), timeout=20)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "engine_failed"
    assert response.headers["x-should-retry"] == "false"


def test_a_failure_after_the_first_byte_cuts_an_audio_body_off(tone: Server) -> None:
    fields = body(BROKEN, response_format="wav")
    with raw_request(tone, fields) as raw:
        answer = read_all(raw)  # ends only because the server closes the connection
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"RIFF" in answer
    assert not answer.endswith(b"0\r\n\r\n")  # the chunk that would have said "this was all"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{tone.url}/v1/audio/speech", json=fields, timeout=20)


def test_a_failure_after_the_first_byte_is_an_event_in_sse(tone: Server) -> None:
    fields = body(BROKEN, stream_format="sse")
    response = httpx.post(f"{tone.url}/v1/audio/speech", json=fields, timeout=20)
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    assert [event["type"] for event in events] == ["speech.audio.delta", "speech.audio.error"]
    assert events[-1]["error"]["code"] == "engine_failed"


def test_a_wav_of_one_segment_tells_its_true_length(tone: Server) -> None:
    one = httpx.post(
        f"{tone.url}/v1/audio/speech", json=body("One.", response_format="wav"), timeout=20
    ).content
    assert int.from_bytes(one[4:8], "little") == len(one) - 8
    two = httpx.post(
        f"{tone.url}/v1/audio/speech", json=body("One. Two.", response_format="wav"), timeout=20
    ).content
    assert int.from_bytes(two[4:8], "little") > len(two)  # not known when the header left


def test_a_timeout_of_the_request_itself_is_504(slow: Server) -> None:
    with busy(slow):
        fields = body(SENTENCE, timeout=0.2)
        response = httpx.post(f"{slow.url}/v1/audio/speech", json=fields, timeout=30)
    assert (response.status_code, response.json()["error"]["code"]) == (504, "request_timeout")


def kept(server: Server, text: str) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """An output made by /synthesize, and the events that its stream tells."""
    url = httpx.post(f"{server.url}/synthesize", json={"text": text}, timeout=30).json()["audio_url"]
    output_id = url.rpartition("/")[2]
    stream = httpx.get(f"{server.url}/v1/requests/{output_id}/stream", timeout=30)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["x-accel-buffering"] == "no"
    blocks = [block.split("\n") for block in stream.text.strip().split("\n\n")]
    return url, [
        (head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data in blocks
    ]


def test_the_stream_of_a_kept_request_tells_all_of_it(tone: Server) -> None:
    text = "[pause 0.1s]This sentence is more than one second long.[pause 0.2s] The end.[pause 3s]"
    url, events = kept(tone, text)
    kinds = [kind for kind, _ in events]
    assert kinds[-1] == "ended"
    started = next(data for kind, data in events if kind == "started")
    assert (started["engine"], len(started["segments"])) == ("tone", 2)
    assert (started["lead"], started["pauses"]) == (0.1, [0.2, None])  # what ends the text is left out
    audio = [data for kind, data in events if kind == "audio"]
    pcm = [base64.b64decode(data["pcm"]) for data in audio]
    assert max(map(len, pcm)) == 24_000  # half a second of 16 bit at 24 kHz
    assert {data["rate"] for data in audio} == {24_000}
    segments = [data for kind, data in events if kind == "segment"]
    assert [data["index"] for data in segments] == [0, 1]
    assert segments[1]["start"] == pytest.approx(segments[0]["start"] + segments[0]["seconds"], abs=1e-3)
    total = segments[1]["start"] + segments[1]["seconds"]
    assert sum(map(len, pcm)) / 48_000 == pytest.approx(total, abs=1e-3)
    ended = events[-1][1]
    assert (ended["error"], ended["output"]) == (None, url)
    assert ended["usage"]["audio_seconds"] == pytest.approx(total, abs=0.3)
    whole = httpx.get(f"{tone.url}{url}", params={"format": "pcm"}, timeout=20).content
    assert whole == b"".join(pcm)
