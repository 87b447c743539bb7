"""A download that is there is taken over; backups are whole, incremental and never spoil what they restore."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from launcher import catalogue, models
from launcher.errors import BadArguments, NotConfigured
from launcher.hub import adopt as adopting
from launcher.hub import places
from launcher.hub.adopt import adopt
from launcher.hub.backup import mirror

from . import weights
from .test_models_check import run

MODEL = "indextts2.5"


@pytest.fixture
def hub_dir(tmp_path: Path) -> Path:
    """An empty cache_hub."""
    (tmp_path / "cache_hub").mkdir()
    return tmp_path / "cache_hub"


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """The folder of somebody who has run IndexTTS-2.5 before."""
    return weights.make_model(tmp_path / "work", MODEL).rename(tmp_path / "work" / "checkpoints")


@pytest.mark.parametrize("model", ["kokoro", "indextts2", "indextts2.5"])
def test_a_plain_folder_is_recognised_and_adopted(tmp_path: Path, hub_dir: Path, model: str) -> None:
    root = weights.make_model(tmp_path / "work", model)
    done = adopt(hub_dir, root)
    assert done.model == model and not done.absent and not done.refused
    assert models.check(hub_dir, model) == [] and models.check(tmp_path / "work", model) == []
    again = adopt(hub_dir, root)
    assert not again.taken and len(again.kept) == len(done.taken)


@pytest.mark.parametrize("how", adopting.HOWS)
def test_the_ways_to_adopt(hub_dir: Path, download: Path, how: str) -> None:
    try:
        done = adopt(hub_dir, download, how=how)
    except Exception as error:
        assert how == "reflink", error
        pytest.skip("this file system has no reflinks")
    ours, theirs = hub_dir / MODEL / "gpt.pth", download / "gpt.pth"
    used = done.taken["gpt.pth"]
    assert ours.read_bytes() == theirs.read_bytes() and (how == "auto" or used == how)
    assert ours.is_symlink() == (used == "symlink") and (ours.stat().st_ino == theirs.stat().st_ino) == (
        used in ("hardlink", "symlink")
    )
    assert not list(hub_dir.rglob("*.part")) and models.check(hub_dir, MODEL, deep=True) == []


def test_damaged_files_are_refused_by_name_and_the_rest_is_taken(hub_dir: Path, download: Path) -> None:
    os.truncate(download / "gpt.pth", 50)
    (download / "s2mel.pth").unlink()
    code, data, _ = run(hub_dir.parent, "adopt", str(download))
    assert code == 6 and data["absent"] == ["s2mel.pth"]
    assert [item["path"] for item in data["refused"]] == [str(download / "gpt.pth")]
    assert {item["file"] for item in data["findings"]} == {"gpt.pth", "s2mel.pth"}
    assert not (hub_dir / MODEL / "gpt.pth").exists() and (hub_dir / MODEL / "codec.pth").exists()


def test_a_whole_file_in_cache_hub_is_not_replaced(hub_dir: Path, download: Path) -> None:
    (hub_dir / MODEL).mkdir()
    (hub_dir / MODEL / "gpt.pth").write_bytes(weights.torch_zip(seed=5))
    (hub_dir / MODEL / "s2mel.pth").write_bytes(b"damaged")
    done = adopt(hub_dir, download)
    assert done.kept == ["gpt.pth"] and "s2mel.pth" in done.taken
    assert (hub_dir / MODEL / "gpt.pth").read_bytes() == weights.torch_zip(seed=5)


def _repositories(model: str) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for file in catalogue.load(model).files:
        if file.required:
            source = file.sources[0]
            path = source["path"].format(name=file.name, base=file.name.rpartition("/")[2])
            found.setdefault(source["repo"], {})[path] = weights.content(file)
    return found


@pytest.mark.parametrize("how", ["links", "copies"])
@pytest.mark.parametrize("below", [".", "hub"])
def test_a_hugging_face_cache_is_adopted_by_its_root(
    tmp_path: Path, hub_dir: Path, how: str, below: str
) -> None:
    for model in ("indextts2", "indextts2.5"):
        root = tmp_path / f"cache of {model}"
        for repo, files in _repositories(model).items():
            weights.make_hub_cache(root / below, repo, files, how)
        done = adopt(hub_dir, root)
        assert done.model == model and not done.absent and models.check(hub_dir, model, deep=True) == []


def test_the_newest_revision_of_a_cache_is_meant(tmp_path: Path, hub_dir: Path) -> None:
    for repo, files in _repositories(MODEL).items():
        weights.make_hub_cache(tmp_path / "hub", repo, files, sha="b" * 40)
    old = tmp_path / "hub" / "models--IndexTeam--IndexTTS-2.5" / "snapshots" / ("a" * 40)
    old.mkdir()
    (old / "gpt.pth").write_bytes(weights.torch_zip(seed=3))
    adopt(hub_dir, tmp_path / "hub")
    assert (hub_dir / MODEL / "gpt.pth").read_bytes() == weights.torch_zip()


def test_a_modelscope_cache_is_adopted_by_its_root(tmp_path: Path, hub_dir: Path) -> None:
    for file in catalogue.load(MODEL).files:
        scope = next(source for source in file.sources if source["kind"] == "modelscope")
        path = scope["path"].format(name=file.name, base=file.name.rpartition("/")[2])
        place = tmp_path / "modelscope" / "hub" / "models" / scope["repo"].replace(".", "___") / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(weights.content(file))
    done = adopt(hub_dir, tmp_path / "modelscope")
    assert done.model == MODEL and models.check(hub_dir, MODEL) == []


def test_files_of_the_same_name_are_not_mixed_up(tmp_path: Path, hub_dir: Path) -> None:
    """A repository's own folder gives its files to no other repository's places."""
    root = tmp_path / "w2v-bert-2.0"
    root.mkdir()
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (root / name).write_bytes(weights.MADE["json" if name.endswith("json") else "safetensors"]())
    done = adopt(hub_dir, root, MODEL)
    assert {name.rpartition("/")[0] for name in done.taken} == {"hf_cache/w2v-bert-2.0"} and len(
        done.taken
    ) == 3


def test_what_is_no_model_or_several_is_said(tmp_path: Path, hub_dir: Path) -> None:
    with pytest.raises(NotConfigured, match="no model"):
        adopt(hub_dir, tmp_path / "cache_hub")
    for model in ("indextts2", "indextts2.5"):
        for repo, files in _repositories(model).items():
            if not (tmp_path / "both" / f"models--{repo.replace('/', '--')}").exists():
                weights.make_hub_cache(tmp_path / "both", repo, files)
    with pytest.raises(BadArguments, match="--model"):
        adopt(hub_dir, tmp_path / "both")
    assert adopt(hub_dir, tmp_path / "both", MODEL).model == MODEL


def test_adopting_the_folder_itself_records_what_is_there_now(hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    models.note(folder, catalogue.load(MODEL), {}, False)
    (folder / "codec.pth").write_bytes(weights.torch_legacy())  # a newer version, put there by hand
    assert [item.kind for item in models.check(hub_dir, MODEL)] == ["size"]
    assert run(hub_dir.parent, "adopt", str(folder))[0] == 0
    assert models.check(hub_dir, MODEL) == []


# ---- backup and restore


def test_a_backup_stands_alone_and_the_next_one_copies_nothing(tmp_path: Path, hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, "indextts2")
    shutil.rmtree(folder / "hf_hub" / "models--funasr--campplus")
    weights.make_hub_cache(
        folder / "hf_hub", "funasr/campplus", {"campplus_cn_common.bin": weights.torch_zip()}
    )
    (hub_dir / "my own").mkdir()
    (hub_dir / "my own" / "a.safetensors").write_bytes(weights.safetensors())
    (hub_dir / ".partial" / "x").mkdir(parents=True)
    (hub_dir / ".partial" / "x" / "y").touch()
    dest = tmp_path / "backup"
    code, data, _ = run(hub_dir.parent, "backup", str(dest))
    assert code == 0 and len(data["copied"]) == len({*data["copied"]}) and not data["unchanged"]
    assert models.check(dest, "indextts2") == [] and (dest / "my own" / "a.safetensors").exists()
    assert not [
        path
        for path in dest.rglob("*")
        if path.is_symlink() or path.name == "blobs" or "partial" in path.name
    ]
    code, data, _ = run(hub_dir.parent, "backup", str(dest))
    assert code == 0 and not data["copied"] and data["unchanged"]


def test_only_what_changed_is_copied_again(tmp_path: Path, hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    dest = tmp_path / "backup"
    mirror(hub_dir, dest)
    (folder / "gpt.pth").write_bytes(weights.torch_zip(seed=4))
    os.utime(folder / "s2mel.pth")  # only its time
    done = mirror(hub_dir, dest)
    assert done.copied == [f"{MODEL}/gpt.pth"]
    assert (dest / MODEL / "s2mel.pth").stat().st_mtime_ns == (folder / "s2mel.pth").stat().st_mtime_ns


def test_a_damaged_file_is_left_out_and_the_good_copy_stays(tmp_path: Path, hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    dest = tmp_path / "backup"
    mirror(hub_dir, dest)
    os.truncate(folder / "gpt.pth", 60)
    (folder / "x.incomplete").touch()
    code, data, _ = run(hub_dir.parent, "backup", str(dest))
    assert code == 6 and [item["path"] for item in data["skipped"]] == [str(folder / "gpt.pth")]
    assert models.check(dest, MODEL) == [] and not (dest / MODEL / "x.incomplete").exists()


def test_a_restore_brings_back_what_is_lost_or_damaged_and_keeps_the_rest(
    tmp_path: Path, hub_dir: Path
) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    models.note(folder, catalogue.load(MODEL), {}, True)
    dest = tmp_path / "backup"
    mirror(hub_dir, dest)
    (folder / "gpt.pth").unlink()
    os.truncate(folder / "s2mel.pth", 60)
    (dest / MODEL / "codec.pth").write_bytes(b"the backup's disk was bad")
    code, data, _ = run(hub_dir.parent, "restore", str(dest))
    assert sorted(data["copied"]) == [f"{MODEL}/gpt.pth", f"{MODEL}/s2mel.pth"]
    assert code == 6 and [item["file"] for item in data["skipped"]] == [f"{MODEL}/codec.pth"]
    assert models.check(hub_dir, MODEL, deep=True) == []


def test_a_restore_never_puts_a_damaged_file_over_a_whole_one(tmp_path: Path, hub_dir: Path) -> None:
    """Whatever the options."""
    folder = weights.make_model(hub_dir, MODEL)
    mirror(hub_dir, tmp_path / "backup")
    for path in (tmp_path / "backup").rglob("*.pt*"):
        path.write_bytes(b"")
    for overwrite in (False, True):
        mirror(tmp_path / "backup", hub_dir, overwrite=overwrite)
        assert models.check(hub_dir, MODEL) == []
    assert (folder / "gpt.pth").read_bytes() == weights.torch_zip()


def test_another_whole_file_is_kept_unless_asked(tmp_path: Path, hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    models.note(folder, catalogue.load(MODEL), {}, True)
    mirror(hub_dir, tmp_path / "backup")
    (folder / "gpt.pth").write_bytes(weights.torch_zip(seed=8))
    models.note(folder, catalogue.load(MODEL), {}, True)
    (folder / "manifest.json").unlink()
    models.note(folder, catalogue.load(MODEL), {}, True)
    done = mirror(tmp_path / "backup", hub_dir, overwrite=False)
    assert done.kept == [f"{MODEL}/gpt.pth", f"{MODEL}/manifest.json"] and not done.copied
    assert models.check(hub_dir, MODEL, deep=True) == []
    assert mirror(tmp_path / "backup", hub_dir).copied == done.kept
    assert (folder / "gpt.pth").read_bytes() == weights.torch_zip() and models.check(
        hub_dir, MODEL, deep=True
    ) == []


def test_one_file_that_cannot_be_written_stops_no_other(tmp_path: Path, hub_dir: Path) -> None:
    weights.make_model(hub_dir, MODEL)
    dest = tmp_path / "backup"
    (dest / MODEL).mkdir(parents=True)
    (dest / MODEL / "hf_cache").write_text("a file where a folder must be")
    code, data, _ = run(hub_dir.parent, "backup", str(dest))
    assert code == 1 and len(data["failed"]) == 6 and len(data["copied"]) == 8


def test_a_circle_of_folders_and_a_folder_in_itself_end(tmp_path: Path, hub_dir: Path) -> None:
    folder = weights.make_model(hub_dir, MODEL)
    (folder / "again").symlink_to("..")
    done = mirror(hub_dir, tmp_path / "backup")
    assert len(done.copied) == sum(file.required for file in catalogue.load(MODEL).files)
    for inside in (hub_dir / "backup", hub_dir, tmp_path):
        with pytest.raises(NotConfigured, match="inside"):
            mirror(hub_dir, inside)
    with pytest.raises(NotConfigured, match="nothing"):
        mirror(tmp_path / "no such", tmp_path / "other")


def test_places_of_a_model_whose_folder_is_a_snapshot(tmp_path: Path, hub_dir: Path) -> None:
    """cache_hub/<model> may be a link to a hub cache's snapshot."""
    files = {file.name: weights.content(file) for file in catalogue.load(MODEL).files}
    snapshot = weights.make_hub_cache(tmp_path / "hf", "IndexTeam/IndexTTS-2.5", files)
    (hub_dir / MODEL).symlink_to(snapshot)
    assert models.check(hub_dir, MODEL, deep=True) == []
    assert places.blob_sha256(hub_dir / MODEL / "gpt.pth")
    blob = (hub_dir / MODEL / "gpt.pth").resolve()
    blob.write_bytes(weights.torch_zip(seed=2))
    assert {item.kind for item in models.check(hub_dir, MODEL, deep=True)} == {"hash"}
