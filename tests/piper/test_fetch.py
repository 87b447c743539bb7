"""The catalogue of piper: what it names, and that a fetch brings it from the hub's own paths, checks it and mends it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from index_tts_ui.engines.piper.voices import look
from launcher import catalogue, models

from ..launcher.hub import Hub, serving
from . import voice

REPO, BASE = "rhasspy/piper-voices", "zh/zh_CN/huayan"
VOICES = {"zh_CN-huayan-medium": "medium", "zh_CN-huayan-x_low": "x_low"}


def test_the_catalogue_names_both_sizes_and_pins_every_byte() -> None:
    item = catalogue.load("piper")
    assert [(file.name, file.size, file.required) for file in item.files] == [
        ("zh_CN-huayan-medium.onnx", 63_201_294, True),
        ("zh_CN-huayan-medium.onnx.json", 4_822, True),
        ("zh_CN-huayan-x_low.onnx", 20_628_813, False),
        ("zh_CN-huayan-x_low.onnx.json", 4_164, False),
    ]
    assert all(len(file.sha256) == 64 for file in item.files)
    assert item.licence_url == "" and "not stated" in item.licence


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """It has small voices at the published paths, and the catalogue has their sizes and sums."""
    files: dict[str, bytes] = {}
    for name, quality in VOICES.items():
        path = voice.put(tmp_path / "published", name)
        for one in (path, path.with_name(f"{path.name}.json")):
            files[f"{REPO}/{BASE}/{quality}/{one.name}"] = one.read_bytes()
    shipped = json.loads((catalogue.CATALOGUES / "piper.json").read_text())
    by_name = {path.rpartition("/")[2]: data for path, data in files.items()}
    for row in shipped["files"]:
        data = by_name[row["name"]]
        row |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "catalogues").mkdir()
    (tmp_path / "catalogues" / "piper.json").write_text(json.dumps(shipped))
    with serving(Hub(files, lists=("hub",))) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "CATALOGUES", tmp_path / "catalogues")
        patch.setenv("HF_ENDPOINT", made.url)
        patch.setattr("launcher.download.PAUSE", 0.01)
        catalogue.load.cache_clear()
        yield made
    catalogue.load.cache_clear()


def test_a_fetch_brings_voices_that_the_engine_finds(hub: Hub, tmp_path: Path) -> None:
    cache_hub = tmp_path / "cache_hub"
    assert not models.is_ready(cache_hub, "piper")
    done = models.fetch(cache_hub, "piper")
    assert done.fetched == 4 and models.check(cache_hub, "piper", deep=True) == []
    assert [item.name for item in look(cache_hub / "piper").voices] == list(VOICES)
    assert {path for path, _ in hub.requests} == {
        f"/cdn/{REPO}/resolve/main/{path.removeprefix(f'{REPO}/')}" for path in hub.files
    }
    before = len(hub.requests)
    assert models.fetch(cache_hub, "piper").fetched == 0 and len(hub.requests) == before


def test_damage_is_found_and_mended_and_voices_of_ones_own_stay(hub: Hub, tmp_path: Path) -> None:
    cache_hub = tmp_path / "cache_hub"
    models.fetch(cache_hub, "piper")
    folder = cache_hub / "piper"
    mine = voice.put(folder, "de_DE-mine-low", language="de_DE", espeak="de").read_bytes()
    medium = folder / "zh_CN-huayan-medium.onnx"
    data = bytearray(medium.read_bytes())
    data[-20] ^= 1  # the same length: only a deep look sees it
    medium.write_bytes(data)
    os.truncate(folder / "zh_CN-huayan-x_low.onnx", 100)
    assert [item.name for item in models.check(cache_hub, "piper")] == ["zh_CN-huayan-x_low.onnx"]
    found = {item.name: item.kind for item in models.check(cache_hub, "piper", deep=True)}
    assert found == {medium.name: "hash", "zh_CN-huayan-x_low.onnx": "size"}
    assert models.repair(cache_hub, "piper", deep=True).fetched == 2
    assert models.check(cache_hub, "piper", deep=True) == []
    assert (folder / "de_DE-mine-low.onnx").read_bytes() == mine and len(look(folder).voices) == 3
