"""What operators see and do: everybody's requests, the last errors, the logs, the model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.server import Server, serving, until

BODY = {"model": "tone", "voice": "tone-a", "response_format": "pcm"}
SLOW = "Bcdfghjk bcdfghjk bcdfghjk. " * 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers of one row each: 10 ms of work and 20 ms of sound a character."""
    flags = ["--engine", "tone", "--device", "a,b", "--no-page"]
    flags += ["--engine-options", "rows=1,step_ms=10,char_ms=20,ahead=0"]
    with serving(tmp_path_factory.mktemp("admin"), *flags) as server:
        yield server


def speak(server: Server, text: str, request_id: str = "") -> httpx.Response:
    """One request."""
    headers = {"x-request-id": request_id} if request_id else {}
    return httpx.post(
        f"{server.url}/v1/audio/speech", json={**BODY, "input": text}, headers=headers, timeout=60
    )


def get(server: Server, path: str) -> Any:
    """GET below /v1."""
    answer = httpx.get(f"{server.url}/v1/{path}", timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_lone_machine_s_visitor_is_an_admin_who_did_not_sign_in(server: Server) -> None:
    assert get(server, "me") == {"name": "", "roles": ["admin", "speak", "voices"], "signed_in": False}


def test_any_request_is_seen_and_cancelled(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(speak, server, SLOW, "long-one")
        until(lambda: get(server, "admin/requests")["total"] == 1, "it is under way")
        until(lambda: get(server, "admin/requests")["requests"][0]["state"] == "running", "it runs")
        (one,) = get(server, "admin/requests")["requests"]
        assert (one["request"], one["caller"], one["engine"]) == ("long-one", "127.0.0.1", "tone")
        assert one["characters"] == len(SLOW) and one["segments"] > one["spoken"] and one["age"] > 0
        (own,) = get(server, "requests")["requests"]
        assert own["id"] == "long-one"
        url = f"{server.url}/v1/admin/requests/{one['id']}"
        assert httpx.delete(url).json() == {"id": one["id"], "cancelled": True}
        again = httpx.delete(url)
        assert (again.status_code, again.json()["error"]["code"]) == (404, "request_not_found")
        # before its first sound it is a 409; later it is cut off
        assert isinstance(answer.exception(20), (httpx.RemoteProtocolError, type(None)))
    assert get(server, "admin/requests") == {"requests": [], "total": 0}
    assert get(server, "requests") == {"requests": []}


def test_the_last_errors_are_told_in_words_with_their_count(server: Server) -> None:
    for _ in range(2):
        assert speak(server, "Now [[fail]] this.").status_code == 500
    assert speak(server, "").status_code == 400
    found = get(server, "admin/errors")["errors"]
    (one,) = [item for item in found if item["code"] == "engine_failed"]
    assert one["count"] == 2 and one["engine"] == "tone" and one["first"] <= one["last"] <= time.time()
    assert "could not speak" in one["message"] and "无法合成" in one["message_zh"]
    assert "empty_text" not in [item["code"] for item in found]


def test_logs_are_shown_filtered_and_followed(server: Server) -> None:
    speak(server, "One.", "find-me.1")
    until(lambda: get(server, "admin/logs?file=access&q=FIND-me.1")["lines"], "the line is there")
    assert all("find-me.1" in line for line in get(server, "admin/logs?file=access&q=find-me.1")["lines"])
    assert len(get(server, "admin/logs?file=debug&lines=2")["lines"]) == 2
    for query in ("file=../secret", "lines=0", "lines=100000", f"q={'x' * 300}"):
        answer = httpx.get(f"{server.url}/v1/admin/logs?{query}", timeout=20)
        assert answer.status_code == 400, query
    url = f"{server.url}/v1/admin/logs/events?file=access&q=find-me"
    with httpx.stream("GET", url, timeout=20) as stream:
        events = _events(stream.iter_lines())
        kind, data = next(events)
        assert kind == "tail" and any("find-me.1" in line for line in data["lines"])
        speak(server, "Two.", "find-me.2")
        kind, data = next(events)
        assert kind == "lines" and ["find-me.2" in line for line in data["lines"]] == [True]


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


def test_the_model_is_not_unloaded_at_work_and_comes_back_when_asked(server: Server) -> None:
    def unload() -> httpx.Response:
        return httpx.post(f"{server.url}/v1/admin/model/unload", timeout=20)

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(speak, server, "Bcdfghjk. " * 8)
        until(lambda: server.status()["running"], "it works")
        refused = unload()
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_busy")
        assert answer.result(30).status_code == 200
    until(server.is_idle, "it is idle")
    assert unload().json() == {"state": "asleep", "engine": "tone"}
    assert unload().status_code == 200, "it may be said twice"
    assert [worker["state"] for worker in server.status()["workers"]] == ["asleep"] * 2
    assert speak(server, "Wake up.").status_code == 200
    until(lambda: {worker["state"] for worker in server.status()["workers"]} == {"ready"}, "both are back")


def test_a_reload_replaces_each_worker_in_its_turn_and_loses_nothing(server: Server) -> None:
    before = [worker["restarts"] for worker in server.status()["workers"]]
    over, codes, seen = threading.Event(), [], set()

    def ask_again_and_again(number: int) -> None:
        while not over.is_set():
            codes.append(speak(server, f"Sentence {number}. Another one.").status_code)

    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask_again_and_again, number) for number in range(3)]
        until(lambda: len(codes) > 5, "requests are served")
        assert httpx.post(f"{server.url}/v1/admin/model/reload", timeout=20).status_code == 200

        def reloaded() -> bool:
            workers = server.status()["workers"]
            seen.add(tuple(worker["state"] for worker in workers))
            after = [worker["restarts"] for worker in workers]
            return after == [count + 1 for count in before] and seen >= {("ready", "ready")}

        until(reloaded, "both workers are other ones", 60)
        until(lambda: {worker["state"] for worker in server.status()["workers"]} == {"ready"}, "both serve")
        over.set()
        for one in asking:
            one.result(30)
    assert set(codes) == {200}
    assert all("ready" in states for states in seen), f"one at a time: {seen}"
    reasons = [item["code"] for item in get(server, "admin/errors")["errors"]]
    assert "worker_ended" not in reasons, "what was meant is no error"


def test_the_series_follow_what_metrics_count(server: Server) -> None:
    speak(server, "One sentence here. Another one there.")
    newest = get(server, "status/series")["samples"][-1:]
    number = newest[0]["number"] if newest else 0
    until(lambda: get(server, f"status/series?after={number}")["samples"], "the next sample", 15)
    answer = get(server, "status/series")
    last = answer["samples"][-1]
    assert answer["step"] == 5 and answer["began"] < last["at"] <= time.time() + 1
    assert last["segments"] > 0 and last["first_p95"] > 0 and last["engines"]["tone"]["segments"] > 0
    assert {worker["device"] for worker in last["workers"]} == {"a", "b"}
    assert httpx.get(f"{server.url}/v1/status/series?after=x", timeout=20).status_code == 400
