"""``keep_alive`` and several devices as the outside sees them: probes, status, requests, memory."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil

from tests.api.server import serving, until

BODY = {"model": "tone", "voice": "tone-a", "input": "Some words. And more.", "response_format": "wav"}
FLAGS = ("--engine", "tone", "--device", "a,b,c", "--keep-alive", "0.5")
OPTIONS = ("--engine-options", "load_ms=300,refuse=c")


def _workers(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return [one for one in children if "index_tts_ui.worker" in _command(one)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def test_an_idle_service_holds_no_worker_yet_is_ready_and_one_worker_is_enough(tmp_path: Path) -> None:
    with serving(tmp_path, *FLAGS, *OPTIONS) as server:
        spoken = httpx.post(f"{server.url}/v1/audio/speech", json=BODY, timeout=60)
        assert spoken.status_code == 200
        until(lambda: server.status()["state"] == "asleep", "it sleeps", 20)
        until(lambda: not _workers(server.process.pid), "its workers are gone", 10)
        until(lambda: not any(one["stats"] for one in server.status()["workers"]), "they are missed", 10)
        probe = httpx.get(f"{server.url}/readyz", timeout=20)
        status = probe.json()
        assert probe.status_code == 200 and status["ready"] and status["state"] == "asleep"
        assert [(one["device"], one["state"], one["stats"]) for one in status["workers"]] == [
            ("a", "asleep", {}),
            ("b", "asleep", {}),
            ("c", "down", {}),
        ]
        reason = status["workers"][2]["reason"]
        assert "there is no c" in reason and reason in server.log
        again = httpx.post(f"{server.url}/v1/audio/speech", json=BODY, timeout=60)
        assert again.status_code == 200 and len(again.content) == len(spoken.content)
        assert server.status()["restarts"] == 1, "c's, and waking is none"
