"""Three managers of one server, ready to be measured: ours, and two that are installed into a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import lab

PATIENCE = 60.0  # seconds for anything
GRACEFUL = "--graceful"


@dataclass
class Manager:
    """One way to keep the server: its commands. ``close`` ends what it keeps running itself."""

    name: str
    version: str
    port: int
    environ: dict[str, str]
    status: list[str]
    stop: list[str]
    start: list[str]
    restart: list[str]
    close: Callable[[], object] = lambda: None

    def run(self, command: Sequence[str], codes: Sequence[int] = (0,)) -> float:
        """Seconds that a command takes; it must succeed."""
        began = time.perf_counter()
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=2 * PATIENCE)
        seconds = time.perf_counter() - began
        if done.returncode not in codes:
            raise SystemExit(f"{command} -> {done.returncode}: {done.stdout}{done.stderr}")
        return seconds

    def ready(self) -> bool:
        """Whether the server serves."""
        with contextlib.suppress(OSError):
            return bool(
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status == 200
            )
        return False

    def processes(self) -> list[psutil.Process]:
        """Those of the server, told by its port."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if {"index_tts_ui", str(self.port)} <= set(process.info["cmdline"] or ())
        ]


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.01)


def _environ(**more: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TTS_", "PM2_"))}
    return clean | {"LANG": "C.UTF-8", **more}


def _server(home: Path, port: int) -> list[str]:
    """The server itself, as the other managers run it."""
    home.mkdir()
    return [
        sys.executable,
        "-m",
        "index_tts_ui",
        "--home",
        str(home),
        "--port",
        str(port),
        "--engine",
        "tone",
    ]


def _ours(folder: Path) -> Manager:
    from index_tts_ui import __version__

    port = lab.free_port()
    home = folder / "ours"
    home.mkdir()
    environ = _environ(TTS_HOME=str(home), TTS_PORT=str(port), TTS_ENGINE="tone")
    script = Path(sys.executable).with_name("tts-launch")
    base = [str(script)] if script.exists() else [sys.executable, "-m", "launcher"]
    shown = subprocess.run([*base, "restart", "--help"], capture_output=True, text=True).stdout
    restart = [*base, "restart", *([GRACEFUL] if GRACEFUL in shown else [])]
    return Manager(
        "tts-launch",
        __version__,
        port,
        environ,
        [*base, "status"],
        [*base, "stop"],
        [*base, "start"],
        restart,
    )


def _supervisor(folder: Path) -> Manager:
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-qq", "supervisor"], check=True)
    port = lab.free_port()
    home = folder / "supervisor"
    command = " ".join(_server(home, port))
    conf, sock = home / "supervisord.conf", home / "s.sock"
    conf.write_text(
        f"[unix_http_server]\nfile={sock}\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[supervisord]\nlogfile={home}/supervisord.log\npidfile={home}/pid\n"
        f"[supervisorctl]\nserverurl=unix://{sock}\n"
        f"[program:tts]\ncommand={command}\ndirectory={lab.ROOT}\nautostart=false\nstopwaitsecs=40\n"
    )
    daemon = subprocess.Popen(
        [venv / "bin" / "supervisord", "-n", "-c", conf], env=_environ(), stdout=subprocess.DEVNULL
    )
    until(sock.exists, "supervisord listens")

    def close() -> None:
        daemon.terminate()
        daemon.wait(PATIENCE)

    base = [str(venv / "bin" / "supervisorctl"), "-c", str(conf)]
    version = subprocess.run([*base, "version"], capture_output=True, text=True).stdout.strip()
    status, stop, start, restart = (
        [*base, action, "tts"] for action in ("status", "stop", "start", "restart")
    )
    return Manager("supervisor", version, port, _environ(), status, stop, start, restart, close)


def _pm2(folder: Path) -> Manager | None:
    npm = shutil.which("npm")
    if npm is None:
        print("pm2 is left out: npm is not installed")
        return None
    subprocess.run([npm, "install", "--silent", "--prefix", folder / "npm", "pm2"], check=True)
    port = lab.free_port()
    home = folder / "pm2"
    program, *arguments = _server(home, port)
    app = {"name": "tts", "script": program, "args": arguments, "interpreter": "none", "cwd": str(lab.ROOT)}
    apps = home / "apps.json"
    apps.write_text(json.dumps({"apps": [{**app, "kill_timeout": 40_000}]}))
    environ = _environ(PM2_HOME=str(home / "state"))
    base = [str(folder / "npm" / "node_modules" / ".bin" / "pm2")]
    for first in ([*base, "start", str(apps)], [*base, "stop", "tts"]):  # from now on it knows it by name
        subprocess.run(first, env=environ, check=True, capture_output=True)
    shown = subprocess.run([*base, "--version"], env=environ, capture_output=True, text=True)

    def close() -> None:
        subprocess.run([*base, "kill"], env=environ, check=True, capture_output=True)

    status, stop, start, restart = (
        [*base, "ls"],
        *([*base, act, "tts"] for act in ("stop", "start", "restart")),
    )
    return Manager("pm2", shown.stdout.split()[-1], port, environ, status, stop, start, restart, close)


@contextlib.contextmanager
def managers() -> Iterator[list[Manager]]:
    """All that can be had, each with its server ready; nothing of them is left afterwards."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        found = []
        for make in (_ours, _supervisor, _pm2):
            if manager := make(Path(name)):
                found.append(manager)
                stack.callback(manager.close)
                stack.callback(manager.run, manager.stop)
                manager.run(manager.start)
                until(manager.ready, f"{manager.name} is ready")
        yield found
