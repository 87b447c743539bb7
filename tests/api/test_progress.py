"""Where a request stands, for who made it; and how soon the engine drops what its client left."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .server import Server, serving, until

LONG = "A sentence of some length that takes its time. " * 12


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One row; its steps are counted in ``steps``."""
    home = tmp_path_factory.mktemp("counted")
    flags = ["--engine", "tone", "--engine-options", f"rows=1,ahead=0,step_ms=10,steps={home}/steps"]
    with serving(home, "--no-page", *flags, "--max-user-segments", "60", "--require-key", "off") as server:
        yield server


class Asking:
    """Speech requests in threads of their own, ended with the block."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._threads: list[threading.Thread] = []
        self.answers: dict[str, int] = {}

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.answers):
            httpx.delete(f"{self._server.url}/v1/requests/{name}", timeout=10)
        for thread in self._threads:
            thread.join(20)
        until(self._server.is_idle, "nothing runs any more", 10)

    def ask(self, name: str, text: str = LONG) -> None:
        """One more request, called ``name``."""
        self.answers[name] = 0
        body = {"model": "tone", "voice": "tone-a", "input": text, "response_format": "pcm"}

        def go() -> None:
            headers = {"X-Request-Id": name}
            try:
                answer = httpx.post(
                    f"{self._server.url}/v1/audio/speech", json=body, headers=headers, timeout=60
                )
                self.answers[name] = answer.status_code
            except httpx.TransportError:
                self.answers[name] = -1

        self._threads.append(threading.Thread(target=go))
        self._threads[-1].start()

    def progress(self, name: str) -> dict[str, Any]:
        """GET /v1/requests/{id}, once it is known."""
        found: list[httpx.Response] = []

        def known() -> bool:
            found.append(httpx.get(f"{self._server.url}/v1/requests/{name}", timeout=10))
            return found[-1].status_code == 200

        until(known, f"{name} is known", 10)
        answer: dict[str, Any] = found[-1].json()
        return answer


def _running(asking: Asking, name: str) -> None:
    until(lambda: asking.progress(name)["state"] == "running", f"{name} runs", 20)


def test_a_waiting_request_is_told_its_place_and_a_running_one_how_far_it_is(counted: Server) -> None:
    with Asking(counted) as asking:
        asking.ask("first")
        _running(asking, "first")
        until(lambda: asking.progress("first")["spoken"] >= 1, "a segment is spoken", 20)
        first = asking.progress("first")
        assert (first["segments"], first["position"], first["eta"]) == (12, None, None)
        assert first["audio_seconds"] > 0 and first["age"] > 0 and not first["background"]
        for name in ("second", "third"):
            asking.ask(name)
            asking.progress(name)
        second, third = asking.progress("second"), asking.progress("third")
        if second["state"] == "queued":  # it may have begun meanwhile
            assert second["position"] == 0 and second["eta"] is not None
        if third["state"] == "queued" and second["state"] == "queued":
            assert third["position"] == 1 and third["eta"] >= second["eta"]
    answer = httpx.get(f"{counted.url}/v1/requests/first", timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request_not_found")


def test_the_events_tell_each_change_to_the_end_and_leave_the_request_alone(counted: Server) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    with Asking(counted) as asking:
        asking.ask("book", "A few words. " * 12)
        asking.progress("book")
        with httpx.stream("GET", f"{counted.url}/v1/requests/book/events", timeout=30) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    events.append((name, json.loads(line.removeprefix("data: "))))
                    if len(events) == 3:  # a second listener that leaves again
                        with httpx.stream(
                            "GET", f"{counted.url}/v1/requests/book/events", timeout=30
                        ) as other:
                            next(other.iter_lines())
        until(lambda: asking.answers["book"], "the answer", 20)
        assert asking.answers["book"] == 200
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    spoken = [data["spoken"] for _, data in events]
    assert spoken == sorted(spoken) and len(set(spoken)) > 5
    assert events[-1] == ("ended", {"id": "book", "spoken": 12, "segments": 12, "error": None})


def test_what_one_user_has_waiting_is_bounded_and_the_refusal_says_when_to_come_back(counted: Server) -> None:
    with Asking(counted) as asking:
        for number in range(6):
            asking.ask(f"many-{number}")
            asking.progress(f"many-{number}")
        body = {"model": "tone", "voice": "tone-a", "input": "One."}
        answer = httpx.post(
            f"{counted.url}/v1/audio/speech", json=body, headers={"Accept-Language": "zh"}, timeout=10
        )
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "share_full" and "排队" in answer.json()["error"]["message"]
        assert 1 <= int(answer.headers["retry-after"]) <= 120


def _steps(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _at_most_one_step_more(path: Path, before: int) -> None:
    """Since line ``before``: of each segment that was cancelled while it ran."""
    lines = _steps(path)[before:]
    cancelled = [index for index, line in enumerate(lines) if line[0] == "cancel"]
    assert cancelled, "the engine was not told"
    for index in cancelled:
        later = [line for line in lines[index:] if line[0] == "step" and lines[index][1] in line]
        assert len(later) <= 1, f"{len(later)} steps for what nobody waits for"


@pytest.mark.parametrize("how", ["hang up", "delete"])
def test_the_engine_makes_at_most_one_step_for_a_client_that_left(counted: Server, how: str) -> None:
    path = counted.home / "steps"
    before = len(_steps(path))
    body = json.dumps({"model": "tone", "voice": "tone-a", "input": LONG}).encode()
    head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: left-{how[:4].strip()}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", counted.port), timeout=10) as client:
        client.sendall(head.encode() + body)
        until(lambda: len(_steps(path)) > before + 3, "it runs", 20)
        if how == "delete":
            answer = httpx.delete(f"{counted.url}/v1/requests/left-{how[:4]}", timeout=10)
            assert answer.status_code == 200
    until(counted.is_idle, "nothing runs any more", 10)
    httpx.post(  # the engine steps on, for somebody else
        f"{counted.url}/v1/audio/speech",
        json={"model": "tone", "voice": "tone-a", "input": "One."},
        timeout=20,
    )
    _at_most_one_step_more(path, before)


@pytest.mark.slow
def test_the_engine_stops_with_a_service_that_shuts_down(tmp_path: Path) -> None:
    flags = [
        "--engine",
        "tone",
        "--engine-options",
        f"step_ms=20,steps={tmp_path}/steps",
        "--drain-timeout",
        "0",
    ]
    with serving(tmp_path, *flags) as server:
        asking = Asking(server)
        asking.ask("last")
        _running(asking, "last")
        before = len(_steps(tmp_path / "steps"))
        until(lambda: len(_steps(tmp_path / "steps")) > before + 2, "it runs", 20)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        _at_most_one_step_more(tmp_path / "steps", 0)
