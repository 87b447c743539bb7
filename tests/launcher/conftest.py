"""A real instance for every test: the real command line, real processes, a folder with a difficult name."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from launcher import identity
from launcher.instance import Instance

SERVER = Path(__file__).with_name("server.py")
LAUNCH = [sys.executable, "-P", "-m", "launcher"]
QUICK = {
    **{"base": 0.05, "cap": 0.2, "deaths": 4, "first_deaths": 3, "silence": 1.5},
    **{"dump": 0.5, "term": 0.8, "kill": 4, "orphans": 0.5, "hello": 20, "forced": 1.5, "leftovers": 0.5},
}


def wait_for(what: str, true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Poll until ``true()`` is true and return it; fail naming ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
    return value


def finish(child: subprocess.Popen[str], code: int, seconds: float = 30) -> str:
    """Wait for a command, check its exit code, return what it printed (both streams)."""
    try:
        out, err = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{child.args} took over {seconds:g} s: {_killed(child)}")
    assert child.returncode == code, f"{child.args} -> {child.returncode}: {out}{err}"
    return (out or "") + (err or "")


def _killed(child: subprocess.Popen[str]) -> object:
    """What it printed, unless somebody that it started holds its pipes open."""
    child.kill()
    try:
        return child.communicate(timeout=10)
    except subprocess.TimeoutExpired as error:
        return error.output


@dataclass
class Launch:
    """Runs ``tts-launch`` against one instance whose server behaves as ``behaviour`` says."""

    home: Path
    port: int
    behaviour: str = "normal"
    environ: dict[str, str] = field(default_factory=dict)
    policy: dict[str, float] = field(default_factory=lambda: dict(QUICK))
    engine: str = "tone"
    prefix: list[str] = field(default_factory=list)  # runs the command: as another user, in a namespace

    @property
    def instance(self) -> Instance:
        """Its paths."""
        return Instance(self.home.resolve())

    def env(self) -> dict[str, str]:
        """The command's environment."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("TTS_", "LC_", "LANG"))
        }
        return clean | {
            "LANG": "C.UTF-8",
            "TTS_HOME": str(self.home),
            "TTS_PORT": str(self.port),
            "TTS_ENGINE": self.engine,
            "TTS_SERVER_COMMAND": f"{sys.executable} {SERVER} {self.behaviour}",
            "TTS_LAUNCH_POLICY": json.dumps(self.policy),
            **self.environ,
        }

    def spawn(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        """The command as a running process."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
        return subprocess.Popen(
            [*self.prefix, *LAUNCH, *args], env=self.env(), cwd=self.home, text=True, **pipes
        )

    def __call__(self, *args: str, code: int | None = 0, seconds: float = 40) -> str:
        """Run the command to its end, check its exit code, return what it printed (both streams)."""
        child = self.spawn(*args)
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{args} took over {seconds:g} s: {_killed(child)}")
        assert code is None or child.returncode == code, (
            f"{args} -> {child.returncode}: {out}{err}{self.log()}"
        )
        return out + err

    def json(self, *args: str, code: int | None = 0) -> dict[str, Any]:
        """What the command prints with --json."""
        return json.loads(self(*args, "--json", code=code).splitlines()[-1])

    def start(self, *args: str) -> dict[str, Any]:
        """A start that must succeed."""
        return self.json("start", *args)

    def status(self) -> dict[str, Any]:
        """Whatever the exit code."""
        return self.json("status", code=None)

    def ask(self) -> dict[str, Any]:
        """What the server itself says: its pid and command line."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return json.load(answer)

    def log(self) -> str:
        """launcher.log, for assertions and messages."""
        path = self.instance.launcher_log
        return path.read_text("utf-8") if path.exists() else ""

    def processes(self) -> set[int]:
        """Live processes that carry this instance's marker."""
        return {item.process.pid for item in identity.marked(self.instance.key)}

    def gone(self, seconds: float = 15.0) -> None:
        """Wait until no process of the instance is left."""
        wait_for(f"no process left of {self.processes()}", lambda: not self.processes(), seconds)

    def clean_up(self) -> None:
        """Leave nothing, whatever the test did."""
        if not (self.instance.run.exists() or self.processes()):
            return  # it was never started
        self.environ, self.prefix = {}, []
        subprocess.run(
            [*LAUNCH, "stop", "--force"], env=self.env(), cwd=self.home, capture_output=True, timeout=60
        )
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def launch(tmp_path: Path, free_port: int) -> Iterator[Launch]:
    """An instance in a folder with a space, Chinese characters and quotes in its name."""
    home = tmp_path / "家 'home\""
    home.mkdir()
    instance = Launch(home, free_port)
    yield instance
    instance.clean_up()
