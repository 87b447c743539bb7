"""The service behind a real nginx and a real Caddy: everything that it promises is still so."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..api.server import Server, free_port, serving, until
from .proxies import NAME, Front, caddy, nginx

pytestmark = pytest.mark.slow
SLOW = ("--engine", "tone", "--engine-options", "step_ms=20", "--max-batch-size", "1")
LONG = " ".join(["One two three four five six seven eight."] * 20)  # 16 s of work, in 20 segments
MAKERS: dict[str, Any] = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On loopback, as the files of deploy/ expect it."""
    home = tmp_path_factory.mktemp("home")
    flags = ("--trusted-proxies", "127.0.0.1", "--log-format", "json", "--cors-origins", "")
    with serving(home, *SLOW, *flags) as running:
        yield running


@pytest.fixture(scope="module", params=list(MAKERS))
def front(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """Each proxy in turn."""
    with MAKERS[request.param](tmp_path_factory.mktemp("front") / "proxy", server.port) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx, for what only it does."""
    with nginx(tmp_path_factory.mktemp("guarded") / "proxy", server.port) as running:
        yield running


def _speech(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "tone", "voice": "tone-a", "input": text, "response_format": "pcm", **fields}


def _lines(server: Server) -> list[dict[str, Any]]:
    file = server.home / "logs" / "tts_access.log"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_sound_comes_over_tls_and_plain_http_is_sent_there(front: Front) -> None:
    with front.client() as client:
        answer = client.post("/v1/audio/speech", json=_speech("Hello."))
        assert answer.status_code == 200 and len(answer.content) > 1000
    moved = httpx.get(f"http://127.0.0.1:{front.plain}/v1/models", headers={"Host": NAME}, timeout=20)
    assert moved.status_code in (301, 308)
    assert moved.headers["location"].startswith(f"https://{NAME}")


def test_events_pass_unheld_and_who_leaves_is_noticed(front: Front, server: Server) -> None:
    headers = {"X-Request-Id": f"leaves-{front.port}"}
    with (
        front.client() as client,
        client.stream(
            "POST", "/v1/audio/speech", json=_speech(LONG, stream_format="sse"), headers=headers
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()  # kept: its end would be the stream's
        while "speech.audio.delta" not in next(lines):
            pass
        assert not server.is_idle(), "it was held back until all was spoken"
        # those of progress are small: they would stay in a buffer until the end
        with client.stream("GET", f"/v1/requests/{headers['X-Request-Id']}/events") as progress:
            assert next(progress.iter_lines())
            assert not server.is_idle(), "small events were held back until all was spoken"
    until(server.is_idle, "the work for the one who left ends")
    until(
        lambda: any(line["id"] == headers["X-Request-Id"] for line in _lines(server)), "the access log has it"
    )
    (line,) = (line for line in _lines(server) if line["id"] == headers["X-Request-Id"])
    assert line["outcome"] == "cancelled"


def test_sound_of_unknown_length_passes_unheld(front: Front, server: Server) -> None:
    with front.client() as client, client.stream("POST", "/v1/audio/speech", json=_speech(LONG)) as answer:
        sound = answer.iter_bytes()
        assert next(sound)
        assert not server.is_idle(), "it was held back until all was spoken"
    until(server.is_idle, "the work for the one who left ends")


def test_the_service_sees_the_client_and_believes_no_claim(front: Front, server: Server) -> None:
    name = f"who-{front.port}"
    with front.client() as client:
        client.get("/v1/models", headers={"X-Request-Id": name, "X-Forwarded-For": "203.0.113.9"})
    until(lambda: any(line["id"] == name for line in _lines(server)), "the access log has it")
    (line,) = (line for line in _lines(server) if line["id"] == name)
    assert line["address"] == "127.0.0.1"


def test_a_large_body_is_refused_in_the_services_words(front: Front) -> None:
    with front.client() as client:
        fits = client.post("/v1/audio/preview", content=b"x" * (10 << 20))
        assert fits.status_code == 400, "the service itself has answered"
        answer = client.post("/v1/audio/preview", content=b"x" * ((10 << 20) + 1))
        assert answer.status_code == 413
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_the_page_works_behind_it(front: Front) -> None:
    """Gradio's own queue: an event joins, and its outcome comes as server-sent events."""
    with front.client() as client:
        page = client.get("/")
        assert page.status_code == 200
        config = client.get("/config").json()
        assert config["root"] == f"https://{NAME}", "else the browser would be sent elsewhere"
        event = next(one for one in config["dependencies"] if one["backend_fn"] and one["queue"] is not False)
        values = {one["id"]: one["props"].get("value") for one in config["components"]}
        told = {
            "data": [values[one] for one in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": "behind",
            "event_data": None,
            "trigger_id": None,
        }
        joined = client.post("/gradio_api/queue/join", json=told)
        assert joined.status_code == 200, joined.text
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "behind"}) as events:
            seen = [json.loads(line[5:])["msg"] for line in events.iter_lines() if line.startswith("data:")]
    assert "process_completed" in seen


