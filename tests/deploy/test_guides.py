"""docs/onebox.md and docs/lan.md are executed, block by block, in a home of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..api.server import free_port
from .tools import ROOT, exchanged

pytestmark = pytest.mark.slow
BLOCK_SECONDS = 300
LAUNCH = ROOT / ".venv" / "bin" / "tts-launch"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEEDS = {
    "kubectl": "kubectl kustomize",
    "promtool": "promtool",
}  # a program, and what tells that it is needed


def _script(name: str) -> str:
    """All blocks that are to be run, as one: what one sets the next may use."""
    blocks = BLOCK.findall((ROOT / "docs" / name).read_text("utf-8"))
    run = [block for block in blocks if not block.startswith("# not run: ")]
    assert run
    return "set -euo pipefail\nset -x\n" + "\n".join(run)


@pytest.fixture
def home(tmp_path: Path, kokoro_dir: Path) -> Iterator[Path]:
    """A checkout of its own, as far as the guides see it."""
    (tmp_path / "cache_hub").symlink_to(kokoro_dir.parent)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    yield tmp_path
    subprocess.run([LAUNCH, "stop", "--force", "--home", tmp_path], timeout=60, check=False)


@pytest.mark.parametrize("name", ["onebox.md", "lan.md", "kubernetes.md"])
def test_the_commands_do_what_they_say(name: str, home: Path) -> None:
    script, port = _script(name), str(free_port())
    for program, sign in NEEDS.items():
        if sign in script and not shutil.which(program):
            pytest.skip(f"{program} is missing")
    # Tests listen on loopback only, on a port that nobody else has; the checkout's .venv is used, not made anew.
    script = script.replace("7860", port).replace("0.0.0.0", "127.0.0.1").replace("gpubox", "127.0.0.1")
    script = script.replace(".venv/bin/tts-launch", f"'{LAUNCH}'")
    script = script.replace("bash start_app.sh", f"bash '{ROOT}/start_app.sh'")
    script = script.replace("python3", f"'{ROOT}/.venv/bin/python'")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    environ |= {"TTS_HOME": str(home), "TTS_PORT": port}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environ, capture_output=True, text=True, timeout=BLOCK_SECONDS
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-5000:]}"
    if name == "onebox.md":
        assert (home / "hello.mp3").stat().st_size > 3000
        assert list((home / "backups").glob("*")), "there is a backup"
        logs = "".join(path.read_text("utf-8") for path in (home / "logs").glob("*.log"))
        assert re.search(r'^\{"', logs, re.MULTILINE), "the setting was taken over"
    if name == "lan.md":
        assert (home / "hello.mp3").stat().st_size > 3000
        exchanged((home / "keys.json").read_text("utf-8"), ("anna", ""))
