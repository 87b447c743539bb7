"""How the tests ask for jobs."""

from __future__ import annotations

import json
from typing import Any

import httpx

from ..api.server import Server, until

SECONDS = 30.0


class Jobs:
    """The jobs of one server."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=f"{server.url}/v1/audio", timeout=20)
        self.server = server

    def make(self, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """A new job."""
        answer = self.http.post("/jobs", json={**(body or {}), **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def refused(self, **body: Any) -> tuple[int, str, str]:
        """Status, code, param."""
        answer = self.http.post("/jobs", json=body)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["param"]

    def send(self, name: str, data: bytes, **fields: str) -> httpx.Response:
        """As a form with a file."""
        return self.http.post("/jobs", files={"file": (name, data)}, data=fields)

    def see(self, job_id: str) -> dict[str, Any]:
        """The job now."""
        return dict(self.http.get(f"/jobs/{job_id}").json())

    def segments(self, job_id: str) -> list[dict[str, Any]]:
        """Of all lines, in order."""
        lines = self.http.get(f"/jobs/{job_id}/lines", params={"limit": 1000}).json()["data"]
        return [segment for line in lines for segment in line["segments"]]

    def ended(self, job_id: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait for its end."""
        until(lambda: self.see(job_id)["finished"] is not None, f"{job_id} has ended", seconds)
        return self.see(job_id)

    def do(self, job_id: str, what: str, **body: Any) -> httpx.Response:
        """pause, resume, cancel, retry."""
        return self.http.post(f"/jobs/{job_id}/{what}", json=body or None)

    def received(self) -> list[dict[str, Any]]:
        """What the engine was given since the server's start."""
        text = (self.server.home / "received.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]
