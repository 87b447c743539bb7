"""A speech server made for tests: it answers as it is told, and remembers all that it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from index_tts_ui.audio import Encoder

RATE = 24_000
Reply = tuple[int, dict[str, str], bytes]


def wav(seconds: float = 0.2, rate: int = RATE, pitch: float = 440.0) -> bytes:
    """A tone as a WAVE file with true sizes."""
    samples = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)
    encoder = Encoder("wav", rate, len(samples))
    return encoder.encode(samples.astype(np.float32)) + encoder.finish()


def sound(seconds: float = 0.2) -> Reply:
    """200 with sound."""
    return 200, {"content-type": "audio/wav"}, wav(seconds)


def told(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    """An error of OpenAI's shape."""
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps(body).encode()


def as_json(data: Any) -> Reply:
    """200 with JSON."""
    return 200, {"content-type": "application/json"}, json.dumps(data).encode()


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    gone: asyncio.Event  # the client closed its connection

    @property
    def json(self) -> dict[str, Any]:
        """Its body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


Speak = Callable[[Asked], Awaitable[Reply | None]]


async def speaks(asked: Asked) -> Reply:
    """What a good server does."""
    return sound()


@dataclass
class Fake:
    """``speak`` answers POST /v1/audio/speech (None: the connection is cut without an answer), ``routes`` the rest."""

    speak: Speak = speaks
    routes: dict[str, Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    open: int = 0  # connections
    most: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def spoken(self) -> list[dict[str, Any]]:
        """The bodies of all requests for speech."""
        return [one.json for one in self.asked if one.path == "/v1/audio/speech"]

    async def start(self) -> None:
        """Listen, at the port it had before, if it had one."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break off all connections, as a process that is killed does."""
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self._body(reader, headers)
        asked = Asked(method, path, headers, body, asyncio.Event())
        self.asked.append(asked)
        reply = await self._reply(asked, reader)
        if reply is None:
            return False
        status, named, data = reply
        length = {} if "transfer-encoding" in named else {"content-length": str(len(data))}
        lines = [f"HTTP/1.1 {status} X", *(f"{key}: {value}" for key, value in {**length, **named}.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await writer.drain()
        return named.get("connection") != "close"

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)

    async def _reply(self, asked: Asked, reader: asyncio.StreamReader) -> Reply | None:
        if asked.path != "/v1/audio/speech":
            return self.routes.get(asked.path, told(404))
        speaking = asyncio.create_task(self.speak(asked))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if speaking.done():
                return speaking.result()
            asked.gone.set()
            return None
        finally:
            for task in (speaking, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(speaking, leaving, return_exceptions=True)


def ours(fake: Fake, voices: tuple[str, ...] = ("tone-a",), **status: Any) -> Fake:
    """``fake`` as another instance of this service would look."""
    said = {"ready": True, "state": "ready", "engine": "tone", "waiting": 0, "running": 0, "max_waiting": 100}
    said |= {"workers": [], "features": ["speed", "blend", "seed"], "fraction": 1.0, **status}
    fake.routes["/v1/status"] = as_json(said)
    fake.routes["/v1/audio/voices"] = as_json({"voices": [{"id": name, "name": name} for name in voices]})
    fake.routes["/v1/models"] = as_json({"data": [{"id": "tone", "owned_by": "index-tts-ui"}]})
    return fake


def omni(fake: Fake, model: str = "IndexTeam/IndexTTS-2.5") -> Fake:
    """``fake`` as vLLM-Omni would look: docs/serving/speech_api.md of its repository."""
    fake.routes["/health"] = (200, {}, b"")
    fake.routes["/v1/models"] = as_json({"object": "list", "data": [{"id": model, "owned_by": "vllm"}]})
    fake.routes["/v1/audio/voices"] = as_json({"voices": ["vivian", "ryan"], "uploaded_voices": []})
    return fake
