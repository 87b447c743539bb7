"""The front as its operator runs it, under the supervisor, with a replica that needs no Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ..api.server import free_port, until
from .load import Load
from .place import TOKEN, Replica


def _launch(home: Path, *words: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    done = subprocess.run(
        [sys.executable, "-m", "launcher", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, "TTS_CLUSTER_TOKEN": TOKEN},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_graceful_restart_of_the_front_costs_no_request_and_no_load(tmp_path: Path) -> None:
    port, join = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "replica").mkdir()
    replica = Replica(tmp_path / "replica", join, 1, "step_ms=5,char_ms=5", (), TOKEN)
    try:
        flags = ["--port", str(port), "--cluster-port", str(join), "--engine", "tone", "--no-page"]
        _launch(tmp_path, "start", *flags, "--rate", "off")
        until(lambda: httpx.get(f"{url}/readyz", timeout=20).status_code == 200, "it is ready", 60)
        (worker,) = replica.workers()
        users = [Load(url) for _ in range(2)]
        for user in users:
            user.start()
        until(lambda: all(user.served for user in users), "they are served")
        _launch(tmp_path, "restart", "--graceful")
        before = [user.served for user in users]
        until(
            lambda: all(user.served > count for user, count in zip(users, before, strict=True)), "they go on"
        )
        for user in users:
            user.over.set()
        for user in users:
            user.join(60)
        print(f"longest request, with the front restarted: {max(user.longest for user in users):.1f} s")
        assert not [reason for user in users for reason in user.failed]
        assert replica.workers() == [worker]
    finally:
        _launch(tmp_path, "stop")
        replica.stop()
