"""The worker's wire: ``u32 header length, u32 body length, JSON header, raw body`` over a socketpair.

To the worker: ``admit(segment, attempt, exclusive) cancel(id) warm(voice) drain``; EOF means exit.
From it: ``hello(protocol, generation, info) loading(fraction, text) grant(total)
finished(id, attempt, rate, engine_seconds) + float32 body, failed(id, attempt, code, message,
retryable, engine_seconds) beat(step_no, busy_s, stats) fatal(exit_code, message)``.

``grant`` is cumulative over a generation: the scheduler never sends more segments than that.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

PROTOCOL = 1
_SIZES = struct.Struct("<II")
HEADER_LIMIT = 1 << 18  # bytes with its sizes; a header has a segment's text in it, or less
_BODY_LIMIT = 1 << 28  # a longer one means the stream is out of step


_encode = json.JSONEncoder(separators=(",", ":")).encode  # made once: json.dumps would at each call


class BrokenWire(Exception):
    """The bytes are not frames; the connection is useless from here on."""


def head(kind: str, body_bytes: int = 0, **fields: Any) -> bytes:
    """A frame up to its body."""
    header = _encode({"type": kind, **fields}).encode()
    return _SIZES.pack(len(header), body_bytes) + header


def pack(kind: str, body: bytes = b"", **fields: Any) -> bytes:
    """One frame."""
    return head(kind, len(body), **fields) + body


class Receiver:
    """Makes frames of what is received into ``buffer()``; a long body is received where it stays.

    Read into ``buffer()``, then tell ``received`` how much came.
    """

    def __init__(self) -> None:
        self._small = bytearray(HEADER_LIMIT)
        self._filled = 0
        self._header: dict[str, Any] = {}  # of the body that is on its way
        self._body: np.ndarray | None = None
        self._arrived = 0

    def buffer(self) -> memoryview:
        """Where the next bytes go; never empty."""
        if self._body is not None:
            return self._body.data[self._arrived :]
        return memoryview(self._small)[self._filled :]

    def received(self, count: int) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """``(header, body)`` of the frames that are whole now; bodies are uint8 [n].

        Exhaust it before the next ``buffer()``. Raises BrokenWire where the stream makes no sense.
        """
        if self._body is None:
            self._filled += count
            yield from self._parse()
            return
        self._arrived += count
        if self._arrived == len(self._body):
            frame, self._body = (self._header, self._body), None
            yield frame

    def _parse(self) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        start = 0
        while self._filled - start >= _SIZES.size:
            head, size = _SIZES.unpack_from(self._small, start)
            if head > HEADER_LIMIT - _SIZES.size or size > _BODY_LIMIT:
                raise BrokenWire(f"a frame of {head} + {size} bytes")
            begin = start + _SIZES.size + head
            if begin > self._filled:
                break
            header = _decoded(self._small[start + _SIZES.size : begin])
            body = np.empty(size, np.uint8)
            here = min(size, self._filled - begin)
            body[:here] = np.frombuffer(self._small, np.uint8, here, begin)
            start = begin + here
            if here < size:
                self._header, self._body, self._arrived = header, body, here
                break
            yield header, body
        self._filled -= start
        self._small[: self._filled] = self._small[start : start + self._filled]


def _decoded(raw: bytes | bytearray) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(raw)
    except ValueError as error:
        raise BrokenWire(str(error)) from error
    return header
