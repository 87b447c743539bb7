"""How an answer leaves: its head with the first of its body, or soon, where that is not there yet."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from index_tts_ui.connections import BoundedProtocol, Outlet

LATE = 1.0  # seconds between a head and its body


async def app(scope: Any, receive: Any, send: Any) -> None:
    """/late takes its time with the body; /empty has none; else the body that was sent comes back."""
    body = (await receive()).get("body", b"") or b"ok"
    status = 204 if scope["path"] == "/empty" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    if scope["path"] == "/late":
        await asyncio.sleep(LATE)
    await send({"type": "http.response.body", "body": b"" if status == 204 else body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedProtocol, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield int(sock.getsockname()[1])
    server.should_exit = True
    thread.join(30)
    sock.close()
    assert not thread.is_alive()


def ask(port: int, path: str, *more: bytes, body: bytes = b"", wait: bytes = b"") -> tuple[bytes, float]:
    """All that comes until the server closes, and when the first of it came; ``body`` goes after ``wait``."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        lines = (f"POST {path} HTTP/1.1".encode(), b"Host: x", *more, b"Connection: close", b"", b"")
        began = time.monotonic()
        sock.sendall(b"\r\n".join(lines))
        got = b""
        while wait not in got:
            got += sock.recv(4096)
        sock.sendall(body)
        first = sock.recv(4096)
        seconds, got = time.monotonic() - began, got + first
        while data := sock.recv(4096):
            got += data
        return got, seconds


def test_a_head_does_not_wait_for_a_late_body(port: int) -> None:
    got, seconds = ask(port, "/late")
    assert got.startswith(b"HTTP/1.1 200") and got.endswith(b"2\r\nok\r\n0\r\n\r\n")
    assert seconds < LATE


def test_an_answer_without_a_body_leaves_before_the_connection_closes(port: int) -> None:
    got, _ = ask(port, "/empty")
    assert got.startswith(b"HTTP/1.1 204") and got.endswith(b"\r\n\r\n")


def test_a_client_is_told_to_go_on_before_the_answer(port: int) -> None:
    got, _ = ask(
        port, "/", b"Expect: 100-continue", b"Content-Length: 4", body=b"body", wait=b"100 Continue\r\n\r\n"
    )
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200") and b"4\r\nbody\r\n" in got


class Pieces(asyncio.Transport):
    """What leaves, system call by system call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: Any) -> None:
        """See asyncio."""
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """See asyncio."""
        self.sent.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """See asyncio."""
        return False


def test_head_and_body_of_one_turn_leave_together() -> None:
    class Cycle:
        transport = Pieces()
        response_started = True

    async def go() -> list[bytes]:
        outlet = Outlet(Cycle(), asyncio.get_running_loop())  # type: ignore[arg-type]
        outlet.write(b"head ")
        outlet.write(b"body")
        outlet.write(b"more")
        await asyncio.sleep(0)
        return Cycle.transport.sent

    assert asyncio.run(go()) == [b"head body", b"more"]
