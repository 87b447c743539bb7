"""Models come from the hubs, whatever these do; two fetches and full disks included; a repair fetches little."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import catalogue, models
from launcher.errors import Failed, NotConfigured
from launcher.hub import places, record
from launcher.hub.ask import agreed
from launcher.hub.bring import KINDS
from launcher.models import Wish

from . import weights
from .conftest import LAUNCH, wait_for
from .hub import Hub, serving

MODEL = "indextts2.5"
AGREED = Wish(accepted=True)
REPO = "IndexTeam/IndexTTS-2.5"


def repositories(model: str, kind: str = "hub") -> dict[str, bytes]:
    """What the hubs have for a model: repository/path to bytes, each file in its first repository of ``kind``."""
    files = {}
    for file in catalogue.load(model).files:
        source = next((source for source in file.sources if source["kind"] == kind), None)
        if source and (file.required or file.name.endswith("tokenizer.json")):
            base = file.name.rpartition("/")[2]
            path = source["path"].format(name=file.name, base=base)
            files[f"{source['repo']}/{path}"] = weights.content(file)
    return files


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Both hubs in one server, with everything of IndexTTS-2.5 on the first of them."""
    with serving(Hub(repositories(MODEL), lists=("hub",))) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("MODELSCOPE_DOMAIN", running.url)
        monkeypatch.setattr("launcher.download.PAUSE", 0.01)
        monkeypatch.setattr("launcher.hub.bring.PARALLEL", 1)  # faults come in the order of the files
        yield running


def asked(hub: Hub) -> list[str]:
    """Files whose bytes were asked for."""
    return [path.partition("/resolve/")[2].partition("/")[2] for path, _ in hub.requests]


@pytest.mark.parametrize("model", ["indextts2.5", "indextts2"])
def test_a_model_comes_whole_from_its_hub_repositories(hub: Hub, tmp_path: Path, model: str) -> None:
    hub.files = repositories(model)
    done = models.fetch(tmp_path, model, AGREED)
    item = catalogue.load(model)
    assert models.check(tmp_path, model, deep=True) == [] and done.fetched >= sum(
        file.required for file in item.files
    )
    noted = record.read(tmp_path / model)
    assert noted.accepted and all(size and len(digest) == 64 for size, digest in noted.files.values())
    assert not (tmp_path / ".partial").exists() and len(hub.listed) == len(set(hub.listed))
    hub.requests.clear()
    assert models.fetch(tmp_path, model).fetched == 0 and not hub.requests


@pytest.mark.parametrize("model", ["indextts2.5", "indextts2"])
def test_a_model_comes_whole_from_modelscope_alone(hub: Hub, tmp_path: Path, model: str) -> None:
    hub.files, hub.lists = repositories(model, "modelscope"), ("modelscope",)
    done = models.fetch(tmp_path, model, Wish(accepted=True, source="modelscope"))
    assert models.check(tmp_path, model, deep=True) == [] and done.fetched == len(repositories(model))
    assert all("/models/" in path for path, _ in hub.requests)


def test_optional_files_come_where_there_are_any(hub: Hub, tmp_path: Path) -> None:
    hub.files = repositories("indextts2")
    models.fetch(tmp_path, "indextts2", AGREED)
    folder = tmp_path / "indextts2"
    assert (folder / "qwen0.6bemo4-merge" / "tokenizer.json").exists() and not (
        folder / "glossary.yaml"
    ).exists()


@pytest.mark.parametrize("lists", [("modelscope",), ()])
def test_modelscope_is_the_way_where_the_other_hub_has_nothing(
    hub: Hub, tmp_path: Path, lists: tuple[str, ...]
) -> None:
    hub.files = repositories(MODEL, "modelscope") | {
        f"{REPO}/hf_cache/bigvgan/{name}": weights.MADE[kind]()
        for name, kind in (("config.json", "json"), ("bigvgan_generator.pt", "torch"))
    }
    hub.lists = lists
    models.fetch(tmp_path, MODEL, Wish("modelscope", True))
    assert models.check(tmp_path, MODEL, deep=True) == []
    assert hub.requests and all("/resolve/master/" in path for path, _ in hub.requests)
    assert set(KINDS) == {"registry", "hub", "modelscope"}


