"""Just enough of ONNX's protobuf (onnx.proto3) to write a small model, without the package that knows all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(name: int, value: int) -> bytes:
    return _varint(name << 3) + _varint(value)


def _part(name: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(name << 3 | 2) + _varint(len(data)) + data


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto."""
    sizes = b"".join(_part(1, _number(1, n) if isinstance(n, int) else _part(2, n)) for n in shape)
    return _part(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, sizes)))


def _tensor(name: str, values: np.ndarray) -> bytes:
    """TensorProto."""
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, _TYPES[values.dtype]) + _part(8, name) + _part(9, values.tobytes())


@dataclass
class Graph:
    """Built node by node; each returns the name of its only output."""

    inputs: list[bytes] = field(default_factory=list)
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def input(self, name: str, kind: int, *shape: int | str) -> str:
        """What a run is given."""
        self.inputs.append(_value(name, kind, shape))
        return name

    def constant(self, values: object, dtype: type = np.float32) -> str:
        """What is always the same."""
        name = f"c{len(self.constants)}"
        self.constants.append(_tensor(name, np.asarray(values, dtype)))
        return name

    def __call__(self, kind: str, *inputs: str, name: str = "", **whole: int) -> str:
        """A node of ``kind``; its attributes are whole numbers."""
        name = name or f"n{len(self.nodes)}"
        told = b"".join(
            _part(5, _part(1, key) + _number(3, value) + _number(20, 2)) for key, value in whole.items()
        )
        given = b"".join(_part(1, item) for item in inputs)
        self.nodes.append(_part(1, given + _part(2, name) + _part(4, kind) + told))
        return name

    def model(self, output: str, *shape: int | str) -> bytes:
        """ModelProto of all of it; ``output`` is float."""
        graph = b"".join(self.nodes) + _part(2, "tests") + b"".join(_part(5, one) for one in self.constants)
        graph += b"".join(_part(11, one) for one in self.inputs) + _part(12, _value(output, FLOAT, shape))
        return _number(1, 8) + _part(2, "tests") + _part(7, graph) + _part(8, _part(1, "") + _number(2, 17))
