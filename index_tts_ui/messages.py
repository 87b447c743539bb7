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

PROTOCOL = 1
_SIZES = struct.Struct("<II")
_LIMIT = 1 << 28  # a longer frame means the stream is out of step


class BrokenWire(Exception):
    """The bytes are not frames; the connection is useless from here on."""


def pack(kind: str, body: bytes | memoryview = b"", **fields: Any) -> bytes:
    """One frame."""
    header = json.dumps({"type": kind, **fields}, ensure_ascii=True, separators=(",", ":")).encode()
    return b"".join((_SIZES.pack(len(header), len(body)), header, body))


class Unpacker:
    """Feed it whatever the socket gave; it yields whole ``(header, body)`` frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Raises BrokenWire where the stream makes no sense."""
        self._buffer += data
        while len(self._buffer) >= _SIZES.size:
            head, body = _SIZES.unpack_from(self._buffer)
            if head + body > _LIMIT:
                raise BrokenWire(f"a frame of {head + body} bytes")
            end = _SIZES.size + head + body
            if len(self._buffer) < end:
                return
            raw = bytes(self._buffer[_SIZES.size : end])
            del self._buffer[:end]
            try:
                header = json.loads(raw[:head])
            except ValueError as error:
                raise BrokenWire(str(error)) from error
            yield header, raw[head:]
