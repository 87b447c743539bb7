"""Clients that hold connections without using them, against a real uvicorn with short patience."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest
import uvicorn

from index_tts_ui.api import middleware
from index_tts_ui.api.middleware import BodyLimitMiddleware
from index_tts_ui.connections import BoundedProtocol, Table

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BIG = b"x" * 30_000_000


class Impatient(BoundedProtocol):
    """All that takes long takes half a second."""

    table: ClassVar[Table] = Table(20)
    HEAD_SECONDS: ClassVar[float] = 0.5
    UNREAD_SECONDS: ClassVar[float] = 0.5


ended: list[str] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads what is sent; /big answers with more than any buffer holds."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for block in (BIG, BIG) if scope["path"] == "/big" else ():
        await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b"%d" % len(body)})
    ended.append(scope["path"])


async def bounded(scope: Any, receive: Any, send: Any) -> None:
    """``app``, where a slow body becomes a 408, as in the API."""
    from starlette.exceptions import HTTPException

    try:
        await BodyLimitMiddleware(app, 1_000_000)(scope, receive, send)
    except HTTPException as error:
        await send({"type": "http.response.start", "status": error.status_code, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    patience = middleware.BODY_SECONDS
    middleware.BODY_SECONDS = 0.5
    sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(bounded, http=Impatient, log_config=None, lifespan="off", timeout_keep_alive=60)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield int(sock.getsockname()[1])
    server.should_exit = True
    thread.join(30)
    sock.close()
    middleware.BODY_SECONDS = patience
    assert not thread.is_alive()


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        yield sock


def until_closed(sock: socket.socket) -> bytes:
    """What came until the server closed; fails after the socket's 20 s."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while data := sock.recv(65536):
            got += data
    return got


def dripped(sock: socket.socket, data: bytes) -> bool:
    """Send a byte at a time; whether the server closed before the end."""
    for index in range(len(data)):
        try:
            sock.sendall(data[index : index + 1])
        except OSError:
            return True
        time.sleep(0.03)
    return False


def test_who_says_nothing_is_closed(port: int) -> None:
    with connected(port) as sock:
        assert until_closed(sock) == b""


def test_a_head_that_comes_byte_by_byte_is_given_up(port: int) -> None:
    with connected(port) as sock:
        assert dripped(sock, b"GET / HTTP/1.1\r\nX: " + b"a" * 200)


def test_the_same_on_a_connection_that_asked_before(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(HEAD)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        assert dripped(sock, b"\r\n\r\n" + b"GET / HTTP/1.1\r\nX: " + b"a" * 200)


def test_a_head_without_end_is_refused(port: int) -> None:
    with connected(port) as sock, contextlib.suppress(ConnectionError):
        for _ in range(100):
            sock.sendall(b"GET / HTTP/1.1\r\n" if _ == 0 else b"X: " + b"a" * 4000 + b"\r\n")
    with connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(100).startswith(b"HTTP/1.1 400")


def test_a_body_that_comes_byte_by_byte_is_given_up(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n")
        threading.Thread(target=dripped, args=(sock, b"x" * 400), daemon=True).start()
        assert sock.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_large_body_at_a_fair_pace_is_taken(port: int) -> None:
    """Larger than a head may be, and in one piece with it."""
    with connected(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 150000\r\n\r\n" + b"x" * 150_000)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_answer_that_nobody_reads_is_given_up(port: int) -> None:
    ended.clear()
    with connected(port) as sock:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 20
        while "/big" not in ended:  # the application goes on: nothing waits for the reader for ever
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(until_closed(sock)) < 2 * len(BIG)


def test_a_long_answer_that_is_read_slowly_but_steadily_is_whole(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = 0
        while data := sock.recv(1 << 20):
            got += len(data)
            time.sleep(0.01)
        assert got >= 2 * len(BIG)


def test_a_crowd_of_idle_connections_shuts_nobody_out(port: int) -> None:
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(connected(port)) for _ in range(100)]
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=20).status_code == 200
        assert len(Impatient.table) <= Impatient.table.limit
        for sock in crowd:
            assert until_closed(sock) == b""
    deadline = time.monotonic() + 20
    while len(Impatient.table):
        assert time.monotonic() < deadline
        time.sleep(0.05)
