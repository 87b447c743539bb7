"""The instance under test: its folder on small disks, its commands, its processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher import identity, lock, probe, state
from launcher.identity import Identity
from launcher.instance import Instance

from .clients import CHARACTER_MS
from .clock import Clock

COMMAND = [sys.executable, "-P", "-m", "launcher"]
POLICY = {"base": 0.1, "cap": 0.5, "deaths": 1000, "first_deaths": 1000, "silence": 4, "dump": 1, "term": 3}
DISKS = {"run": 1, "logs": 32}  # MiB
PATIENCE = 60.0  # seconds for anything to come about


class Place:
    """``disks``: run/ and logs/ are file systems of their own, which can be filled."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="tts-chaos-"))
        self.instance = Instance(self.home)
        self.port = _free_port()
        self.disks = os.geteuid() == 0 and all(self._mount(name) for name in DISKS)
        self.clock = Clock(self.home)
        self.graceful = "--graceful" in self.command("restart", "--help")[1]

    def _mount(self, name: str) -> bool:
        folder = self.home / name
        folder.mkdir(mode=0o700)
        options = f"size={DISKS[name]}m,mode=0700"
        return (
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tts-chaos", folder], capture_output=True
            ).returncode
            == 0
        )

    def environ(self) -> dict[str, str]:
        """Of every command."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("TTS_", "LC_"))}
        own = {"HOME": self.home, "PORT": self.port, "ENGINE": "tone", "DRAIN_TIMEOUT": 8}
        own["ENGINE_OPTIONS"] = f"char_ms={CHARACTER_MS},step_ms=4"
        return (
            clean
            | {f"TTS_{key}": str(value) for key, value in own.items()}
            | {"LANG": "C.UTF-8", "TTS_LAUNCH_POLICY": json.dumps(POLICY)}
            | self.clock.environ
        )

    def spawn(self, *args: str) -> subprocess.Popen[str]:
        """A command, running."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen([*COMMAND, *args], env=self.environ(), cwd=self.home, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def finish(self, child: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code and output of a command, which must not hang."""
        try:
            out, _ = child.communicate(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate(timeout=60)
            raise
        return child.returncode, out

    def command(self, *args: str) -> tuple[int, str]:
        """Run a command to its end."""
        return self.finish(self.spawn(*args))

    def must(self, code: int, *args: str) -> str:
        """A command that must end with ``code``."""
        found, out = self.command(*args)
        if found != code:
            raise RuntimeError(f"tts-launch {' '.join(args)} ended with {found}, not {code}: {out.strip()}")
        return out

    def status(self) -> dict[str, Any]:
        """What ``status`` says."""
        answer: dict[str, Any] = json.loads(self.command("status", "--json")[1].splitlines()[-1])
        return answer

    def is_serving(self) -> bool:
        """Whether /readyz answers 200."""
        return probe.answers("127.0.0.1", self.port, "/readyz") == 200

    def role(self, role: str) -> list[identity.Marked]:
        """Live "server"s or "worker"s, each with the supervisor that its marker names."""
        return [item for item in identity.marked(self.instance.key) if role_of(item.process.pid) == role]

    def supervisor(self) -> Identity | None:
        """By its state file."""
        record = state.read(self.instance.state)
        known = record.supervisor if record else None
        return known if known and known.alive() else None

    def left(self) -> set[int]:
        """Pids of whatever carries the marker or holds the lock."""
        marked = {item.process.pid for item in identity.marked(self.instance.key)}
        return marked | {pid for pid in lock.holders(self.instance.lock) if Identity.of(pid)}

    def clean_up(self) -> None:
        """Leave nothing on the machine."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.command("stop", "--force")
        for item in identity.marked(self.instance.key):
            item.process.signal(signal.SIGKILL)
        if self.disks:
            for name in DISKS:
                subprocess.run(["umount", "--lazy", self.home / name], check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def role_of(pid: int) -> str:
    """What a process of the instance does."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    if b"index_tts_ui.worker" in line:
        return "worker"
    return "server" if b"\0index_tts_ui\0" in line else ""


def wait(what: str, true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Until it is true, or an error that names it."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
