"""From IndexTTS, with a tiny checkpoint, to Kokoro: what goes there, and that nothing is lost on the way."""

from __future__ import annotations

import io
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import soundfile

from tests.api.cloning import added
from tests.api.server import Server, serving, until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
KOKORO = ROOT / "cache_hub" / "kokoro"
TEXT = "你好，今天天气很好，我们一起去公园散步吧。"  # one segment


@pytest.fixture(scope="module")
def server(tiny25: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """IndexTTS-2.5 on the CPU, with Kokoro beside it in cache_hub: nothing else is configured."""
    if not (KOKORO / "model.onnx").is_file():
        pytest.skip("Kokoro is not there: 'tts-launch models fetch kokoro'")
    home = tmp_path_factory.mktemp("failover")
    shutil.copytree(tiny25, home / "cache_hub" / "indextts2.5")
    (home / "cache_hub" / "kokoro").symlink_to(KOKORO)
    flags = ("--engine", "indextts2.5", "--device", "cpu", "--timeout", "300")
    with serving(home, "--no-page", *flags) as running:
        added(running, "mine")
        yield running


def _ask(server: Server, **fields: Any) -> httpx.Response:
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav"}
    body |= {"max_codes": 50, "diffusion_steps": 6, **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=280)


def _workers(server: Server) -> list[psutil.Process]:
    """Of IndexTTS."""
    return [child for child in psutil.Process(server.process.pid).children() if _speaks(child)]


def _speaks(child: psutil.Process) -> bool:
    try:
        return "indextts2.5" in child.cmdline()
    except psutil.Error:  # it has just ended
        return False


def _is_speech(answer: httpx.Response, engine: str) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-tts-engine"] == engine
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    assert len(samples) > rate / 2 and abs(samples).max() > 0.05
    assert ("x-tts-note" in answer.headers) == (engine == "kokoro")


def test_a_request_that_kills_indextts_twice_is_spoken_by_kokoro(server: Server) -> None:
    """Its workers die under it, as they would of a crash in a kernel of the GPU."""
    _is_speech(_ask(server), "indextts2.5")
    assert server.status()["backends"][1]["state"] == "asleep"
    killed: set[int] = set()

    def ended() -> bool:
        for worker in _workers(server) if server.status()["backends"][0]["running"] else ():
            if worker.pid not in killed:
                killed.add(worker.pid)
                worker.send_signal(signal.SIGSEGV)
        return asked.done()

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_ask, server, max_codes=1500)
        until(ended, "it is answered", 240)
    _is_speech(asked.result(), "kokoro")
    assert "segment_killed_engine" in asked.result().headers["x-tts-note"] and len(killed) == 2


def test_weights_that_cannot_be_read_any_more_leave_the_service_to_kokoro(server: Server) -> None:
    until(lambda: server.status()["ready"], "it is ready", 180)
    weights = server.home / "cache_hub" / "indextts2.5" / "gpt.pth"
    weights.write_bytes(b"no weights")
    for worker in _workers(server):
        worker.kill()
    until(lambda: server.status()["backends"][0]["state"] == "down", "IndexTTS is given up", 180)
    assert httpx.get(f"{server.url}/readyz", timeout=20).status_code == 200
    assert server.status()["stands_in"]
    _is_speech(_ask(server), "kokoro")
    _is_speech(_ask(server, voice="mine", emotion="happy", fallback="any"), "kokoro")
    assert str(server.home) not in httpx.get(f"{server.url}/v1/status", timeout=20).text
    refused = _ask(server, voice="mine")
    assert refused.status_code == 503 and refused.json()["error"]["code"] == "engine_down"
    assert "gpt.pth" in refused.text and str(server.home) not in refused.text
    assert server.process.poll() is None
