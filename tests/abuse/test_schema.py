"""Every operation of /openapi.json, asked with values drawn from its own description, good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..api.server import Server

# 504 is what a request gets that asks for a timeout of a millisecond. Values that the description allows may
# be refused for what it cannot say (a voice that is not there), and a client's slips may be overlooked.
SETTINGS = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "4xx", 504]
positive_data_acceptance.enabled = false
negative_data_rejection.enabled = false
"""
# examples, coverage: fixed cases, the same in each run; fuzzing: drawn ones, until the time is over
PHASES = {True: "examples,coverage,fuzzing", False: "examples,fuzzing"}


def check(server: Server, folder: Path, seconds: int, thorough: bool) -> str:
    """What schemathesis prints. Fails where it found something."""
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["--config-file", str(settings), "run", f"{server.url}/openapi.json"]
    command += ["--phases", PHASES[thorough], "--max-time", str(seconds), "--request-timeout", "20"]
    command += ["--seed", "1", "--max-examples", "40", "--warnings", "off", "--continue-on-failure"]
    environ = {**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=seconds + 120
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def deaths(server: Server) -> list[str]:
    """What the log says of workers that ended; the operations drawn may ask for a reload, which ends one, too."""
    said = (server.home / "server.out").read_text()
    assert " is ready: " in said
    ended = [line for line in said.splitlines() if " tts.host " in line and " ended: " in line]
    return [line for line in ended if not line.endswith("an administrator asked for a reload")]


@pytest.mark.slow
def test_every_operation_keeps_to_its_description(clone: Server, tmp_path: Path) -> None:
    said = check(clone, tmp_path, 4, thorough=False)
    assert "No issues found" in said and " 0 generated" not in said
    assert not deaths(clone)


@pytest.mark.slow
def test_every_operation_keeps_to_its_description_with_drawn_values(clone: Server, tmp_path: Path) -> None:
    assert "No issues found" in check(clone, tmp_path, 30, thorough=True)
    assert not deaths(clone)


@pytest.mark.slow
def test_what_breaks_the_description_is_found(tmp_path: Path) -> None:
    """A server that answers 500 to its one operation."""
    import http.server
    import threading

    class Broken(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = b'{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"get": {"responses": {"200": {"description": ""}}}}}}'
            found = self.path == "/openapi.json"
            self.send_response(200 if found else 500)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(page if found else b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = Server(f"http://127.0.0.1:{server.server_port}", tmp_path, None)  # type: ignore[arg-type]
        with pytest.raises(AssertionError, match="Server error"):
            check(place, tmp_path, 1, thorough=False)
        server.shutdown()
