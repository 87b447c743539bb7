"""Uploads that damage their decoder, at a real server: they cost nobody else anything, and nothing is left."""

from __future__ import annotations

import io
import json
import re
import signal
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.api.server import Server, serving, until
from tests.recordings import MINE, recording

from .damage import children, hook

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One whose decoder does what some files say."""
    monkeypatch.setenv("PYTHONPATH", str(hook(tmp_path)))
    with serving(tmp_path / "home", "--engine", "tone-clone", "--no-page") as server:
        yield server


FIELDS = {"text": "Hi.", "name": "Anna", "statement": MINE}  # for all of the routes


def post(server: Server, path: str, field: str, data: bytes) -> httpx.Response:
    return httpx.post(server.url + path, files={field: ("me.flac", data)}, data=FIELDS, timeout=60)


def zipped(*clips: bytes) -> bytes:
    """An archive of voices."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        voices = [{"name": f"V{n}", "statement": MINE, "clip": f"{n}.wav"} for n, _ in enumerate(clips)]
        archive.writestr("voices.json", json.dumps({"version": 1, "voices": voices}))
        for number, clip in enumerate(clips):
            archive.writestr(f"{number}.wav", clip)
    return file.getvalue()


def test_an_upload_that_kills_its_decoder_costs_nobody_else_anything(server: Server) -> None:
    good = recording(kind="FLAC")
    for path, name in (("/v1/audio/clips", "file"), ("/tts", "ref_audio"), ("/v1/audio/voices", "file")):
        said = post(server, path, name, b"segfault!")
        assert (said.status_code, said.json()["error"]["code"]) == (400, "bad_audio"), said.text
        assert re.fullmatch(
            r"The sound could not be read \(its decoder crashed\): .*", said.json()["error"]["message"]
        )
        assert post(server, "/v1/audio/clips", "file", good).status_code == 201
    brought = post(server, "/v1/audio/voices/import", "file", zipped(b"segfault!", good)).json()
    assert [item["code"] for item in brought["left_out"]] == ["bad_audio"]
    assert [voice["name"] for voice in brought["voices"]] == ["V1"]
    assert server.process.poll() is None and server.status()["restarts"] == 0
    assert len(re.findall("is refused: its decoder crashed", server.log)) == 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_leaves_no_decoder(server: Server, number: signal.Signals, tmp_path: Path) -> None:
    lives = psutil.Process(server.process.pid)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(post, server, "/v1/audio/clips", "file", b"hang!") for _ in range(3)]
        until(
            lambda: len([place for place in tmp_path.glob("hook/*") if place.name.isdigit()]) == 2, "two hang"
        )
        left = children(lives)
        assert len(left) == 2
        spoken = httpx.post(server.url + "/tts", data={"text": "Speech does not wait for them."}, timeout=30)
        assert spoken.status_code in (200, 400) and (
            spoken.content[:4] == b"RIFF" or "no_voice" in spoken.text
        )
        server.process.send_signal(number)
        assert server.process.wait(20) == (0 if number == signal.SIGTERM else -number)
        until(lambda: not any(map(psutil.Process.is_running, left)), "they ended", 10)
        for future in asked:  # who is asked to end answers first
            killed = isinstance(future.exception(20), httpx.TransportError)
            assert killed if number == signal.SIGKILL else future.result().status_code == 409
