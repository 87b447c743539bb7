"""``tts-launch cluster`` where there is no Ray: it says what is missing, and does nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest


def _launch(home: Path, *words: str, language: str = "C") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "launcher", "cluster", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "LC_ALL": language, "TTS_HOME": ""},
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray_it_says_how_to_get_it_and_leaves_nothing(tmp_path: Path) -> None:
    code, told = _launch(tmp_path, "up", "--engine", "tone")
    assert code == 5 and "Ray is not installed here" in told and "[cluster]" in told and "\n" not in told
    code, told = _launch(tmp_path, "status")
    assert code == 1 and "[cluster]" in told and "\n" not in told
    assert not list(tmp_path.iterdir())


def test_a_mistake_in_the_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text("max_replica = 2\n")
    code, told = _launch(tmp_path, "up", "--engine", "tone")
    assert code == 1 and "max_replica in" in told and "is not a setting" in told and "\n" not in told
