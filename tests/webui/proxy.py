"""A reverse proxy that strips a prefix and streams, as nginx would."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

BLOCK = 1 << 14
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@contextlib.contextmanager
def stripping(prefix: str, port: int) -> Iterator[str]:
    """Yields the address whose ``prefix`` leads to 127.0.0.1:``port``; anything else is 404."""

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            if not self.path.startswith(prefix + "/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(upstream):
                upstream.request(self.command, self.path.removeprefix(prefix), body, dict(self.headers))
                self._answer(upstream.getresponse())

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the browser went away
                while block := answer.read1(BLOCK):
                    self.wfile.write(block)
                    self.wfile.flush()

        do_GET = do_POST = do_DELETE = _pass

        def log_message(self, *_args: Any) -> None:
            """Nothing: the tests' output is for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
