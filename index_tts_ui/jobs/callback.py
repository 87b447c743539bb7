"""Callbacks: telling a host that was allowed, with a signature, that a job has ended.

The signature is that of the Standard Webhooks specification, which has libraries to check it:
``webhook-signature: v1,<base64 of HMAC-SHA256(key, "{id}.{timestamp}.{body}")>``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import os
import secrets
import socket
import ssl
import time
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ..errors import Invalid

TIMEOUT = 10.0  # seconds, for each step of a delivery
WAITS = (1.0, 5.0, 30.0, 300.0, 1800.0, 7200.0)  # seconds before each further try
PREFIX = "whsec_"
MOST_URL = 2000


class CallbackFailed(Exception):
    """It was not taken; the text says why."""


def check_url(url: str, hosts: Collection[str]) -> SplitResult:
    """``url`` in parts. Raises Invalid where its host is not one of ``hosts``."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise Invalid("bad_value", param="callback_url", reason="is not a URL") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or len(url) > MOST_URL:
        raise Invalid(
            "bad_value", param="callback_url", reason="must be an http or https URL without a user name"
        )
    named = f"[{host}]" if ":" in host else host
    if not {host, named, f"{named}:{port}"} & {entry.lower() for entry in hosts}:
        raise Invalid("callback_not_allowed", param="callback_url", host=host[:100])
    return parts


def read_key(path: Path) -> bytes:
    """The key that signs; made where there is none, readable by its owner only."""
    with contextlib.suppress(FileExistsError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(PREFIX + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    text = path.read_text("ascii").strip()
    if text.startswith(PREFIX):
        return base64.b64decode(text.removeprefix(PREFIX))
    return text.encode()


def signed(key: bytes, call_id: str, body: bytes, now: float) -> dict[str, str]:
    """The headers that prove where ``body`` comes from."""
    stamp = str(int(now))
    digest = hmac.digest(key, f"{call_id}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": call_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        "content-type": "application/json",
        "user-agent": "index-tts-ui",
    }


def deliver(url: str, hosts: Collection[str], key: bytes, call_id: str, body: bytes) -> None:
    """One try. Raises CallbackFailed."""
    try:
        parts = check_url(url, hosts)  # again: the list may have become shorter
        connection = _Connection(parts)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, signed(key, call_id, body, time.time()))
            status = connection.getresponse().status
        finally:
            connection.close()
    except Invalid as error:
        raise CallbackFailed(str(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallbackFailed(f"{type(error).__name__}: {error}") from error
    if not 200 <= status < 300:  # a redirect is not followed: it could lead anywhere
        raise CallbackFailed(f"it answered {status}")


class _Connection(http.client.HTTPConnection):
    """To the very address that was looked at: a name must not lead elsewhere the second time."""

    def __init__(self, parts: SplitResult) -> None:
        self._secure = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if self._secure else 80), timeout=TIMEOUT)

    def connect(self) -> None:
        """See http.client."""
        self.sock = socket.create_connection((_address(self.host, self.port), self.port), TIMEOUT)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def _address(host: str, port: int) -> str:
    """Where ``host`` is. A name may only lead to public addresses; a private one must be allowed as such."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise CallbackFailed(f"{host} leads to a private address: list the address itself")
    return found[0]