def test_a_hub_that_is_down_is_asked_once_and_the_other_one_serves(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port}")
    hub.files, hub.lists = (
        repositories(MODEL, "modelscope")
        | {
            f"{REPO}/hf_cache/bigvgan/config.json": b"{}",
            f"{REPO}/hf_cache/bigvgan/bigvgan_generator.pt": weights.torch_zip(),
        },
        ("modelscope",),
    )
    models.fetch(tmp_path, MODEL, AGREED)
    assert models.is_ready(tmp_path, MODEL)


@pytest.mark.parametrize("faults", [["half"], [500, 503], [429], ["half", "whole"], ["wrong"], ["silent"]])
@pytest.mark.parametrize("lists", [("hub",), ()])
def test_what_a_hub_does_wrong_is_mended_or_refused(
    hub: Hub, tmp_path: Path, faults: list[int | str], lists: tuple[str, ...]
) -> None:
    """With lists, sha256 tells; without, the structure does. Wrong bytes never stay."""
    hub.lists = lists
    hub.faults = list(faults)
    try:
        models.fetch(tmp_path, MODEL, AGREED)
    except Failed:
        assert faults == ["wrong"] and not (tmp_path / MODEL / "config.yaml").exists()
        models.fetch(tmp_path, MODEL, AGREED)
    assert models.check(tmp_path, MODEL, deep=True) == []


def test_a_list_that_lies_about_a_hash_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.lies = ("gpt.pth",)
    with pytest.raises(Failed, match=r"gpt\.pth has other bytes"):
        models.fetch(tmp_path, MODEL, AGREED)
    assert not (tmp_path / MODEL / "gpt.pth").exists() and (tmp_path / MODEL / "config.yaml").exists()


def test_a_repository_that_asks_for_a_login_is_asked_once_and_named(hub: Hub, tmp_path: Path) -> None:
    hub.gated = (REPO,)
    with pytest.raises(Failed, match="HTTP 401"):
        models.fetch(tmp_path, MODEL, Wish("hub", True))
    assert hub.listed.count(f"hub:{REPO}") == 1


def test_a_pointer_or_a_login_page_is_no_weight_file(hub: Hub, tmp_path: Path) -> None:
    hub.lists = ()
    for body in (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        b"<html>sign in</html>",
    ):
        hub.files[f"{REPO}/gpt.pth"] = body
        with pytest.raises(Failed, match=r"gpt\.pth is not whole"):
            models.fetch(tmp_path, MODEL, AGREED)


def test_a_download_goes_on_where_the_size_was_not_known(hub: Hub, tmp_path: Path) -> None:
    hub.lists = ()
    hub.faults = ["half", *[500] * 4]
    with pytest.raises(Failed):
        models.fetch(tmp_path, MODEL, AGREED)
    hub.requests.clear()
    models.fetch(tmp_path, MODEL, AGREED)
    assert hub.requests[0][1].startswith("bytes=") and models.is_ready(tmp_path, MODEL)


def test_a_licence_is_accepted_once_or_nothing_is_fetched(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="--accept-license"):
        models.fetch(tmp_path, MODEL)
    assert not hub.requests and not agreed(tmp_path, MODEL, False, True)
    models.fetch(tmp_path, MODEL, AGREED)
    (tmp_path / MODEL / "gpt.pth").unlink()
    assert models.repair(tmp_path, MODEL).fetched == 1, "the earlier yes is on record"


def test_a_repair_fetches_just_what_is_damaged(hub: Hub, tmp_path: Path) -> None:
    models.fetch(tmp_path, MODEL, AGREED)
    folder = tmp_path / MODEL
    before = {path: path.stat().st_ino for path in folder.rglob("*.p*") if path.is_file()}
    os.truncate(folder / "gpt.pth", 100)
    (folder / "config.yaml").unlink()
    (folder / "notes.txt").write_text("mine")
    hub.requests.clear()
    done = models.repair(tmp_path, MODEL)
    assert sorted(asked(hub)) == ["config.yaml", "gpt.pth"] and done.fetched == 2
    after = {path: path.stat().st_ino for path in before}
    assert [path.name for path in before if before[path] != after[path]] == ["gpt.pth"]
    assert (folder / "notes.txt").exists() and models.check(tmp_path, MODEL, deep=True) == []
    hub.requests.clear()
    assert models.repair(tmp_path, MODEL, deep=True).fetched == 0 and not hub.requests


