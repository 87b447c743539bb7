"""Piper behind the real server: its voices, a language it does not speak, its settings, and as a backup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..api.cloning import refusal
from ..api.server import Server, ended_without_package, serving
from ..hearing import decode_any
from . import voice
from .conftest import EN, ZH

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(package: Path, hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With all the voices, a broken one beside them, and its page."""
    home = tmp_path_factory.mktemp("piper")
    folder = home / "cache_hub" / "piper"
    folder.mkdir(parents=True)
    for path in hub.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "zh_CN-half-low.onnx").write_bytes(voice.model()[:-9])
    (folder / "zh_CN-half-low.onnx.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(package))
        with serving(home, "--engine", "piper", "--timeout", "60") as made:
            yield made


def _say(server: Server, text: str, **more: Any) -> httpx.Response:
    body = {"model": "piper", "input": text, "voice": ZH, "response_format": "wav", **more}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=60)


def test_its_voices_are_listed_and_the_broken_one_is_a_line_in_the_log(server: Server) -> None:
    voices = httpx.get(f"{server.url}/v1/audio/voices", timeout=20).json()
    told = {item["id"]: (item["name"], item["language"]) for item in voices.get("voices", voices.get("data"))}
    assert told[ZH] == ("Huayan (medium)", "zh-CN") and told[f"{EN}.p227"] == ("Vctk p227 (medium)", "en-GB")
    assert len(told) == 6 and not any("half" in name for name in told)
    (line,) = {line.partition("left out: ")[2] for line in server.log.splitlines() if "zh_CN-half" in line}
    assert line.startswith("zh_CN-half-low: its .onnx file is damaged")


def test_it_speaks_and_without_noise_always_the_same(server: Server) -> None:
    still = {"noise_scale": 0, "noise_w_scale": 0}
    first, again = (_say(server, "你好，世界。今天是2026年。", **still) for _ in range(2))
    assert first.status_code == 200 and first.content == again.content
    samples, rate = decode_any(first.content)
    assert rate == 22_050 and abs(samples).max() > 0
    faster = _say(server, "你好，世界。今天是2026年。", speed=2.0, **still)
    assert len(decode_any(faster.content)[0]) == pytest.approx(len(samples) / 2, rel=0.3)
    assert refusal(_say(server, "你好", noise_scale=9)) == (400, "bad_value", "noise_scale")
    assert refusal(_say(server, "你好", temperature=1.0)) == (400, "unsupported", "temperature")


def test_a_language_that_the_voice_does_not_speak_is_refused(server: Server) -> None:
    assert refusal(_say(server, "Good morning, how are you?")) == (400, "voice_tongue", "input")
    assert refusal(_say(server, "你好", voice=EN)) == (400, "voice_tongue", "input")
    assert refusal(_say(server, "你好", language="en")) == (400, "voice_tongue", "language")
    assert refusal(_say(server, "你好", language="ja")) == (400, "bad_value", "language")
    assert _say(server, "我用iPhone发email。", language="zh-CN").status_code == 200
    assert _say(server, f"你好。[voice: {EN}]Good morning.").status_code == 200


def test_the_page_knows_its_dials_and_its_voices(server: Server) -> None:
    page = httpx.get(server.url, timeout=60).text
    assert "piper" in page
    for name in ("noise_scale", "noise_w_scale", "segment_tokens"):
        assert name in page
    assert ZH in page


def test_it_stands_in_for_an_engine_that_fails(package: Path, hub: Path, tmp_path: Path) -> None:
    """The first engine fails at this text; a light voice says it."""
    (tmp_path / "cache_hub").mkdir()
    (tmp_path / "cache_hub" / "piper").symlink_to(hub)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(package))
        with serving(
            tmp_path, "--engine", "tone", "--backup", "piper", "--no-page", "--cache", "off"
        ) as made:
            body = {
                "model": "tone",
                "input": "你好[[fail]]世界。",
                "voice": "tone-a",
                "response_format": "wav",
            }
            body["fallback"] = "any"
            answer = httpx.post(f"{made.url}/v1/audio/speech", json=body, timeout=60)
            assert answer.status_code == 200, answer.text
            assert decode_any(answer.content)[1] == 22_050


def test_the_worker_says_what_is_missing(hub: Path, tmp_path: Path) -> None:
    """Without the package: one line, and no restart."""
    (tmp_path / "cache_hub").mkdir()
    (tmp_path / "cache_hub" / "piper").symlink_to(hub)
    said = ended_without_package(tmp_path, "piper")
    assert "a package of the engine is missing: No module named 'piper'" in said
