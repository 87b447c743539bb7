"""Alert rules and dashboard before a real Prometheus that reads a real service."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..api.server import Server, free_port, serving, until
from .tools import DEPLOY, exchanged, passes, program

pytestmark = pytest.mark.slow
HERE = DEPLOY / "prometheus"
ABSENT = ("tts_gpu_memory_bytes",)  # nothing without a GPU
TONE = ("--engine", "tone", "--engine-options", "step_ms=1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What is scraped."""
    with serving(tmp_path_factory.mktemp("home"), *TONE) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """With the files of deploy/, and a scrape each second."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(HERE / "alerts.yml", folder)
    config = exchanged(
        (HERE / "prometheus.yml").read_text("utf-8"),
        ("tts:7860", f"127.0.0.1:{server.port}"),
        ("_interval: 15s", "_interval: 1s"),
    )
    (folder / "prometheus.yml").write_text(config, "utf-8")
    port = free_port()
    argv = [
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*argv, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=20) as client:
            until(
                lambda: _value(client, 'count_over_time(up{job="tts"}[5m])') >= 2,
                "the service was read twice",
            )
            _use(server)
            ended = "sum(tts_requests_total) + sum(tts_jobs_ended_total)"
            until(lambda: _value(client, ended) >= 6, "what was done is in the figures")
            _use(server)  # now each count grows between two readings
            until(lambda: _value(client, ended) >= 12, "and what was done again")
            yield client
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait(20)


def _use(server: Server) -> None:
    """Speech, the same from the cache, a failure, nonsense, a job."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        body = {"model": "tone", "voice": "tone-a", "input": "Hello there. How are you?", "cache": True}
        for _ in range(2):
            assert client.post("/v1/audio/speech", json=body).status_code == 200
        assert client.post("/v1/audio/speech", json={**body, "input": "It [[fail]]."}).status_code == 500
        assert client.post("/v1/audio/speech", json={**body, "voice": "nobody"}).status_code == 404
        job = client.post("/v1/audio/jobs", json={"input": "One line.\nAnother."}).json()["id"]
        until(lambda: client.get(f"/v1/audio/jobs/{job}").json()["state"] == "done", "the job is done")


def _answer(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = client.get("/query", params={"query": query}).json()
    assert answer["status"] == "success", (query, answer)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def _value(client: httpx.Client, query: str) -> float:
    try:
        if (
            client.get("/query", params={"query": "1"}).status_code == 503
        ):  # it reads its files, and answers in words
            return 0.0
        found = _answer(client, query)
    except httpx.TransportError:  # it has just been started
        return 0.0
    return float(found[0]["value"][1]) if found else 0.0


def test_promtool_finds_no_fault() -> None:
    promtool = program("promtool")
    said = passes([promtool, "check", "config", HERE / "prometheus.yml"])
    assert "SUCCESS" in said
    passes([promtool, "check", "rules", "--lint-fatal", HERE / "alerts.yml"])


def test_each_rule_fires_when_it_should_and_only_then() -> None:
    assert "SUCCESS" in passes([program("promtool"), "test", "rules", "alerts.test.yml"], cwd=HERE)


def test_the_key_that_the_guide_speaks_of_fits(tmp_path: Path) -> None:
    text = (HERE / "prometheus.yml").read_text("utf-8")
    text = exchanged(
        text,
        ("    # authorization:", "    authorization:"),
        ("    #   credentials_file: /etc/prometheus", f"      credentials_file: {tmp_path}"),
    )
    (tmp_path / "tts.key").write_text("sk-x")
    shutil.copy(HERE / "alerts.yml", tmp_path)
    (tmp_path / "prometheus.yml").write_text(text, "utf-8")
    passes([program("promtool"), "check", "config", tmp_path / "prometheus.yml"])


def test_every_query_of_the_dashboard_shows_something(prometheus: httpx.Client) -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    queries = [
        (panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", ())
    ]
    assert len(queries) > 40
    for title, query in queries:
        found = _answer(prometheus, exchanged(query.replace("$__rate_interval", "1m"), ("$instance", ".*")))
        assert bool(found) != any(name in query for name in ABSENT), (title, query)
        if "histogram_quantile" in query:
            assert any(math.isfinite(float(one["value"][1])) for one in found), (title, query)


def test_the_variable_of_the_dashboard_finds_the_instance(prometheus: httpx.Client, server: Server) -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    (asked,) = (one["query"]["query"] for one in board["templating"]["list"] if one["name"] == "instance")
    metric, label = asked.removeprefix("label_values(").removesuffix(")").split(", ")
    values = prometheus.get(f"/label/{label}/values", params={"match[]": metric}).json()["data"]
    assert values == [f"127.0.0.1:{server.port}"]


def test_every_rule_is_evaluated_and_a_healthy_service_wakes_nobody(prometheus: httpx.Client) -> None:
    until(lambda: all(rule["lastEvaluation"] > "1970" for rule in _rules(prometheus)), "each was evaluated")
    assert len(_rules(prometheus)) == 10
    for rule in _rules(prometheus):
        assert rule["health"] == "ok", rule
    waking = {rule["name"] for rule in _rules(prometheus) if rule["state"] == "firing"}
    assert not waking


def _rules(client: httpx.Client) -> list[dict[str, Any]]:
    groups = client.get("/rules").json()["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]
