"""Two Ray nodes in network namespaces, as two machines on a cable; then the cable is cut."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import ray_venv
from .cable import HEAD, OTHER, Cable, NoNamespaces, inside, laid
from .ray_place import Machine, machines, until

pytestmark = pytest.mark.slow
# what a user inside the head's namespace does; prints one JSON object
USER = """
import json, sys, threading, time, urllib.request
url, users, seconds, text = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
body = json.dumps({"model": "tone", "input": text, "voice": "tone-a", "response_format": "pcm"}).encode()
over, served, failed, longest = time.monotonic() + seconds, [], [], [0.0]
def user():
    while time.monotonic() < over:
        began = time.monotonic()
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            served.append(len(urllib.request.urlopen(request, timeout=120).read()))
        except Exception as error:
            failed.append(repr(error)[:200])
        longest[0] = max(longest[0], time.monotonic() - began)
threads = [threading.Thread(target=user) for _ in range(users)]
began = time.monotonic()
for one in threads: one.start()
for one in threads: one.join()
print(json.dumps({"served": len(served), "failed": failed, "longest": longest[0], "wall": time.monotonic() - began}))
"""


@pytest.fixture
def cable() -> Iterator[Cable]:
    """Skips where it is not allowed."""
    try:
        with laid() as found:
            yield found
    except NoNamespaces as why:
        pytest.skip(str(why))


def _ask(machine: Machine, port: int, users: int, seconds: float, text: str) -> subprocess.Popen[str]:
    url = f"http://127.0.0.1:{port}/v1/audio/speech"
    command = [*machine.inside, sys.executable, "-c", USER, url, str(users), str(seconds), text]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _told(user: subprocess.Popen[str], seconds: float = 200) -> dict[str, Any]:
    out, _ = user.communicate(timeout=seconds)
    found: dict[str, Any] = json.loads(out)
    return found


def _workers(machine: Machine, port: int) -> list[str]:
    code = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/v1/status', timeout=20).read().decode())"
    done = subprocess.run(
        [*machine.inside, sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return [f"{one['device']} {one['state']}" for one in json.loads(done.stdout)["workers"]]


def test_two_machines_speak_nearly_twice_as_much_and_one_may_vanish(cable: Cable, tmp_path: Path) -> None:
    ray_venv.python()
    head = Machine(tmp_path / "head", HEAD, inside(cable.head), cpus=1)
    other = Machine(tmp_path / "other", OTHER, inside(cable.other), cpus=1)
    with machines(head, other):
        ports = head.configure(min_replicas=2, max_replicas=2)
        same = {name: ports[name] for name in ("cluster_port", "ray_port", "node_port", "object_port")}
        other.configure(**same)
        flags = [
            "--engine",
            "tone",
            "--engine-options",
            "step_ms=12,char_ms=5,ahead=0",
            "--max-batch-size",
            "2",
        ]
        flags += ["--no-page", "--rate", "off", "--queue-timeout", "120", "--max-user-waiting", "1000"]
        head.launch("cluster", "up", "--port", "7860", *flags)
        until(lambda: _workers(head, 7860) == [f"{HEAD}#1 ready"], "one machine speaks")
        text = "Twenty letters or so."
        alone = _told(_ask(head, 7860, 12, 5, text))

        front = f"{HEAD}:{ports['cluster_port']}"
        told = other.launch("cluster", "join", front, head=False, code=2)
        assert "token is needed" in told
        wrong = other.home / "wrong"
        wrong.write_text("0123456789abcdef0123")
        told = other.launch("cluster", "join", front, "--token-file", str(wrong), head=False, code=1)
        assert "its token is not the front's" in told
        token = str(head.home / "cluster.token")
        words = ("--token-file", token, "--address", OTHER)
        told = other.launch("cluster", "join", f"{HEAD}:1", *words, head=False, code=1)
        assert "cannot be reached" in told
        other.launch("cluster", "join", front, *words, head=False)
        until(
            lambda: sorted(_workers(head, 7860)) == [f"{HEAD}#1 ready", f"{OTHER}#1 ready"],
            "both machines speak",
            120,
        )
        both = _told(_ask(head, 7860, 12, 5, text))
        ratio = (both["served"] / both["wall"]) / (alone["served"] / alone["wall"])
        print(f"two machines against one: {ratio:.2f}")
        assert not alone["failed"] and not both["failed"]
        assert ratio >= 1.7, f"{ratio:.2f}: {alone} {both}"

        user = _ask(head, 7860, 8, 14, text)
        until(lambda: user.poll() is None, "they ask")
        import time

        time.sleep(3)  # in the middle of it
        cable.cut()
        seen = _told(user)
        print(
            f"longest request, with one of two machines gone: {seen['longest']:.1f} s of {seen['served']} requests"
        )
        assert not seen["failed"] and seen["served"] > 20
        assert _workers(head, 7860) == [f"{HEAD}#1 ready"]
