"""docs/api.md is executed: its commands run, its tables name what there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from index_tts_ui import emotions
from index_tts_ui.parameters import PARAMETERS

from ..hearing import decode_any
from ..recordings import recording
from .cloning import added
from .server import Server

DOCS = Path(__file__).parent.parent.parent / "docs"
GUIDES = ("api.md", "api.zh-CN.md")


def commands(name: str) -> list[str]:
    """Every bash block."""
    return re.findall(r"^```bash\n(.*?)^```$", (DOCS / name).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_guide_work(clone: Server, tmp_path: Path) -> None:
    (tmp_path / "me.wav").write_bytes(recording(40))
    for command in commands("api.md"):
        command = command.replace("http://127.0.0.1:7860", clone.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    for sound in ("anna.mp3", "sad.wav"):
        assert len(decode_any((tmp_path / sound).read_bytes())[0]) > 0


def test_the_commands_about_the_library_work(clone: Server, tone: Server, tmp_path: Path) -> None:
    mine = httpx.get(f"{clone.url}/v1/audio/voices/anna", timeout=20).status_code == 404
    if mine:
        added(clone, "Anna", 40)
    for command in commands("voices.md"):
        server = tone if "blend=" in command else clone
        for name, ours in (
            ("zf_xiaobei", "tone-a"),
            ("af_heart", "tone-b"),
            ("http://other:7860", server.url),
        ):
            command = command.replace(name, ours)
        command = command.replace("http://127.0.0.1:7860", server.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    httpx.delete(f"{tone.url}/v1/audio/voices/duet", timeout=20)
    if mine:
        httpx.delete(f"{clone.url}/v1/audio/voices/anna", timeout=20)
    assert commands("voices.md") == commands("voices.zh-CN.md") and len(commands("voices.md")) == 2


def test_both_languages_show_the_same_commands() -> None:
    assert commands(GUIDES[0]) == commands(GUIDES[1]) and len(commands(GUIDES[0])) == 3


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_names_every_parameter_and_preset(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    for parameter, item in PARAMETERS.items():
        (row,) = re.findall(rf"^\| `{parameter}` \| (.*)$", text, re.MULTILINE)
        numbers = [float(number) for number in re.findall(r"[\d.]+", row)[:3]]
        assert numbers == [item.low, item.high, item.default]
    for key, preset in emotions.PRESETS.items():
        assert f"`{key}`" in text and preset.label_zh in text
