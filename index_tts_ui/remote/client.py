"""Client: one upstream over HTTP, with a bounded pool of connections. It neither retries nor follows redirects."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from .. import __version__
from ..errors import BadConfig
from ..speech import Audio
from .answers import Failed, refusal
from .sound import Sound
from .upstreams import Upstream

SMALL_MOST = 4 << 20  # bytes of an answer that is no sound
SOUND_MOST = 256 << 20
CONNECT_SECONDS = 5.0
PROBE_SECONDS = 5.0
UPLOAD_SECONDS = 30.0
PROBES = 2  # connections beside those of segments
# AttributeError: anyio's own, on uvloop, where a connection breaks as soon as it is made
BROKEN = (httpx.HTTPError, OSError, AttributeError)
REASONS: dict[type[Exception], str] = {
    httpx.ConnectError: "it cannot be reached",
    httpx.ConnectTimeout: "it cannot be reached in time",
    httpx.TimeoutException: "it does not answer in time",
    TimeoutError: "it does not answer in time",
    httpx.RemoteProtocolError: "it broke off its answer",
    httpx.ReadError: "the connection to it broke",
    httpx.WriteError: "the connection to it broke",
}


class Client:
    """Close it when done. ``rate``: Hz of the sound it gives."""

    def __init__(self, upstream: Upstream, rate: int) -> None:
        self._upstream = upstream
        self._rate = rate
        most = upstream.concurrency + PROBES
        headers = {"accept-encoding": "identity", "user-agent": f"index-tts-ui/{__version__}"}
        if upstream.key:
            headers["authorization"] = f"Bearer {upstream.key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=30.0),
            follow_redirects=False,  # its address comes from the configuration, and from nowhere else
            trust_env=False,
            verify=trust(upstream.ca) if upstream.url.startswith("https:") else False,
        )

    async def close(self) -> None:
        """End all connections."""
        await self._http.aclose()

    async def speak(self, body: Mapping[str, Any]) -> Audio:
        """POST /v1/audio/speech. Raises Failed, Busy or Refused; the caller bounds the time."""
        sound = Sound(
            self._rate, SOUND_MOST, self._upstream.pcm_rate if self._upstream.format == "pcm" else 0
        )
        try:
            async with self._http.stream("POST", self._url("/v1/audio/speech"), json=body) as answer:
                if answer.status_code != 200:
                    raise refusal(answer.status_code, answer.headers, await _small(answer))
                _check_type(answer.headers.get("content-type", ""))
                async for block in answer.aiter_raw():
                    sound.push(block)
        except BROKEN as error:
            raise _failed(error) from error
        return sound.whole()

    async def ask(self, path: str) -> Any:
        """The JSON of a GET; None where there is no such route. Raises Failed, Busy or Refused."""
        try:
            async with asyncio.timeout(PROBE_SECONDS), self._http.stream("GET", self._url(path)) as answer:
                data = await _small(answer)
        except BROKEN as error:
            raise _failed(error) from error
        if answer.status_code in (404, 405, 501):
            return None
        if answer.status_code != 200:
            raise refusal(answer.status_code, answer.headers, data)
        try:
            return json.loads(data) if data else {}
        except ValueError:
            return {}  # /health of vLLM, or some page: it lives

    async def upload(self, path: str, wav: bytes) -> Any:
        """The JSON of a POST of a file. Raises as :meth:`speak`."""
        files = {"file": ("clip.wav", wav, "audio/wav")}
        try:
            async with (
                asyncio.timeout(UPLOAD_SECONDS),
                self._http.stream("POST", self._url(path), files=files) as answer,
            ):
                data = await _small(answer)
        except BROKEN as error:
            raise _failed(error) from error
        if answer.status_code not in (200, 201):
            raise refusal(answer.status_code, answer.headers, data)
        try:
            return json.loads(data)
        except ValueError as error:
            raise Failed("its answer to a clip is no JSON") from error

    def _url(self, path: str) -> str:
        return self._upstream.url + path


def trust(ca: str) -> ssl.SSLContext:
    """The system's certificates, or those of a file. Raises BadConfig."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise BadConfig(
            "bad_config", name="upstreams", reason=f"{ca} has no certificates: {error}"
        ) from error


async def _small(answer: httpx.Response) -> bytes:
    data = bytearray()
    async for block in answer.aiter_raw():
        data += block
        if len(data) > SMALL_MOST:
            raise Failed(f"its answer is larger than {SMALL_MOST >> 20} MB")
    return bytes(data)


def _check_type(said: str) -> None:
    kind = said.partition(";")[0].strip().lower()
    if kind and not kind.startswith("audio/") and kind != "application/octet-stream":
        raise Failed(f"its answer is {kind[:64]}, not sound")


def _failed(error: Exception) -> Failed:
    known = (said for kind, said in REASONS.items() if isinstance(error, kind))
    reason = next(known, f"the connection to it broke ({type(error).__name__})")
    return Failed(reason, gone=isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)))
