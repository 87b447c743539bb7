"""Real proxies with the files of deploy/, on loopback and other ports, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from index_tts_ui import tls

from ..api.server import free_port, until
from .tools import DEPLOY, exchanged, passes, program

NAME = "tts.example.com"
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Front:
    """A proxy that runs."""

    port: int  # of HTTPS
    plain: int  # of HTTP
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        """Of HTTPS."""
        return f"https://127.0.0.1:{self.port}"

    def client(self, **more: object) -> httpx.Client:
        """Who asks it under the name that its file has."""
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=30, headers={"Host": NAME}, **more)  # type: ignore[arg-type]


def certificate(folder: Path) -> tuple[str, str, ssl.SSLContext]:
    """Certificate, key and what to trust; for addresses and names of this machine."""
    pair = tls.files("auto", folder)
    assert pair is not None
    return *pair, ssl.create_default_context(cafile=pair[0])


@contextlib.contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[Front]:
    """deploy/nginx/tts.conf before 127.0.0.1:``upstream``."""
    folder.mkdir()
    binary = program("nginx")
    cert, key, trust = certificate(folder / "tls")
    front = Front(free_port(), free_port(), trust)
    text = exchanged(
        (DEPLOY / "nginx" / "tts.conf").read_text("utf-8"),
        ("127.0.0.1:7860", f"127.0.0.1:{upstream}"),
        ("listen 80;", f"listen 127.0.0.1:{front.plain};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{front.port} ssl http2;"),
        ("listen [::]:443 ssl http2;", ""),
        ("/etc/ssl/tts/fullchain.pem", cert),
        ("/etc/ssl/tts/privkey.pem", key),
    )
    (folder / "tts.conf").write_text(text, "utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\npid {folder}/pid;\nerror_log stderr notice;\nevents {{}}\n"
    user = "user root;\n" if os.geteuid() == 0 else ""  # the test's folders are its own
    http = f"http {{\naccess_log off;\n{temporary}include {folder}/tts.conf;\n}}\n"
    (folder / "nginx.conf").write_text(user + main + http, "utf-8")
    argv = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    passes([*argv, "-t"])
    with _running(argv, folder, front):
        yield front


@contextlib.contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[Front]:
    """deploy/caddy/Caddyfile before 127.0.0.1:``upstream``, with a certificate of ours."""
    folder.mkdir()
    binary = program("caddy")
    cert, key, trust = certificate(folder / "tls")
    front = Front(free_port(), free_port(), trust)
    ports = f"http_port {front.plain}\n\thttps_port {front.port}\n\tdefault_bind 127.0.0.1"
    text = exchanged(
        (DEPLOY / "caddy" / "Caddyfile").read_text("utf-8"),
        (f"\n{NAME} {{", f"\n{{\n\tadmin off\n\tdefault_sni {NAME}\n\t{ports}\n}}\n{NAME} {{"),
        ("# tls internal", f"tls {cert} {key}"),
        ("127.0.0.1:7860", f"127.0.0.1:{upstream}"),
    )
    (folder / "Caddyfile").write_text(text, "utf-8")
    home = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    file = ["--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    passes([binary, "validate", *file], env=home)
    with _running([binary, "run", *file], folder, front, home):
        yield front


@contextlib.contextmanager
def _running(
    argv: Sequence[str], folder: Path, front: Front, environ: dict[str, str] | None = None
) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, env=environ, cwd=folder)
    try:
        until(lambda: _listens(process, log, front), f"{argv[0]} listens")
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def _listens(process: subprocess.Popen[bytes], log: Path, front: Front) -> bool:
    assert process.poll() is None, log.read_text("utf-8", "replace")
    try:
        with front.client() as client:
            client.get("/healthz")
    except httpx.TransportError:
        return False
    return True
