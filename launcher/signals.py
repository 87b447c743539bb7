"""Signals as data: a handler only records, whoever waits acts."""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any


class Signals:
    """Records the given signals; ``wait`` returns early when one comes. Main thread only."""

    def __init__(self, signums: Iterable[signal.Signals]) -> None:
        self._pending: list[int] = []
        self._read, self._write = os.pipe()
        for fd in (self._read, self._write):
            os.set_blocking(fd, False)
        self._before: dict[int, Any] = {number: signal.signal(number, self._record) for number in signums}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def _record(self, number: int, frame: FrameType | None) -> None:
        self._pending.append(number)

    def take(self) -> list[int]:
        """What has come since the last call, oldest first."""
        taken, self._pending = self._pending, []
        return taken

    def wait(self, seconds: float, sockets: Iterable[socket.socket] = ()) -> None:
        """Until a signal, something to read on ``sockets``, or ``seconds`` have passed."""
        with selectors.PollSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            for sock in sockets:
                selector.register(sock, selectors.EVENT_READ)
            selector.select(max(0.0, seconds))
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """As it was before."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def __enter__(self) -> Signals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()
