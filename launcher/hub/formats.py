"""Whether a file is whole, by its structure alone: headers are read, weights are not, nothing is unpickled.

Every reader is bounded: a file of 50 GB costs a few kilobytes of reading.
"""

from __future__ import annotations

import ast
import base64
import binascii
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

_LFS = b"version https://git-lfs.github.com/spec/"
_HTML = (b"<!doctype html", b"<html")
_MOST_HEADER = 100_000_000  # bytes; what the safetensors library itself accepts
_MOST_JSON = 8 << 20  # bytes that are parsed; of a larger file only both ends are looked at
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the first pickle of torch.save before its zip format
_ENDS = 4096  # bytes at either end


class Damaged(Exception):
    """``key`` is of messages (``damage_...``), with its facts."""

    def __init__(self, key: str, **facts: Any) -> None:
        super().__init__(key, facts)
        self.key, self.facts = key, facts


def kind_of(name: str) -> str:
    """The format that a file's name promises; "raw" promises nothing."""
    base = name.rpartition("/")[2]
    if base.startswith("pytorch_model") and base.endswith(".bin"):
        return "torch"
    return _ENDINGS.get(base.rpartition(".")[2].lower(), "raw")


def judge(path: Path, kind: str = "") -> None:
    """Look at a plain file.

    Raises:
        Damaged: it cannot be what its name says.
        OSError: it cannot be read.
    """
    with open(path, "rb", buffering=_ENDS) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        _no_placeholder(file.read(512), size)
        file.seek(0)
        look = FORMATS.get(kind or kind_of(path.name))
        if look:
            look(file, size)


def _no_placeholder(head: bytes, size: int) -> None:
    """Nothing, a pointer of Git LFS, or a web page in place of the file."""
    if not size:
        raise Damaged("empty")
    if head.startswith(_LFS):
        raise Damaged("lfs")
    if head.lstrip().lower().startswith(_HTML):
        raise Damaged("html")


