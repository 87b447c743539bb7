"""A test program: an HTTP server that serves files as the model hubs do (lists, redirect, ranges) and fails on command."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

_FILE = re.compile(r"/cdn/(models/)?(?P<repo>[^/]+/[^/]+)/resolve/(main|master)/(?P<path>.+)")
_LIST = re.compile(
    r"/api/models/(?P<hub>.+)/tree/main\?recursive=true"
    r"|/api/v1/models/(?P<scope>.+)/repo/files\?Revision=master&Recursive=true"
)


@dataclass
class Hub:
    """``faults`` are used up one by one, one per request for a file's bytes; then all is well.

    A fault is an HTTP status, or: "half" (ends after half of what it promised), "wrong" (other bytes),
    "whole" (ignores the range), "shifted" (another range than asked for), "more" (a longer file),
    "silent" (says nothing of the length).

    ``files``: by path, or by "repository/path" where repositories differ. ``lists``: which kinds of hub
    answer with a list of files; ``gated``: repositories of which
    they refuse to; ``lies``: paths of which the lists give a wrong sha256. ``rate``: bytes per second of
    every answer; 0 is all at once. ``gate``: requests for bytes wait there for each other, once.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    gated: tuple[str, ...] = ()
    lies: tuple[str, ...] = ()
    rate: int = 0
    gate: threading.Barrier | None = None
    listed: list[str] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)  # path, range
    url: str = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(self.path)
        if found := _LIST.fullmatch(path):
            self._list(found["scope"] or found["hub"], "modelscope" if found["scope"] else "hub")
            return
        if not path.startswith("/cdn"):  # hubs send large files elsewhere
            self._end(302, b"", Location=f"/cdn{self.path}")
            return
        wanted = self.headers.get("Range", "")
        self.hub.requests.append((path, wanted))
        if gate := self.hub.gate:
            gate.wait(30)
            self.hub.gate = None
        named = _FILE.fullmatch(path)
        body = self._body(named["repo"], named["path"]) if named else None
        fault = self.hub.faults.pop(0) if self.hub.faults else ""
        if isinstance(fault, int) or body is None:
            self._end(int(fault or 404), b"no", **({"Retry-After": "0"} if fault == 429 else {}))
            return
        self._send(body, wanted, fault)

    def _body(self, repo: str, path: str) -> bytes | None:
        return self.hub.files.get(f"{repo}/{path}", self.hub.files.get(path))

    def _list(self, repo: str, kind: str) -> None:
        """As the two hubs do: one gives a bare list with ``lfs``, the other an envelope with Sha256."""
        self.hub.listed.append(f"{kind}:{repo}")
        if kind not in self.hub.lists or repo in self.hub.gated:
            self._end(401 if repo in self.hub.gated else 404, b"{}")
            return
        own = {
            path.removeprefix(f"{repo}/"): data
            for path, data in self.hub.files.items()
            if path.startswith(f"{repo}/")
        }
        rows: list[dict[str, object]] = []
        for path, data in own.items():
            digest = "0" * 64 if path in self.hub.lies else hashlib.sha256(data).hexdigest()
            if kind == "hub":
                large = (
                    {"lfs": {"oid": digest, "size": len(data)}}
                    if not path.endswith((".json", ".yaml"))
                    else {}
                )
                rows.append({"type": "file", "path": path, "size": len(data), "oid": "f" * 40, **large})
            else:
                rows.append({"Type": "blob", "Path": path, "Size": len(data), "Sha256": digest})
        rows.append({"type": "directory", "path": "d"} if kind == "hub" else {"Type": "tree", "Path": "d"})
        self._end(200, json.dumps(rows if kind == "hub" else {"Code": 200, "Data": {"Files": rows}}).encode())

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
        self._end(206 if part else 200, body[start:], fault, **part)

    def _end(self, status: int, body: bytes, fault: object = "", **headers: str) -> None:
        self.send_response(status)
        length = {} if fault == "silent" else {"Content-Length": str(len(body))}
        for name, value in {**length, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self._write(body[: len(body) // 2] if fault == "half" else body)
        self.close_connection = fault in ("half", "silent")

    def _write(self, body: bytes) -> None:
        """At the hub's rate, in twenty pieces a second."""
        piece = max(1, self.hub.rate // 20) if self.hub.rate else len(body) or 1
        for at in range(0, len(body), piece):
            self.wfile.write(body[at : at + piece])
            if self.hub.rate:
                time.sleep(0.05)

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
