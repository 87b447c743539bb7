"""The Ray node of this machine: started for one instance, and ended with all that it started, and nobody else's.

``ray stop`` would end every Ray process of the machine. Ours carry a variable, as the service's processes do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import tree
from .errors import BadArguments, Failed, NotPermitted
from .identity import Identity, processes
from .instance import Instance

VARIABLE = "TTS_RAY_NODE"
CONTROL_LOOP = "RAY_SERVE_CONTROL_LOOP_INTERVAL_S"
OPTIONS = "TTS_RAY_OPTIONS"  # more words for "ray start", for those who know it
TOKEN = "TTS_CLUSTER_TOKEN"
START_SECONDS = 120.0
TRIES = 2
LAST_WORDS = 5.0
GENTLE, HARD = 10.0, 5.0
_LEAST = 16


def token_file(instance: Instance) -> Path:
    """Where the cluster's token is."""
    return instance.home / "cluster.token"


def keep_token(instance: Instance, token: str = "") -> None:
    """Write it, for this user's eyes only; without one, make one where there is none.

    Raises:
        BadArguments: too short to be one.
        NotPermitted: the home cannot be written.
    """
    path, token = token_file(instance), token.strip()
    if not token and path.exists():
        return
    if token and len(token) < _LEAST:
        raise BadArguments("cluster_short_token", least=_LEAST)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(token or secrets.token_hex(32))
        os.replace(beside, path)
    except UnicodeEncodeError as error:
        raise BadArguments("cluster_short_token", least=_LEAST) from error
    except OSError as error:
        raise NotPermitted("cannot_write", path=path, reason=error.strerror) from error


def environ(instance: Instance) -> dict[str, str]:
    """What Ray's processes, and all that talk to them, are started with."""
    return {
        VARIABLE: instance.key,
        "TTS_HOME": str(instance.home),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file(instance)),
        "RAY_USAGE_STATS_ENABLED": "0",
        # ten looks a second at replicas that tell by themselves when they come or go cost 4 % of a core
        CONTROL_LOOP: os.environ.get(CONTROL_LOOP, "0.5"),
        "RAY_DISABLE_IMPORT_WARNING": "1",
    }


def members(instance: Instance) -> set[Identity]:
    """Live processes of the instance's node: those with our variable, and all below them."""
    wanted = f"{VARIABLE}={instance.key}".encode()
    roots = {stat.pid for stat in processes() if wanted in _variables(stat.pid)} - tree.ancestors()
    found = {identity for pid in roots if (identity := Identity.of(pid))}
    return found | {item for item in tree.descendants(roots) if item.pid not in tree.ancestors()}


def _variables(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def ports(settings: dict[str, Any]) -> list[str]:
    """The ports that a firewall must let through, as words of ``ray start``."""
    low, _, high = settings["worker_ports"].partition("-")
    return [
        f"--node-manager-port={settings['node_port']}",
        f"--object-manager-port={settings['object_port']}",
        f"--min-worker-port={low}",
        f"--max-worker-port={high}",
    ]


def start(instance: Instance, words: Sequence[str]) -> None:
    """``ray start``; returns once the node is up. One that hangs is ended, and tried once more. Raises Failed with
    Ray's own words; then nothing of it is left."""
    import shlex

    command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", *words, "--disable-usage-stats"]
    command += shlex.split(os.environ.get(OPTIONS, ""))
    instance.prepare()
    log = instance.logs / "ray.log"
    log.unlink(missing_ok=True)
    for _ in range(TRIES):
        code = _run(instance, command, log)
        if code == 0:
            return
        end(instance)
        if code is not None:
            raise Failed("cluster_ray_failed", reason=_why(log), path=log)
    raise Failed(
        "cluster_ray_failed", reason=f"no answer within {START_SECONDS:g} s, {TRIES} times", path=log
    )


def _run(instance: Instance, command: Sequence[str], log: Path) -> int | None:
    """Its exit status; None where it did not end: then it says in the log where it hung."""
    import subprocess

    with open(log, "ab") as output:
        running = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=instance.home,
            env={**os.environ, **environ(instance), "PYTHONFAULTHANDLER": "1"},
        )
    try:
        return running.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGABRT)  # its traceback, by the fault handler
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(LAST_WORDS)
        return None
    finally:
        running.kill()
        running.wait()


def _why(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line or "error" in line or "mismatch" in line.lower()]
    return (told or lines or ["?"])[-1].rstrip(".")[:300]


def end(instance: Instance) -> bool:
    """End the node; False where there is none. Raises Failed where something survives."""
    if not members(instance):
        return False
    left = tree.end(lambda: members(instance), GENTLE, HARD)
    if left:
        raise Failed("not_ending", pids=", ".join(str(item.pid) for item in left))
    return True