def _safetensors(file: BinaryIO, size: int) -> None:
    length = int.from_bytes(file.read(8), "little")
    if size < 10 or not 2 <= length <= _MOST_HEADER:
        raise Damaged("header")
    if 8 + length > size:
        raise Damaged("short", have=size, want=8 + length)
    try:
        header = json.loads(file.read(length))
        spans = sorted(tuple(item["data_offsets"]) for key, item in header.items() if key != "__metadata__")
        starts, ends = [begin for begin, _ in spans], [end for _, end in spans]
        sane = starts == [0, *ends[:-1]][: len(starts)] and all(b <= e for b, e in spans)
        want = 8 + length + (ends[-1] if ends else 0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Damaged("header") from error
    if size < want:
        raise Damaged("short", have=size, want=want)
    if not sane or size > want:
        raise Damaged("header")


def _zip(file: BinaryIO, size: int, needs: str = "") -> None:
    """Only the directory at its end is read; what it lists must lie inside the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries, start = archive.infolist(), archive.start_dir
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, OverflowError) as error:
        raise Damaged("no_directory") from error
    if any(not 0 <= item.header_offset <= start - 30 - item.compress_size for item in entries):
        raise Damaged("outside")
    for item in entries[:1] + entries[-1:]:
        file.seek(item.header_offset)
        if file.read(4) != b"PK\x03\x04":
            raise Damaged("outside")
    if not entries or (needs and not any(f"/{item.filename}".endswith(needs) for item in entries)):
        raise Damaged("not_a", format="PyTorch" if needs else "npz")


def _torch(file: BinaryIO, size: int) -> None:
    """The zip of torch.save, its older form, or a plain pickle; none is ever loaded."""
    head = file.read(len(_LEGACY))
    if head.startswith(b"PK"):
        _zip(file, size, needs="/data.pkl")
    elif head == _LEGACY:
        return  # its length is only known to the pickle inside
    elif head[:1] == b"\x80" and 2 <= head[1] <= 5:
        file.seek(-1, io.SEEK_END)
        if file.read(1) != b".":
            raise Damaged("cut")
    else:
        raise Damaged("not_a", format="PyTorch")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise Damaged("cut")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise Damaged("not_a", format="protobuf")


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """The field numbers at the top of a protobuf message, which must end exactly with the file."""
    while file.tell() < size:
        number, wire = divmod(_varint(file), 8)
        if not 1 <= number < 1000 or wire not in (0, 1, 2, 5):
            raise Damaged("not_a", format="protobuf")
        yield number
        if wire == 0:
            _varint(file)
        else:
            length = _varint(file) if wire == 2 else {1: 8, 5: 4}[wire]
            file.seek(length, io.SEEK_CUR)
        if file.tell() > size:
            raise Damaged("short", have=size, want=file.tell())


def _onnx(file: BinaryIO, size: int) -> None:
    if 7 not in set(_fields(file, size)):  # ModelProto.graph
        raise Damaged("not_a", format="ONNX")


def _sentencepiece(file: BinaryIO, size: int) -> None:
    if 1 not in set(_fields(file, size)):  # ModelProto.pieces
        raise Damaged("not_a", format="SentencePiece")


def _npy(file: BinaryIO, size: int) -> None:
    magic, wide = file.read(8), 2
    if magic[:6] != b"\x93NUMPY":
        raise Damaged("not_a", format="npy")
    wide = 2 if magic[6] == 1 else 4
    length = int.from_bytes(file.read(wide), "little")
    try:
        header = ast.literal_eval(file.read(min(length, 1 << 16)).decode("latin-1"))
        item = re.fullmatch(r"[<>|=][biufc](\d+)", header["descr"])
        want = file.tell() + math.prod(header["shape"]) * int(item[1]) if item else size
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise Damaged("header") from error
    if size < want:
        raise Damaged("short", have=size, want=want)


def _json(file: BinaryIO, size: int) -> None:
    try:
        if size <= _MOST_JSON:
            json.loads(file.read())
            return
    except (ValueError, RecursionError) as error:
        raise Damaged("not_a", format="JSON") from error
    head, tail = _both_ends(file, size)
    if (head.lstrip()[:1], tail.rstrip()[-1:]) not in ((b"{", b"}"), (b"[", b"]")):
        raise Damaged("cut")


def _yaml(file: BinaryIO, size: int) -> None:
    """No parser of YAML comes with Python: text, without NUL, that begins as a mapping or a list does."""
    try:
        text = file.read(1 << 20).decode("utf-8", "strict" if size <= 1 << 20 else "ignore")
    except ValueError as error:
        raise Damaged("not_a", format="YAML") from error
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "%", "---"))
    ]
    begun = lines and re.match(r"""["'\w{\[-].*|- """, lines[0]) and (":" in lines[0] or lines[0][0] in "-{[")
    if "\0" in text or not begun:
        raise Damaged("not_a", format="YAML")


def lacking_keys(path: Path, keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` that are not at the top of a YAML file (a file that was cut lacks the last ones)."""
    with open(path, encoding="utf-8", errors="replace") as file:
        there = set(re.findall(r"^([A-Za-z_]\w*)[ ]*:", file.read(1 << 20), re.MULTILINE))
    return [key for key in keys if key not in there]


def _tiktoken(file: BinaryIO, size: int) -> None:
    """Lines of base64 and a number; both ends are looked at."""
    head, tail = _both_ends(file, size)
    first, last = head.splitlines()[0], tail.splitlines()[-1]
    for line in (first, last):
        token, _, rank = line.partition(b" ")
        try:
            base64.b64decode(token, validate=True)
            int(rank)
        except (ValueError, binascii.Error) as error:
            raise Damaged("not_a" if line is first else "cut", format="tiktoken") from error


def _both_ends(file: BinaryIO, size: int) -> tuple[bytes, bytes]:
    file.seek(0)
    head = file.read(_ENDS)
    file.seek(max(0, size - _ENDS))
    return head, file.read(_ENDS)


FORMATS: dict[str, Callable[[BinaryIO, int], None]] = {
    "safetensors": _safetensors,
    "torch": _torch,
    "onnx": _onnx,
    "sentencepiece": _sentencepiece,
    "npy": _npy,
    "npz": _zip,
    "json": _json,
    "yaml": _yaml,
    "tiktoken": _tiktoken,
}
_ENDINGS = {
    **{name: name for name in ("safetensors", "onnx", "npy", "npz", "json", "yaml", "tiktoken")},
    **{"pt": "torch", "pth": "torch", "ckpt": "torch", "yml": "yaml", "model": "sentencepiece"},
}