def test_figures_are_for_the_machine_itself(front: Front) -> None:
    with front.client() as client:
        assert "tts_ready 1.0" in client.get("/metrics").text


def test_nginx_stops_a_flood_but_not_readers(guarded: Front) -> None:
    refused: list[httpx.Response] = []

    def flood() -> None:
        with guarded.client() as client:
            while not refused:
                answer = client.post("/v1/audio/preview", json={})
                if answer.status_code == 429:
                    refused.append(answer)

    floods = [threading.Thread(target=flood, daemon=True) for _ in range(4)]
    for thread in floods:
        thread.start()
    until(lambda: refused, "one is refused")
    for thread in floods:
        thread.join(30)
    assert refused[0].json()["error"]["code"] == "rate_limited"
    assert refused[0].headers["retry-after"] == "1"
    with guarded.client() as client, ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: client.get("/healthz").status_code, range(60)))
    assert codes == [200] * 60


def test_nginx_says_that_the_service_is_away(tmp_path: Path) -> None:
    with nginx(tmp_path / "proxy", free_port()) as alone, alone.client() as client:
        answer = client.get("/v1/models")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
    assert answer.json()["error"]["code"] == "not_ready"


def test_caddy_says_that_the_service_is_away(tmp_path: Path) -> None:
    with caddy(tmp_path / "proxy", free_port()) as alone, alone.client() as client:
        answer = client.get("/v1/models")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
    assert answer.json()["error"]["code"] == "not_ready"


def _serve_upgrades(listener: socket.socket) -> None:
    """Each connection in turn: switches as a websocket server does, then sends back what comes; else 400. A proxy may
    end one by a reset, as may its look whether anybody is there."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:  # closed: the test is over
            return
        with peer, contextlib.suppress(ConnectionError):
            head = b""
            while b"\r\n\r\n" not in head and (data := peer.recv(4096)):
                head += data
            wanted = (rb"(?im)^upgrade: *websocket\r$", rb"(?im)^connection: *upgrade\r$")
            if not all(re.search(pattern, head) for pattern in wanted):
                peer.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                continue
            switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            peer.sendall(switch)
            while data := peer.recv(4096):
                peer.sendall(data)


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_a_websocket_would_pass(make: Callable[..., Any], tmp_path: Path) -> None:
    """No route is one today; a page of tomorrow may have one."""
    asked = f"GET /x HTTP/1.1\r\nHost: {NAME}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    asked += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve_upgrades, args=(listener,), daemon=True).start()
        with (
            make(tmp_path / "proxy", listener.getsockname()[1]) as front,
            socket.create_connection(("127.0.0.1", front.port), 20) as plain,
            front.trust.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(asked.encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += secure.recv(4096)
            assert head.startswith(b"HTTP/1.1 101 "), head
            secure.sendall(b"ping")
            assert secure.recv(4) == b"ping"
        listener.shutdown(socket.SHUT_RDWR)
