"""Completion scripts work in the shells they are for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.cli import cli

from .conftest import Launch


@pytest.fixture
def on_path(launch: Launch, tmp_path: Path) -> Launch:
    """``tts-launch`` as a program on the PATH, as an installation has it."""
    program = tmp_path / "bin" / "tts-launch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m launcher "$@"\n')
    program.chmod(0o755)
    launch.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    return launch


def _shell(launch: Launch, *argv: str) -> list[str]:
    ran = subprocess.run(
        argv, env=launch.env(), cwd=launch.home, capture_output=True, text=True, timeout=60, check=True
    )
    assert not ran.stderr, ran.stderr
    return ran.stdout.split()


@pytest.mark.parametrize(("words", "expected"), [
    ("tts-launch d", ["doctor"]), ("tts-launch service ", ["install", "show", "uninstall"]),
    ("tts-launch kill-leftovers --d", ["--dry-run"]), ("tts-launch completion z", ["zsh"]),
])  # fmt: skip
def test_bash_completes_commands_options_and_choices(
    on_path: Launch, words: str, expected: list[str]
) -> None:
    script = f"""
eval "$(tts-launch completion bash)"
read -ra COMP_WORDS <<< {words!r}
[[ {words!r} == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_tts_launch_completion tts-launch
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p tts-launch >/dev/null
"""
    assert sorted(_shell(on_path, "bash", "--norc", "-c", script)) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_that_it_can_read(on_path: Launch, shell: str) -> None:
    script = on_path.json("completion", shell)["script"]
    assert f"_TTS_LAUNCH_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        _shell(on_path, shell, "-n", "-c", script)


def test_an_unknown_shell_is_exit_2(launch: Launch) -> None:
    assert "zsh" in launch("completion", "tcsh", code=2)


@pytest.mark.parametrize("name", ["doctor", "ps", "kill-leftovers", "service", "completion"])
def test_each_tool_has_help_with_an_example_in_both_languages(launch: Launch, name: str) -> None:
    assert f"tts-launch {name}" in (cli.commands[name].help or "")
    launch.environ["LANG"] = "zh_CN.UTF-8"
    assert "例如" in launch(name, "--help")
