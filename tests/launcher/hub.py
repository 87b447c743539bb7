"""A test program: an HTTP server that serves files as a model hub does (redirect, ranges) and fails on command."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Hub:
    """``faults`` are used up one by one, one per request for a file's bytes; then all is well.

    A fault is an HTTP status, or: "half" (ends after half of what it promised), "wrong" (other bytes),
    "whole" (ignores the range), "shifted" (another range than asked for), "more" (a longer file).
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[int | str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)  # path, range
    url: str = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self.path.startswith("/cdn"):  # hubs send large files elsewhere
            self._end(302, b"", Location=f"/cdn{self.path}")
            return
        wanted = self.headers.get("Range", "")
        self.hub.requests.append((self.path, wanted))
        body = self.hub.files.get(self.path.removeprefix("/cdn").partition("/resolve/main/")[2])
        fault = self.hub.faults.pop(0) if self.hub.faults else ""
        if isinstance(fault, int) or body is None:
            self._end(fault or 404, b"no", **({"Retry-After": "0"} if fault == 429 else {}))
            return
        self._send(body, wanted, fault)

    def _send(self, body: bytes, wanted: str, fault: str) -> None:
        body = {"wrong": bytes(len(body)), "more": body + b"more"}.get(fault, body)
        start = int(wanted[6:].partition("-")[0]) if wanted and fault != "whole" else 0
        if start >= len(body) and wanted:
            self._end(416, b"")
            return
        shown = start - 1 if fault == "shifted" else start
        part = (
            {"Content-Range": f"bytes {shown}-{len(body) - 1}/{len(body)}"}
            if wanted and fault != "whole"
            else {}
        )
        self._end(206 if part else 200, body[start:], cut=fault == "half", **part)

    def _end(self, status: int, body: bytes, cut: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def log_message(self, *args: object) -> None:
        """Quiet."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve ``hub`` on a port of its own."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
