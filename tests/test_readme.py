"""The READMEs are executed: their commands run in order, their code runs, their tables equal the code."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import figures, tables
from .hearing import decode_any

ROOT = Path(__file__).parent.parent
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = {"bash tests/run.sh\n": "it is what runs this test"}


def blocks(name: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block that names a language."""
    return [(match[1], match[2]) for match in _FENCE.finditer((ROOT / name).read_text("utf-8"))]


@pytest.mark.parametrize("name", tables.READMES)
def test_the_table_of_settings_equals_the_code(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "| `max_waiting` |" in text
    assert text == tables.filled(text, tables.READMES[name]), "run: python -m tests.tables"


@pytest.mark.parametrize("name", tables.FIGURES)
def test_the_figures_are_those_that_were_measured(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert all(f"<!-- /{block} -->" in text for block in figures.BLOCKS)
    assert text == figures.filled(text, tables.FIGURES[name]), "run: python -m tests.tables"


def test_both_languages_show_the_same_commands_and_code() -> None:
    assert blocks("README.md") == blocks("README.zh-CN.md")


@pytest.mark.parametrize("name", tables.READMES)
def test_every_link_inside_the_project_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("https://"):
            assert (ROOT / target).exists(), target


@pytest.fixture
def place(tmp_path: Path, kokoro_dir: Path) -> Iterator[tuple[Path, dict[str, str], int]]:
    """A home of its own with the voice in it, an environment that leads there, a free port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    (tmp_path / "cache_hub").symlink_to(kokoro_dir.parent)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    environ |= {"TTS_HOME": str(tmp_path), "TTS_PORT": str(port)}
    yield tmp_path, environ, port
    subprocess.run([ROOT / ".venv/bin/tts-launch", "stop", "--force"], env=environ, timeout=60, check=False)


@pytest.mark.slow
def test_the_commands_and_code_do_what_they_say(place: tuple[Path, dict[str, str], int]) -> None:
    home, environ, port = place
    ran = []
    for language, text in blocks("README.md"):
        if text in NOT_RUN:
            continue
        # Tests listen on loopback only, on a port that nobody else has.
        text = (
            text.replace("7860", str(port))
            .replace("--port 7861", f"--port {port}")
            .replace("0.0.0.0", "127.0.0.1")
        )
        text = text.replace("bash start_app.sh", f"bash '{ROOT}/start_app.sh'")
        text = text.replace(".venv/bin/tts-launch", f"'{ROOT}/.venv/bin/tts-launch'")
        if language == "python":  # the reader has it running; the block before has stopped it
            subprocess.run([ROOT / ".venv/bin/tts-launch", "start"], env=environ, timeout=240, check=True)
        command = (
            ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        )
        done = subprocess.run(command, cwd=home, env=environ, timeout=240, capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        ran.append(text)
        for sound in ("hello.mp3", "hello.wav"):
            if sound in text:
                samples, rate = decode_any((home / sound).read_bytes())
                assert rate == 24_000 and len(samples) > rate
    assert len(ran) == 5
