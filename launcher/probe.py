"""Does a server answer over HTTP? Bounded in time and bytes; used only where no control channel can tell."""

from __future__ import annotations

import socket
import time

_HEAD = 4096  # bytes of an answer that are read


def answers(host: str, port: int, path: str = "/healthz", seconds: float = 1.0) -> int:
    """The HTTP status of ``GET path``, or 0 for no, half or late answers."""
    deadline = time.monotonic() + seconds
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    head = b""
    try:
        with socket.create_connection((host, port), timeout=seconds) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while b"\r\n" not in head and len(head) < _HEAD:
                sock.settimeout(max(0.01, deadline - time.monotonic()))
                chunk = sock.recv(_HEAD)
                if not chunk or time.monotonic() > deadline:
                    return 0
                head += chunk
    except (OSError, UnicodeError):
        return 0
    return _status(head)


def _status(head: bytes) -> int:
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    return int(parts[1]) if len(parts) > 1 and parts[0].startswith(b"HTTP/1.") and parts[1].isdigit() else 0
