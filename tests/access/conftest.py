"""Servers with keys. They trust the test as a proxy, so that it can come from any address."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from index_tts_ui import tls
from index_tts_ui.auth.keys import KeyStore

from ..api.server import Server, serving
from ..recordings import MINE, recording

ISSUER, AUDIENCE = "https://login.example", "tts"
PASSWORD = "correct horse"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
SPEECH = {"model": "tts-1", "voice": "alloy", "input": "Hello there.", "response_format": "pcm"}


class Locked:
    """A server, and keys to it."""

    def __init__(self, server: Server, secret: ec.EllipticCurvePrivateKey) -> None:
        self.server = server
        self.store = KeyStore(server.home / "keys.json")
        self._secret = secret

    def key(self, name: str, **more: Any) -> dict[str, str]:
        """Headers with a new key."""
        return {"Authorization": f"Bearer {self.store.add(name, **more)[1]}"}

    def token(self, **claims: Any) -> str:
        """A JWT of the issuer, unless ``claims`` say otherwise; None leaves one out."""
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)
        whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "dora", "exp": soon, **claims}
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(given, self._secret, algorithm="ES256")

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """GET."""
        return httpx.get(self.server.url + path, headers=headers, timeout=30)

    def speak(self, headers: dict[str, str] | None = None) -> httpx.Response:
        """POST /v1/audio/speech."""
        return httpx.post(f"{self.server.url}/v1/audio/speech", json=SPEECH, headers=headers, timeout=30)


def upload(server: Server, name: str, headers: dict[str, str], **fields: str) -> dict[str, Any]:
    """POST /v1/audio/voices."""
    answer = httpx.post(
        f"{server.url}/v1/audio/voices",
        data={"name": name, "statement": MINE, **fields},
        files={"file": ("me.wav", recording(len(name)), "audio/wav")},
        headers=headers,
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    voice: dict[str, Any] = answer.json()
    return voice


def public_pem(secret: ec.EllipticCurvePrivateKey) -> bytes:
    """Its other half."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return secret.public_key().public_bytes(serialization.Encoding.PEM, form)


@pytest.fixture(scope="package")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """The test engine that clones, without a page, for whoever has a key, from 10.0.0.0/8."""
    home, secret = tmp_path_factory.mktemp("locked"), ec.generate_private_key(ec.SECP256R1())
    (home / "issuer.pem").write_bytes(public_pem(secret))
    KeyStore(home / "keys.json").add("first")
    flags = ["--engine", "tone-clone", "--no-page", "--trusted-proxies", "127.0.0.1"]
    flags += ["--allow-nets", "10.0.0.0/8", "--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE]
    flags += ["--jwt-keys", str(home / "issuer.pem"), "--rate", "20:40"]
    with serving(home, *flags) as server:
        made = Locked(server, secret)
        upload(server, "alloy", made.key("librarian", roles=("voices",)), shared="true")
        yield made


class Opened(httpx.Client):
    """A client of a server without keys, over HTTPS."""

    home: Path


@pytest.fixture(scope="package")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The test engine over HTTPS with a certificate of its own, for everybody on this machine."""
    home = tmp_path_factory.mktemp("opened")
    tls.files("auto", home / "tls")  # as the server will find it
    trust = ssl.create_default_context(cafile=str(home / "tls" / "cert.pem"))
    flags = ["--engine", "tone", "--no-page", "--tls", "auto", "--allowed-hosts", "tts.example"]
    flags += ["--allow-nets", "10.0.0.0/8"]
    with (
        serving(home, *flags, trust=trust) as server,
        Opened(base_url=server.url, verify=trust, timeout=30) as client,
    ):
        client.home = home
        yield client


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and the error's code."""
    return response.status_code, response.json()["error"]["code"]


def address(name: str) -> dict[str, str]:
    """Headers of a client at an address."""
    return {"X-Forwarded-For": name}
