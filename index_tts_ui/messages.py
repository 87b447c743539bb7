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


def head(kind: str, body_bytes: int = 0, **fields: Any) -> bytes:
    """A frame up to its body."""
    header = json.dumps({"type": kind, **fields}, ensure_ascii=True, separators=(",", ":")).encode()
    return _SIZES.pack(len(header), body_bytes) + header


def pack(kind: str, body: bytes = b"", **fields: Any) -> bytes:
    """One frame."""
    return head(kind, len(body), **fields) + body


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
            with memoryview(self._buffer) as view:  # one copy of the sound, not three
                raw, content = bytes(view[_SIZES.size : end - body]), bytes(view[end - body : end])
            del self._buffer[:end]
            try:
                header = json.loads(raw)
            except ValueError as error:
                raise BrokenWire(str(error)) from error
            yield header, content
