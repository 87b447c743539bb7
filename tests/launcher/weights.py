"""Small real files of every format that a model has, and whole models made of them."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from launcher import catalogue
from launcher.hub import formats, places


def varint(value: int) -> bytes:
    """As in protobuf."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def safetensors(numbers: int = 64, seed: int = 0) -> bytes:
    """One float32 tensor."""
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}
    ).encode()
    return len(header).to_bytes(8, "little") + header + bytes([seed]) * (4 * numbers)


def torch_zip(seed: int = 0) -> bytes:
    """What torch.save has written since 1.6, as far as a directory tells."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (
            ("data.pkl", pickle.dumps({})),
            ("data/0", bytes([seed]) * 256),
            ("version", b"3\n"),
        ):
            # without the time of day, so that the same weights are the same bytes
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
    return out.getvalue()


def torch_legacy() -> bytes:
    """The first bytes of torch.save's older form, and something after them."""
    return b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03." + bytes(64)


def onnx(payload: int = 256) -> bytes:
    """A version and a graph of ``payload`` bytes."""
    return b"\x08\x08\x3a" + varint(payload) + bytes(payload)


def sentencepiece() -> bytes:
    """Two pieces and a trainer's note."""
    return (
        b"".join(b"\x0a" + varint(len(piece)) + piece for piece in (b"\x0a\x01a", b"\x0a\x01b")) + b"\x12\x00"
    )


def npy() -> bytes:
    """An array."""
    out = io.BytesIO()
    np.save(out, np.arange(30, dtype="<f4").reshape(5, 6))
    return out.getvalue()


def npz() -> bytes:
    """Two arrays."""
    out = io.BytesIO()
    np.savez(out, a=np.arange(3), b=np.arange(4))
    return out.getvalue()


def tiktoken() -> bytes:
    """Ten tokens."""
    return b"".join(base64.b64encode(b"t%d" % i) + b" %d\n" % i for i in range(10))


MADE: dict[str, Callable[[], bytes]] = {
    "safetensors": safetensors,
    "torch": torch_zip,
    "onnx": onnx,
    "sentencepiece": sentencepiece,
    "npy": npy,
    "npz": npz,
    "json": lambda: b'{"a": [1, 2]}',
    "yaml": lambda: b"# settings\ngpt:\n  layers: 24\n",
    "tiktoken": tiktoken,
    "raw": lambda: b"anything",
}


def content(file: catalogue.File) -> bytes:
    """A small valid file for a place in a catalogue."""
    if file.keys:
        return "".join(f"{key}: 1\n" for key in file.keys).encode()
    return MADE[file.kind or formats.kind_of(file.name)]()


def make_model(cache_hub: Path, model: str, optional: bool = False) -> Path:
    """A model that a quick check finds whole; files whose size is known are sparse. Returns its folder."""
    folder = cache_hub / model
    for file in catalogue.load(model).files:
        if file.required or optional:
            path = places.place(folder, file.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(file) if file.size is None else _head(file))
            if file.size is not None:
                os.truncate(path, file.size)
    places.write_refs(folder, [file.name for file in catalogue.load(model).files])
    if model == "kokoro":
        shutil.copyfile(catalogue.CATALOGUES / "kokoro_vocab.json", folder / "vocab.json")
    return folder


def _head(file: catalogue.File) -> bytes:
    """The beginning of a sparse file of ``file.size`` bytes."""
    assert file.size
    if not file.name.endswith(".onnx"):
        return b"\1"
    for width in range(1, 6):  # the length of the graph, whose own length is part of the file's
        rest = file.size - 3 - width
        if len(varint(rest)) == width:
            return b"\x08\x08\x3a" + varint(rest)
    raise AssertionError(file.size)


def make_hub_cache(
    root: Path, repo: str, files: dict[str, bytes], how: str = "links", sha: str = "a" * 40
) -> Path:
    """A repository in a Hugging Face cache; ``how``: "links" to blobs, or "copies". Returns the snapshot."""
    import hashlib

    base = root / f"models--{repo.replace('/', '--')}"
    snapshot = base / "snapshots" / sha
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(sha)
    (base / "blobs").mkdir()
    for name, data in files.items():
        place = snapshot / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if how == "copies":
            place.write_bytes(data)
        else:
            blob = base / "blobs" / hashlib.sha256(data).hexdigest()
            blob.write_bytes(data)
            place.symlink_to(os.path.relpath(blob, place.parent))
    return snapshot