def test_a_deep_repair_mends_what_only_a_hash_can_see(hub: Hub, tmp_path: Path) -> None:
    models.fetch(tmp_path, MODEL, AGREED)
    path = tmp_path / MODEL / "hf_cache" / "w2v-bert-2.0" / "model.safetensors"
    path.write_bytes(weights.safetensors(seed=7))
    assert models.repair(tmp_path, MODEL).fetched == 0
    assert (
        models.repair(tmp_path, MODEL, deep=True).fetched == 1 and path.read_bytes() == weights.safetensors()
    )


def test_a_repair_that_fails_leaves_the_damaged_file_as_it_was(hub: Hub, tmp_path: Path) -> None:
    models.fetch(tmp_path, MODEL, AGREED)
    os.truncate(tmp_path / MODEL / "gpt.pth", 100)
    hub.faults = [404] * 4
    with pytest.raises(Failed, match=r"gpt\.pth"):
        models.repair(tmp_path, MODEL)
    assert (tmp_path / MODEL / "gpt.pth").stat().st_size == 100


def test_a_repair_replaces_a_broken_link_and_not_the_blob_it_shares(hub: Hub, tmp_path: Path) -> None:
    hub.files = repositories("indextts2")
    models.fetch(tmp_path, "indextts2", AGREED)
    place = places.place(
        tmp_path / "indextts2", "hf_hub/models--funasr--campplus/snapshots/main/campplus_cn_common.bin"
    )
    blob = tmp_path / "blob"
    blob.write_bytes(b"damaged, but somebody else's")
    place.unlink()
    place.symlink_to(blob)
    assert models.repair(tmp_path, "indextts2").fetched == 1
    assert not place.is_symlink() and blob.read_bytes().startswith(b"damaged")


@pytest.mark.fault(98)
def test_two_downloads_at_once_share_the_work(hub: Hub, tmp_path: Path) -> None:
    argv = [*LAUNCH, "models", "fetch", MODEL, "--accept-license", "--json", "--home", str(tmp_path)]
    both = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [child.communicate(timeout=60) for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    came = sorted(json.loads(out)["fetched"] for out, _ in said)
    there = [path.split("/", 2)[2] for path in repositories(MODEL)]
    assert came == [0, len(there)] and sorted(name for name in asked(hub) if name in there) == sorted(there)
    assert models.check(tmp_path / "cache_hub", MODEL, deep=True) == []


@pytest.mark.fault(98)
def test_without_locks_the_parts_are_kept_apart(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.lock.Lock.works", lambda self: False)
    with models.writing(tmp_path, catalogue.load(MODEL)) as partial:
        assert str(os.getpid()) in partial.name and os.uname().nodename in partial.name


@pytest.mark.fault(98)
def test_a_killed_download_leaves_no_lock_and_no_half_file(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [500] * 3  # long enough at its first file to be killed there
    argv = [*LAUNCH, "models", "fetch", MODEL, "--accept-license", "--json", "--home", str(tmp_path)]
    argv += ["--parallel", "1"]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the first file is asked for", lambda: hub.requests)
    child.kill()
    child.wait()
    hub.faults.clear()
    assert models.fetch(tmp_path / "cache_hub", MODEL, AGREED).fetched == len(repositories(MODEL))


def test_ctrl_c_ends_a_fetch_without_a_traceback_and_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    hub.faults = ["half", *[500] * 3]
    argv = [*LAUNCH, "models", "fetch", MODEL, "--accept-license", "--home", str(tmp_path), "--parallel", "1"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    parts = tmp_path / "cache_hub" / ".partial" / MODEL
    wait_for("a part is there", lambda: parts.is_dir() and any(one.stat().st_size for one in parts.iterdir()))
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130 and "Traceback" not in said
    assert [one for one in parts.iterdir() if one.stat().st_size]
