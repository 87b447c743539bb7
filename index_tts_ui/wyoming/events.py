"""Event: one message of the protocol. A line of JSON, then ``data_length`` bytes of JSON, then ``payload_length``
bytes of sound. What a client sends is bounded: no event of text to speech needs more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LINE = 1 << 16  # bytes of a line
DATA = 1 << 20  # bytes of data behind it
PAYLOAD = 1 << 20  # bytes of a payload, which is read and thrown away: only servers of other kinds want sound


class BadEvent(Exception):
    """What came is no event, or over a bound: the connection cannot be read any further."""


@dataclass(frozen=True, slots=True)
class Event:
    """``type`` and ``data`` as the protocol names them."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self, version: str) -> bytes:
        """As it goes over the wire; ``version`` is the sender's."""
        header: dict[str, Any] = {"type": self.type, "version": version}
        data = json.dumps(self.data, ensure_ascii=False).encode("utf-8", "replace") if self.data else b""
        if data:
            header["data_length"] = len(data)
        if self.payload:
            header["payload_length"] = len(self.payload)
        return json.dumps(header).encode() + b"\n" + data + self.payload

    def text(self, name: str) -> str:
        """A string of the data; "" where there is none."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""


async def read(reader: asyncio.StreamReader) -> Event | None:
    """The next event; None at the end. ``reader`` must have been made with the limit ``LINE``.

    Raises:
        BadEvent: see there.
    """
    try:
        line = await reader.readline()
        if not line.strip():
            return None if not line else Event("")
        header = _object(line)
        data = _object(header.get("data") or {})
        if length := _length(header, "data_length", DATA):
            data |= _object(await reader.readexactly(length))
        if length := _length(header, "payload_length", PAYLOAD):
            await reader.readexactly(length)
        kind = header.get("type")
        if not isinstance(kind, str):
            raise BadEvent("an event has a type")
        return Event(kind, data)
    except asyncio.IncompleteReadError:
        return None
    except (
        ValueError,
        RecursionError,
    ) as error:  # readline says so of a line over the limit, json of bad JSON
        raise BadEvent("a line of at most 64 KiB with JSON was expected") from error


def _object(given: Any) -> dict[str, Any]:
    found = json.loads(given) if isinstance(given, bytes) else given
    if not isinstance(found, dict):
        raise BadEvent("an object was expected")
    return found


def _length(header: Mapping[str, Any], name: str, most: int) -> int:
    value = header.get(name) or 0
    if type(value) is not int or not 0 <= value <= most:
        raise BadEvent(f"{name} is 0 to {most}")
    return value
