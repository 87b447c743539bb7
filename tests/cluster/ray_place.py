"""A cluster as its operator makes it: ``tts-launch cluster`` in homes of its own, small, and gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from . import ray_venv

UP_SECONDS = 360  # one that hangs is ended after two minutes, and tried once more


def free_ports(count: int) -> list[int]:
    """So many, of 127.0.0.1, free now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Machine:
    """A home folder and where its commands run: ``inside`` goes before each (``ip netns exec NAME``)."""

    def __init__(self, home: Path, address: str, inside: Sequence[str] = (), cpus: float = 2) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.address = address
        self.inside = list(inside)
        self.python = str(ray_venv.python())
        self.temp = Path(tempfile.mkdtemp(prefix="ttsr", dir="/tmp"))  # sockets below it: a short path
        self._cpus = cpus

    def configure(self, **settings: Any) -> dict[str, Any]:
        """Write cluster.toml with ports that are free."""
        port, ray_port, node_port, object_port = free_ports(4)
        found: dict[str, Any] = {"head": self.address, "cluster_port": port, "ray_port": ray_port}
        found |= {"node_port": node_port, "object_port": object_port, "gpus": 0, "cpus": 1, **settings}
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in found.items()]
        (self.home / "cluster.toml").write_text("".join(lines))
        return found

    def launch(self, *words: str, head: bool = True, code: int = 0, token: str = "") -> str:
        """``tts-launch WORDS --home HOME``; its output."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("TTS_", "RAY_"))}
        options = f"--num-cpus {self._cpus:g} --object-store-memory 100000000"
        options += f" --temp-dir {self.temp}" if head else ""
        environ = {**clean, "TTS_RAY_OPTIONS": options, "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
        # a machine that is busy with other tests is no machine that is gone
        environ |= {"RAY_health_check_failure_threshold": "10", "RAY_raylet_start_wait_time_s": "120"}
        if token:
            environ["TTS_CLUSTER_TOKEN"] = token
        done = subprocess.run(
            [*self.inside, self.python, "-m", "launcher", *words, "--home", str(self.home)],
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            env=environ,
            cwd=ray_venv.ROOT,
        )
        assert done.returncode == code, (
            f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        )
        return done.stdout + done.stderr

    def logs(self) -> str:
        """What Ray and the front said."""
        parts = [path.read_text("utf-8", "replace")[-3000:] for path in self.home.glob("logs/*.log")]
        parts += [
            path.read_text("utf-8", "replace")[-3000:]
            for path in self.temp.glob("session_latest/logs/serve/*.log")
        ]
        return "\n---\n".join(parts)

    def processes(self, module: str) -> list[psutil.Process]:
        """Those of this home that run ``module``."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                if module in line and process.environ().get("TTS_HOME", "") == str(self.home):
                    found.append(process)
        return found

    def clean(self) -> None:
        """End what is left of it."""
        with contextlib.suppress(AssertionError, subprocess.SubprocessError):
            self.launch("cluster", "down")
        shutil.rmtree(self.temp, ignore_errors=True)


@contextlib.contextmanager
def machines(*made: Machine) -> Iterator[None]:
    """They are cleaned up, last first."""
    try:
        yield
    finally:
        for machine in reversed(made):
            machine.clean()


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
    """Wait for it; fails with ``what``."""
    from ..api.server import until as wait

    wait(condition, what, seconds)
