"""The server process itself: exit codes, what a missing model does to it, signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.api.server import serving, until


def _run(*flags: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "index_tts_ui", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds)


def test_a_model_that_cannot_load_ends_the_server_with_78_and_says_what_to_do(
    tmp_path: Path, free_port: int
) -> None:
    done = _run("--home", str(tmp_path), "--engine", "kokoro", "--port", str(free_port))
    assert done.returncode == 78
    assert "tts-launch models fetch kokoro" in done.stderr


def test_a_wrong_setting_ends_it_with_78_in_one_line(tmp_path: Path) -> None:
    done = _run("--home", str(tmp_path), "--engine", "espeak")
    assert done.returncode == 78
    assert len(done.stderr.strip().splitlines()) == 1 and "espeak" in done.stderr


def test_a_taken_port_ends_it_with_1_in_one_line(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "tone", "--no-page") as server:
        done = _run("--home", str(tmp_path / "b"), "--engine", "tone", "--port", str(server.port))
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1 and "--port" in done.stderr


def test_a_server_without_the_page_loads_nothing_of_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "tone", "--no-page") as server:
        libraries = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "/numpy/" in libraries and "/pandas/" not in libraries  # Gradio's


def test_sigterm_lets_the_request_under_way_finish(tmp_path: Path) -> None:
    with serving(
        tmp_path, "--engine", "tone", "--engine-options", "step_ms=20", "--drain-timeout", "20"
    ) as server:
        text = "A sentence of some length. And another one of some length."
        body = {"model": "tone", "voice": "tone-a", "input": text, "response_format": "wav"}
        with httpx.stream("POST", f"{server.url}/v1/audio/speech", json=body, timeout=30) as answer:
            chunks = answer.iter_bytes()
            size = len(next(chunks))
            server.process.send_signal(signal.SIGTERM)
            size += sum(map(len, chunks))
        assert answer.status_code == 200 and size > 24_000 * 2 * 0.06 * 40
        until(lambda: server.process.poll() is not None, "the server has ended", 15)
        assert server.process.returncode == 0
