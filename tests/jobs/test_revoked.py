"""A key that is revoked takes its owner's jobs with it; nobody else's."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import httpx

from index_tts_ui.auth.keys import KeyStore

from ..api.server import Server, serving, until


def _row(server: Server, job_id: str) -> tuple[str, str]:
    """State and the error's code, as they are kept: its owner cannot ask any more."""
    database = sqlite3.connect(server.home / "jobs" / "jobs.sqlite3")
    try:
        state, error = database.execute("SELECT state, error FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return state, json.loads(error)["code"] if error else ""
    finally:
        database.close()


def test_the_jobs_of_a_revoked_key_stop_and_say_why(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    keys = {name: store.add(name)[1] for name in ("anna", "ben")}
    options = "rows=1,step_ms=20,char_ms=20"
    with serving(tmp_path, "--engine", "tone", "--no-page", "--engine-options", options) as server:

        def make(name: str, lines: int) -> str:
            body = {
                "lines": [{"text": f"Line {number} of {name}."} for number in range(lines)],
                "voice": "tone-a",
            }
            headers = {"Authorization": f"Bearer {keys[name]}"}
            answer = httpx.post(f"{server.url}/v1/audio/jobs", json=body, headers=headers, timeout=20)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        hers, his = make("anna", 500), make("ben", 4)
        until(lambda: _row(server, hers)[0] == "running", "hers runs")
        store.revoke("anna")
        until(lambda: _row(server, hers) == ("cancelled", "key_revoked"), "hers is stopped")
        until(lambda: _row(server, his)[0] == "done", "his is finished")
        until(server_is_idle(server, keys["ben"]), "nothing of hers runs on")
        assert "its owner's key was revoked" in server.log


def server_is_idle(server: Server, key: str):  # type: ignore[no-untyped-def]
    """Whether no segment is at work."""
    headers = {"Authorization": f"Bearer {key}"}
    return lambda: httpx.get(f"{server.url}/v1/status", headers=headers, timeout=20).json()["running"] == 0
