"""Does a server answer over HTTP or HTTPS? Bounded in time and bytes; used only where no control channel can tell."""

from __future__ import annotations

import socket
import time

_HEAD = 4096  # bytes of an answer that are read


def answers(
    host: str, port: int, path: str = "/healthz", seconds: float = 1.0, *, https: bool = False
) -> int:
    """The HTTP status of ``GET path``, or 0 for no, half or late answers.

    ``https``: whoever signed its certificate. What is asked is whether it answers, and nothing is told it.
    """
    deadline = time.monotonic() + seconds
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    head = b""
    try:
        with _connected(host, port, seconds, https) as sock:
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


def _connected(host: str, port: int, seconds: float, https: bool) -> socket.socket:
    """Raises OSError; of it also what TLS raises. The handshake gets ``seconds`` of its own."""
    plain = socket.create_connection((host, port), timeout=seconds)
    if not https:
        return plain
    import ssl  # slow to import, and seldom needed

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise


def _status(head: bytes) -> int:
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    return int(parts[1]) if len(parts) > 1 and parts[0].startswith(b"HTTP/1.") and parts[1].isdigit() else 0
