"""start_app.sh: from nothing to a running service; quick, offline and self-repairing afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from supply.closure import closure

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "start_app.sh"
NO_NETWORK = {
    **{"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_EXTRA_INDEX_URL": ""},
    **{"PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull, "https_proxy": "http://127.0.0.1:9"},
}
MINI = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "mini"
version = "1"
[project.optional-dependencies]
test = []
indextts = []
[project.scripts]
tts-launch = "mini:main"
[tool.setuptools]
py-modules = ["mini"]
"""
MINI_PY = "import os, sys\ndef main(): print('launched', os.environ['TTS_HOME'], sys.argv[1:])\n"


def _env(**more: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TTS_", "LC_", "LANG"))}
    return clean | {"LANG": "C.UTF-8", "TTS_PYTHON": sys.executable, "TTS_ENGINE": "tone", **more}


def _bash(
    checkout: Path, *args: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(checkout / "start_app.sh"), *args],
        cwd=cwd or checkout.parent, env=_env(**env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=580, start_new_session=True,
    )  # fmt: skip


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A checkout of a tiny project in a folder with a difficult name, with the real script."""
    checkout = tmp_path / "我的 'app' & co"
    checkout.mkdir()
    shutil.copy(SCRIPT, checkout)
    (checkout / "pyproject.toml").write_text(MINI)
    (checkout / "mini.py").write_text(MINI_PY)
    (checkout / "constraints.txt").write_text("")
    return checkout


@pytest.mark.slow
def test_set_up_runs_once_then_needs_no_network_and_follows_the_checkout(mini: Path) -> None:
    first = _bash(mini, "--port", "7 8", cwd=Path("/"))
    assert (
        first.returncode == 0 and f"launched {mini} ['start', '--fetch', '--port', '7 8']" in first.stdout
    ), first
    second = _bash(mini, **NO_NETWORK)
    assert second.returncode == 0 and "launched" in second.stdout and "Installing" not in second.stderr, (
        second
    )
    (mini / "mini.py").write_text(MINI_PY.replace("launched", "updated"))
    assert "updated" in _bash(mini, **NO_NETWORK).stdout, "an editable install: the checkout is what runs"

    (mini / "constraints.txt").write_text("# changed\n")
    offline = _bash(mini, **NO_NETWORK)
    assert offline.returncode == 1 and "check the network" in offline.stderr, "a change is synchronised"
    assert "Installing" in _bash(mini, TTS_SETUP_EXTRAS="test").stderr
    assert "Installing" not in _bash(mini).stderr, "more than what is wanted is fine"

    setup = _bash(mini, TTS_SETUP_ONLY="1", TTS_HOME="/elsewhere")
    assert "updated /elsewhere ['models', 'fetch', 'kokoro']" in setup.stdout


@pytest.mark.slow
def test_an_interrupted_set_up_is_repaired_and_two_at_once_take_turns(mini: Path) -> None:
    child = subprocess.Popen(
        ["bash", str(mini / "start_app.sh")],
        env=_env(),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (mini / ".venv" / "pyvenv.cfg").exists():
        assert time.monotonic() < deadline, "no .venv after a minute"
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)
    argv = ["bash", str(mini / "start_app.sh")]
    both = [
        subprocess.Popen(argv, env=_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in "ab"
    ]
    ends = [child.communicate(timeout=120) for child in both]
    assert [child.returncode for child in both] == [0, 0] and all("launched" in out for out, _ in ends), ends
    assert sum("Installing" in err for _, err in ends) == 1, ends


SMI = '#!/bin/sh\necho "$@" >> "$0.log"\necho "GPU 0: NVIDIA Test (UUID: GPU-0)"\n'


def _extras(checkout: Path) -> str:
    """What the last set-up noted."""
    return (checkout / ".venv" / ".setup-stamp").read_text().split()[-1]


@pytest.mark.slow
def test_a_gpu_or_the_engines_name_brings_the_packages_of_indextts(mini: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nvidia-smi").write_text(SMI)
    (tools / "nvidia-smi").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    plain = _bash(mini, "--engine", "kokoro", PATH=path, TTS_ENGINE="")
    assert plain.returncode == 0 and "IndexTTS" not in plain.stderr and "indextts" not in _extras(mini), plain
    seen = _bash(mini, PATH=path, TTS_ENGINE="")
    assert "NVIDIA GPU" in seen.stderr and _extras(mini) == "indextts", seen
    again = _bash(mini, PATH=path, TTS_ENGINE="", **NO_NETWORK)
    assert "launched" in again.stdout and "Installing" not in again.stderr and "NVIDIA" not in again.stderr
    (mini / ".venv" / ".setup-stamp").unlink()
    (mini / "tts.toml").write_text('port = 7861\nengine = "indextts2"\n')
    for asked in (("--engine=indextts2.5",), ("--port", "1")):
        asking = _bash(mini, *asked, TTS_ENGINE="")
        assert "launched" in asking.stdout and _extras(mini) == "indextts", asking
        (mini / ".venv" / ".setup-stamp").unlink()
    assert "-L" in (tools / "nvidia-smi.log").read_text()


@pytest.mark.slow
def test_where_the_packages_of_indextts_do_not_come_the_rest_does_and_it_is_said_once(
    mini: Path, tmp_path: Path
) -> None:
    (mini / "pyproject.toml").write_text(
        MINI.replace("indextts = []", 'indextts = ["no-such-thing @ file:///nowhere"]')
    )
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nvidia-smi").write_text(SMI)
    (tools / "nvidia-smi").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    first = _bash(mini, PATH=path, TTS_ENGINE="")
    assert first.returncode == 0 and "launched" in first.stdout and "without IndexTTS" in first.stderr, first
    second = _bash(mini, PATH=path, TTS_ENGINE="", **NO_NETWORK)
    assert "launched" in second.stdout and not second.stderr, second
    asked = _bash(mini, "--engine", "indextts2.5", TTS_ENGINE="")
    assert asked.returncode == 1 and "pip could not" in asked.stderr, (
        "who asks by name is told, not served less"
    )


def test_a_missing_python_is_one_line_with_the_cure(mini: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "sha256sum", "cut", "flock", "env", "sed", "head"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for env, word in (({"LANG": "C"}, "apt install python3"), ({"LANG": "zh_CN.UTF-8"}, "请安装")):
        ran = _bash(mini, PATH=str(tools), TTS_PYTHON="", **env)
        assert ran.returncode == 5 and word in ran.stderr and len(ran.stderr.splitlines()) == 1, ran
    ran = _bash(mini, TTS_PYTHON="/bin/true-not")
    assert ran.returncode == 5 and "TTS_PYTHON" in ran.stderr


def test_a_missing_venv_module_is_one_line_with_the_cure(mini: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ensurepip.py").write_text(
        "raise ImportError('as on Debian without python3-venv')"
    )
    ran = _bash(mini, PYTHONPATH=str(tmp_path / "broken"))
    assert ran.returncode == 5 and "python3-venv" in ran.stderr and len(ran.stderr.splitlines()) == 1, ran


def test_the_script_is_clean_to_shellcheck() -> None:
    shellcheck = shutil.which("shellcheck")
    if not shellcheck:
        pytest.skip("shellcheck is not installed")
    checked = subprocess.run([shellcheck, str(SCRIPT)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_every_requirement_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    assert all("==" in line and "://" not in line for line in lines) and "huggingface_hub==1.33.0" in lines
    for requirement in wanted:
        name = requirement.split("[")[0]
        name = name[: next((i for i, char in enumerate(name) if char in "<>=!~ "), len(name))]
        assert name.lower().replace("_", "-") in pinned, f"{name} has no line in constraints.txt"


def _plain(line: str) -> str:
    return re.sub(r"[-_.]+", "-", line).lower()


def _installed(environment: Path) -> set[str]:
    """name==version of every package but the project itself."""
    command = [environment / "bin/python", "-m", "pip", "freeze", "--exclude-editable"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return {_plain(line) for line in done.stdout.split()}


@pytest.mark.slow
def test_a_fresh_checkout_serves_after_one_command(tmp_path: Path, free_port: int) -> None:
    """The real project with its real packages, by their hashes; the test engine, so that no model is fetched."""
    checkout = tmp_path / "新 checkout"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("index_tts_ui", "launcher"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignore)
    for name in ("pyproject.toml", "constraints.txt", "requirements-hashes.txt", "README.md", "start_app.sh"):
        shutil.copy(ROOT / name, checkout)
    options = ("--engine", "tone", "--port", str(free_port))
    try:
        first = _bash(checkout, *options, TTS_SETUP_HASHES="1")
        assert first.returncode == 0 and f"http://127.0.0.1:{free_port}" in first.stdout, first
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/readyz", timeout=10) as answer:
            assert answer.status == 200
        assert "Already running" in _bash(checkout, *options, **NO_NETWORK).stdout
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        hashed = {_plain(f"{pin.name}=={pin.version}") for pin in closure(pythons=(here,))}
        assert _installed(checkout / ".venv") == hashed, "nothing came but what has a hash"
    finally:
        launch = checkout / ".venv" / "bin" / "tts-launch"
        if launch.exists():
            subprocess.run([launch, "stop", "--home", checkout], check=True, timeout=90)
