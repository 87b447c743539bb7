"""Files are judged by their structure: whole ones pass, and each way of being broken has its word."""

from __future__ import annotations

import base64
import os
import pickle
from pathlib import Path

import pytest

from launcher.hub import formats

from . import weights

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3500000000\n"
NAMES = {
    "safetensors": "model.safetensors",
    "torch": "gpt.pth",
    "onnx": "model.onnx",
    "sentencepiece": "bpe.model",
    "npy": "a.npy",
    "npz": "a.npz",
    "json": "config.json",
    "yaml": "config.yaml",
    "tiktoken": "m.tiktoken",
}


def _judged(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    try:
        formats.judge(folder / name)
    except formats.Damaged as damage:
        return damage.key
    return ""


@pytest.mark.parametrize("kind", NAMES)
def test_a_whole_file_passes(tmp_path: Path, kind: str) -> None:
    assert formats.kind_of(NAMES[kind]) == kind
    assert _judged(tmp_path, NAMES[kind], weights.MADE[kind]()) == ""


@pytest.mark.parametrize("data", [weights.torch_legacy(), pickle.dumps({"a": 1}, 2)])
def test_older_pickles_are_recognised_and_never_loaded(tmp_path: Path, data: bytes) -> None:
    assert _judged(tmp_path, "feat1.pt", data) == ""


def test_a_pickle_that_would_run_code_is_only_looked_at(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    assert _judged(tmp_path, "gpt.pth", pickle.dumps(Trap())) == "" and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [*NAMES.values(), "voice.bin"])
@pytest.mark.parametrize(
    ("data", "word"), [(b"", "empty"), (LFS, "lfs"), (b"\n<!DOCTYPE html><html>", "html")]
)
@pytest.mark.fault(91)
def test_placeholders_are_no_files(tmp_path: Path, name: str, data: bytes, word: str) -> None:
    assert _judged(tmp_path, name, data) == word


@pytest.mark.fault(89)
@pytest.mark.parametrize("kept", [1, 7, 8, 9, 40, -1])
def test_a_truncated_safetensors_file_is_seen(tmp_path: Path, kept: int) -> None:
    whole = weights.safetensors()
    assert _judged(tmp_path, "model.safetensors", whole[:kept]) in ("header", "short")


@pytest.mark.fault(89)
@pytest.mark.parametrize(("data", "word"), [
    (weights.safetensors() + b"more", "header"),
    ((1 << 63).to_bytes(8, "little") + b"{}", "header"),
    ((10**6).to_bytes(8, "little") + b"{}", "short"),
    (bytes(5000), "header"),
    ((2).to_bytes(8, "little") + b"[]", "header"),
    ((9).to_bytes(8, "little") + b'{"w": {}}', "header"),
    ((30).to_bytes(8, "little") + b'{"w":{"data_offsets":[9,10]}} ' + bytes(10), "header"),
])  # fmt: skip
def test_a_header_of_nonsense_is_seen(tmp_path: Path, data: bytes, word: str) -> None:
    assert _judged(tmp_path, "model.safetensors", data) == word


@pytest.mark.parametrize(("name", "data", "words"), [
    ("gpt.pth", weights.torch_zip()[:-30], {"no_directory"}),
    ("gpt.pth", weights.torch_zip()[40:], {"not_a"}),
    ("gpt.pth", weights.npz(), {"not_a"}),
    ("gpt.pth", b"PK\x03\x04" + bytes(100), {"no_directory"}),
    ("gpt.pth", pickle.dumps([1, 2])[:-1], {"cut"}),
    ("gpt.pth", b"hello", {"not_a"}),
    ("a.npz", weights.npz()[:-40], {"no_directory"}),
    ("a.npy", weights.npy()[:-1], {"short"}),
    ("a.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': 1}    ", {"header"}),
    ("model.onnx", weights.onnx()[:-1], {"short"}),
    ("model.onnx", weights.onnx()[:4], {"cut", "short"}),
    ("model.onnx", b"\x08\x08", {"not_a"}),
    ("model.onnx", bytes(4096), {"not_a"}),
    ("bpe.model", weights.sentencepiece()[:-4], {"cut", "short"}),
    ("config.json", b'{"a": ', {"not_a"}),
    ("config.json", b"\xff\xfe{}", {"not_a"}),
    ("config.json", b"[" * 100_000, {"not_a"}),
    ("config.yaml", bytes(100), {"not_a"}),
    ("config.yaml", b"\xff\xfe\x00", {"not_a"}),
    ("config.yaml", b"# only a comment\n", {"not_a"}),
    ("m.tiktoken", weights.tiktoken() + base64.b64encode(b"t10")[:3], {"cut"}),
    ("m.tiktoken", b"\0" * 50, {"not_a"}),
])  # fmt: skip
def test_each_broken_file_has_its_word(tmp_path: Path, name: str, data: bytes, words: set[str]) -> None:
    assert _judged(tmp_path, name, data) in words


def test_a_zip_directory_that_points_outside_is_seen(tmp_path: Path) -> None:
    whole = weights.torch_zip()
    without_data = whole[:100] + whole[400:]  # the middle is gone, the directory is whole
    assert _judged(tmp_path, "gpt.pth", without_data) in ("outside", "no_directory")


@pytest.mark.parametrize("name", [*NAMES.values()])
def test_no_cut_of_any_file_ends_in_a_traceback(tmp_path: Path, name: str) -> None:
    whole = weights.MADE[formats.kind_of(name)]()
    for kept in range(0, len(whole), max(1, len(whole) // 60)):
        _judged(tmp_path, name, whole[:kept])
        _judged(tmp_path, name, whole[kept:])


@pytest.mark.fault(101)
def test_a_file_of_many_gigabytes_costs_a_few_reads(tmp_path: Path) -> None:
    def read_so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])  # rchar: bytes asked for by read()

    numbers = 5 << 30  # 20 GB, sparse
    header = b'{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' % (numbers, 4 * numbers)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + 4 * numbers)
    graph = tmp_path / "model.onnx"
    graph.write_bytes(weights.onnx(0)[:3] + weights.varint(20 << 30))
    os.truncate(graph, graph.stat().st_size + (20 << 30))
    before = read_so_far()
    formats.judge(path)
    formats.judge(graph)
    assert read_so_far() - before < 100_000
