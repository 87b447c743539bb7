"""VoxCPM behind the real server: a voice with its words is uploaded, and speaks through HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..api.cloning import refusal
from ..api.server import Server, ended_without_package, serving
from ..hearing import decode_any
from ..recordings import MINE, recording
from . import checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """VoxCPM 1.5 on the CPU."""
    home = tmp_path_factory.mktemp("voxcpm")
    (home / "cache_hub").mkdir()
    (home / "cache_hub" / "voxcpm1.5").symlink_to(checkpoint.made("voxcpm1.5"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(checkpoint.package()))
        with serving(home, "--engine", "voxcpm1.5", "--device", "cpu", "--timeout", "120") as made:
            yield made


def test_a_voice_speaks_once_its_words_are_known(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        status = client.get("/v1/status").json()
        assert status["engine"] == "voxcpm1.5" and "transcript" in status["features"]
        form = {"name": "Anna", "statement": MINE, "language": "zh-CN"}
        voice = client.post(
            "/v1/audio/voices", data=form, files={"file": ("a.wav", recording(2), "audio/wav")}
        ).json()
        body = {
            "model": "voxcpm1.5",
            "voice": voice["id"],
            "input": "我们去公园。",
            "response_format": "wav",
            "seed": 3,
        }
        body["inference_timesteps"] = 4
        assert refusal(client.post("/v1/audio/speech", json=body)) == (400, "transcript_missing", "voice")
        told = client.patch(f"/v1/audio/voices/{voice['id']}", json={"transcript": " 今天天气很好。 "}).json()
        assert told["transcript"] == "今天天气很好。"
        first, again = (client.post("/v1/audio/speech", json=body) for _ in range(2))
        assert first.status_code == 200 and first.content == again.content
        samples, _ = decode_any(first.content)
        assert len(samples) and abs(samples).max() > 0
        other = client.post("/v1/audio/speech", json={**body, "cfg_value": 1.0})
        assert other.status_code == 200 and other.content != first.content
        assert refusal(client.post("/v1/audio/speech", json={**body, "cfg_value": 9})) == (
            400,
            "bad_value",
            "cfg_value",
        )
        refused = client.post("/v1/audio/speech", json={**body, "temperature": 1.0})
        assert refusal(refused) == (400, "unsupported", "temperature")


def test_the_worker_says_what_is_missing(tmp_path: Path) -> None:
    """Without the package: one line, and no restart."""
    (tmp_path / "cache_hub").mkdir()
    (tmp_path / "cache_hub" / "voxcpm2").symlink_to(checkpoint.made("voxcpm2"))
    said = ended_without_package(tmp_path, "voxcpm2", "--device", "cpu")
    assert "a package of the engine is missing: No module named 'voxcpm'" in said
