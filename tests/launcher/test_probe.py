"""The health probe: whatever a server answers, it ends in time and reads little."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index_tts_ui import tls
from launcher.probe import answers

Behave = Callable[[socket.socket], None]


@contextlib.contextmanager
def _serving(behave: Behave, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that reads the request and then does what ``behave`` says to the connection; with TLS, if any."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                with connection:
                    connection.recv(4096)
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)
        assert not thread.is_alive()


def _drip(connection: socket.socket) -> None:
    for _ in range(100):  # each byte comes well within a timeout that began anew with it
        connection.sendall(b"H")
        time.sleep(0.05)


def _flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 100_000)


def _one_long_line(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"x" * 100_000)


def _hang(connection: socket.socket) -> None:
    connection.settimeout(5)
    connection.recv(1)  # until the other side gives up


@pytest.mark.fault(38)
@pytest.mark.parametrize(("behave", "status"), [
    (_hang, 0), (_drip, 0), (_flood, 200), (_one_long_line, 0),
    (lambda c: c.sendall(b"HTTP/1.1 200"), 0),
    (lambda c: None, 0),
    (lambda c: c.sendall(b"HTTP/1.1 500 Oops\r\n\r\n"), 500),
    (lambda c: c.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), 302),
    (lambda c: c.sendall(b"SSH-2.0-x\r\n"), 0),
    (lambda c: c.sendall(b"HTTP/1.1 two hundred\r\n"), 0),
    (lambda c: c.sendall("HTTP/1.1 \u0662\u0660\u0660 OK\r\n".encode()), 0),
    (lambda c: c.sendall(b"HTTP/1.1\r\n"), 0),
], ids=["hang", "drip", "flood", "long-line", "half", "close", "500", "redirect", "ssh", "words", "digits",
        "short"])  # fmt: skip
def test_a_probe_is_bounded_and_not_misled(behave: Behave, status: int) -> None:
    with _serving(behave) as port:
        began = time.monotonic()
        assert answers("127.0.0.1", port, seconds=0.3) == status
        assert time.monotonic() - began < 5


@pytest.mark.fault(38)
def test_nobody_there_is_no_answer(free_port: int) -> None:
    assert answers("127.0.0.1", free_port) == 0
    assert answers("no such host", free_port) == 0


@pytest.mark.fault(29, 38)
def test_a_backlog_that_nobody_serves_is_no_answer() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert answers("127.0.0.1", bound.getsockname()[1], seconds=0.3) == 0


def test_a_server_with_a_certificate_of_its_own_is_asked_over_https(tmp_path: Path) -> None:
    certificate, key = tls.files("auto", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with _serving(behave, context) as port:
        assert answers("127.0.0.1", port, seconds=5, https=True) == 200
    with _serving(behave, context) as port:
        assert answers("127.0.0.1", port, seconds=1) == 0  # plain HTTP is no answer of it
    with _serving(_hang) as port:
        began = time.monotonic()
        assert answers("127.0.0.1", port, seconds=0.3, https=True) == 0
        assert time.monotonic() - began < 5
