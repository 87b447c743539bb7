"""The peers: what each needs installed, how it is started and asked. Each lives in a venv of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import site
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import lab
from .peer_servers.speaker import VARIABLE, Settings

Ask = Callable[[lab.Client, str], Awaitable[lab.Reply]]
VENVS = lab.ROOT / ".venv-peers"
READY_SECONDS = 180
STOP_SECONDS = 20


async def _plain(client: lab.Client, text: str) -> lab.Reply:
    return (await client.ask("POST", "/speak", {"text": text}))[0]


async def _bentoml(client: lab.Client, text: str) -> lab.Reply:
    reply, body = await client.ask("POST", "/speak", {"texts": [text]})
    if reply.status == 200:
        reply.bytes = len(base64.b64decode(json.loads(body)[0]))
    return reply


async def _gradio(client: lab.Client, text: str) -> lab.Reply:
    """Its two calls: join the queue, then hear the end."""
    began = time.perf_counter()
    reply, body = await client.ask("POST", "/gradio_api/call/speak", {"data": [text]})
    if reply.status != 200:
        return reply
    reply, body = await client.ask("GET", f"/gradio_api/call/speak/{json.loads(body)['event_id']}")
    total = time.perf_counter() - began
    if b"event: complete" not in body:
        return lab.Reply(500, total, total, 0)
    (sound,) = json.loads(body.rsplit(b"data: ", 1)[1])
    return lab.Reply(200, total, total, len(base64.b64decode(sound)))


@dataclass(frozen=True)
class Peer:
    """``requirements``: what pip installs into its venv, beside all that this environment has."""

    name: str
    title: str
    module: str
    requirements: tuple[str, ...] = ()
    ask: Ask = _plain

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return VENVS / self.name / "bin" / "python"

    def install(self) -> None:
        """Make its venv, if there is none."""
        mark = VENVS / self.name / "installed"
        library = "\n".join(site.getsitepackages()) + "\n"  # of this environment, which may have moved
        said = library + " ".join(self.requirements)
        if mark.exists() and mark.read_text() == said:
            return
        print(f"installing {self.title}", file=sys.stderr, flush=True)
        shutil.rmtree(VENVS / self.name, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENVS / self.name], check=True)
        (own,) = (VENVS / self.name / "lib").glob("python*/site-packages")
        (own / "base.pth").write_text(library)  # behind its own packages, so that it may bring other versions
        if self.requirements:
            subprocess.run([self.python, "-m", "pip", "install", "-q", *self.requirements], check=True)
        mark.write_text(said)

    @contextlib.contextmanager
    def running(self, settings: Settings) -> Iterator[None]:
        """Started and asked once; all of its processes are ended afterwards."""
        self.install()
        environ = {**os.environ, VARIABLE: settings.text(), "PYTHONPATH": str(lab.ROOT)}
        environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
        VENVS.mkdir(exist_ok=True)
        log = VENVS / f"{self.name}.log"
        command = [self.python, "-m", f"benchmarks.peer_servers.{self.module}"]
        with log.open("wb") as out:
            process = psutil.Popen(command, cwd=lab.ROOT, env=environ, stdout=out, stderr=out)
        try:
            if not asyncio.run(self._ready(settings.port, process)):
                raise SystemExit(f"{self.title} did not start: {log.read_text('utf-8', 'replace')[-3000:]}")
            yield
        finally:
            _end(process)

    async def _ready(self, port: int, process: psutil.Popen) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError, EOFError, ValueError):
                async with lab.Client.connect(port) as client:
                    reply = await asyncio.wait_for(self.ask(client, "Hello."), 30)
                    if reply.status == 200 and reply.bytes:
                        return True
            await asyncio.sleep(0.1)
        return False


def _end(process: psutil.Popen) -> None:
    family = [process]
    with contextlib.suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
        process.terminate()
    _, alive = psutil.wait_procs(family, STOP_SECONDS)
    for one in alive:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(alive, STOP_SECONDS)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("flask", "Flask + lock", "flask_lock", ("flask>=3", "waitress>=3")),
        Peer("fastapi", "FastAPI + threads", "fastapi_threads"),
        Peer("gradio", "Gradio queue", "gradio_queue", ask=_gradio),
        Peer("litserve", "LitServe", "litserve_batch", ("litserve>=0.2.19",)),
        Peer("bentoml", "BentoML", "bentoml_batch", ("bentoml>=1.4",), ask=_bentoml),
        Peer("ray", "Ray Serve batch", "ray_batch", ("ray[serve]>=2.50",)),
    )
}
