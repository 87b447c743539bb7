"""Clients that misbehave, on plain sockets."""

from __future__ import annotations

import json
import socket
import struct
import time

WAIT = 60.0  # seconds; nothing here takes longer


def dial(port: int, receive: int = 0) -> socket.socket:
    """A connection; ``receive``: bytes that its system takes in before anybody reads them."""
    sock = socket.socket()
    if receive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.settimeout(WAIT)
    sock.connect(("127.0.0.1", port))
    return sock


def asking(text: str, fmt: str = "pcm", framing: str = "audio") -> bytes:
    """The bytes of a request for speech."""
    fields = {"model": "tone", "input": text, "voice": "tone-a", "response_format": fmt}
    body = json.dumps({**fields, "stream_format": framing}).encode()
    head = "POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def reset(sock: socket.socket) -> None:
    """Hang up with RST, as a killed client does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def rest_of(sock: socket.socket) -> bytes:
    """All that still comes, until the other side closes."""
    parts, deadline = [], time.monotonic() + WAIT
    while part := sock.recv(1 << 16):
        parts.append(part)
        assert time.monotonic() < deadline, "the answer does not end"
    return b"".join(parts)


def unchunked(answer: bytes) -> bytes:
    """The body of a whole answer. Fails where it lacks its end."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    parts = []
    while True:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            return b"".join(parts)
        parts.append(body[:count])
        body = body[count + 2 :]
