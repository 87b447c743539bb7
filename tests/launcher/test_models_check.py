"""What a check says of a model's folder: one line a finding, bounded in time, and nothing is written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from launcher import catalogue, models
from launcher.hub import check as checking
from launcher.hub.record import MANIFEST

from . import weights
from .conftest import LAUNCH, Launch

MODEL = "indextts2.5"
W2V = "hf_cache/w2v-bert-2.0/model.safetensors"


def found(cache_hub: Path, model: str = MODEL, deep: bool = False) -> dict[str, str]:
    """Name to kind."""
    return {item.name: item.kind for item in models.check(cache_hub, model, deep)}


def run(home: Path, *args: str, prefix: tuple[str, ...] = ()) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON and errors of a models command."""
    argv = [*prefix, *LAUNCH, "models", *args, "--home", str(home), "--json"]
    env = {**os.environ, "LANG": "C.UTF-8"}
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=env)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, json.loads(ran.stdout), ran.stderr


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """cache_hub with a whole IndexTTS-2.5."""
    weights.make_model(tmp_path / "cache_hub", MODEL)
    return tmp_path / "cache_hub"


@pytest.mark.parametrize("model", ["kokoro", "indextts2", "indextts2.5"])
@pytest.mark.parametrize("optional", [False, True])
def test_a_whole_model_has_no_findings(tmp_path: Path, model: str, optional: bool) -> None:
    weights.make_model(tmp_path, model, optional)
    assert found(tmp_path, model) == {} and models.is_ready(tmp_path, model)


@pytest.mark.fault(88)
def test_a_missing_model_is_exit_6_with_path_and_help(tmp_path: Path) -> None:
    code, data, _ = run(tmp_path, "check", MODEL)
    assert code == 6 and {item["kind"] for item in data["findings"]} == {"missing"}
    for item in data["findings"]:
        assert item["path"].startswith(str(tmp_path)) and f"models fetch {MODEL}" in item["fix"]
    code, data, _ = run(tmp_path, "check", "no-such-model")
    assert code == 2 and MODEL in data["message"]


@pytest.mark.fault(88)
@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_a_start_without_its_model_ends_before_port_and_spawn(launch: Launch, state: str) -> None:
    if state == "damaged":
        folder = weights.make_model(launch.instance.cache_hub, MODEL)
        os.truncate(folder / "gpt.pth", 100)
    said = launch.json(
        "start", "--engine", MODEL, "--host", "203.0.113.9", code=6
    )  # an address that is not ours
    assert str(launch.instance.cache_hub / MODEL) in said["message"]
    assert ("models fetch" if state == "missing" else "models repair") in said["message"]
    assert not launch.instance.state.exists() and not launch.processes() and "spawn" not in launch.log()


@pytest.mark.fault(89)
def test_a_truncated_safetensors_file_is_a_line_with_path_and_fix(whole: Path) -> None:
    os.truncate(whole / MODEL / W2V, 200)
    [item] = models.check(whole, MODEL)
    assert item.kind == "short" and item.needed
    assert (
        item.line.startswith(str(whole / MODEL / W2V))
        and "models repair" in item.line
        and "\n" not in item.line
    )


@pytest.mark.fault(89)
def test_settings_that_were_cut_off_lack_their_last_keys(whole: Path) -> None:
    path = whole / MODEL / "config.yaml"
    os.truncate(path, path.stat().st_size * 2 // 3)
    [item] = models.check(whole, MODEL)
    assert item.kind == "keys" and "emo_num" in item.line


@pytest.mark.fault(90)
def test_wrong_bytes_of_the_right_size_are_found_by_a_deep_check_only(tmp_path: Path) -> None:
    """By the catalogue (kokoro), by the record of what came, and by the name of a hub cache's blob."""
    weights.make_model(tmp_path, "kokoro")
    assert (
        found(tmp_path, "kokoro") == {}
        and found(tmp_path, "kokoro", deep=True)["voices/af_sky.bin"] == "hash"
    )
    folder = weights.make_model(tmp_path, MODEL)
    models.note(folder, catalogue.load(MODEL), {}, False)
    damaged = bytearray((folder / "gpt.pth").read_bytes())
    damaged[len(damaged) // 3] ^= 1
    (folder / "gpt.pth").write_bytes(damaged)
    blob = folder / "hf_cache" / hashlib.sha256(weights.torch_zip()).hexdigest()
    blob.write_bytes(weights.torch_zip(seed=9))
    (folder / "hf_cache" / "bigvgan" / "bigvgan_generator.pt").unlink()
    (folder / "hf_cache" / "bigvgan" / "bigvgan_generator.pt").symlink_to(f"../{blob.name}")
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace("bigvgan_generator.pt", "another"))
    assert found(tmp_path) == {}
    assert found(tmp_path, deep=True) == {"gpt.pth": "hash", "hf_cache/bigvgan/bigvgan_generator.pt": "hash"}


@pytest.mark.fault(91)
def test_leftovers_and_empty_files_are_listed_and_never_counted(whole: Path) -> None:
    folder = whole / MODEL
    (folder / "gpt.pth").rename(folder / "gpt.pth.incomplete")
    (folder / "s2mel.pth").write_bytes(b"")
    (folder / "._____temp").touch()
    (whole / ".partial" / MODEL).mkdir(parents=True)
    assert found(whole) == {
        **{"gpt.pth": "missing", "s2mel.pth": "empty"},
        **{"gpt.pth.incomplete": "leftover", "._____temp": "leftover", MODEL: "partial"},
    }
    notes = [item for item in models.check(whole, MODEL) if not item.needed]
    assert len(notes) == 3 and all(item.path in item.line for item in notes)


@pytest.mark.fault(91)
def test_leftovers_alone_keep_nobody_from_starting(whole: Path) -> None:
    (whole / MODEL / "old.part").touch()
    assert models.is_ready(whole, MODEL) and run(whole.parent, "check", MODEL)[0] == 0


@pytest.mark.fault(91)
def test_a_zero_byte_blob_is_empty(tmp_path: Path) -> None:
    snapshot = weights.make_hub_cache(tmp_path, "some/repo", {"model.safetensors": b""})
    file = catalogue.File("model.safetensors", None, "", ())
    assert checking.look(snapshot / "model.safetensors", file)[0] == "empty"


@pytest.mark.fault(92)
@pytest.mark.parametrize("how", ["links", "copies"])
def test_a_partial_snapshot_is_listed_exactly(tmp_path: Path, how: str) -> None:
    folder = weights.make_model(tmp_path, "indextts2")
    hub = folder / "hf_hub"
    w2v = hub / "models--facebook--w2v-bert-2.0"
    subprocess.run(["rm", "-r", str(w2v)], check=True)
    config = {"config.json": b"{}"}  # the small files came, the weights did not
    weights.make_hub_cache(hub, "facebook/w2v-bert-2.0", config, how)
    names = {item.path.rpartition("/")[2]: item.kind for item in models.check(tmp_path, "indextts2")}
    assert names == {"preprocessor_config.json": "missing", "model.safetensors": "missing"}
    assert not models.is_ready(tmp_path, "indextts2")


@pytest.mark.fault(92, 93)
def test_shards_in_place_of_one_file_are_as_good_and_absent_ones_are_named(whole: Path) -> None:
    folder = (whole / MODEL / W2V).parent
    (folder / "model.safetensors").unlink()
    names = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    index = {"metadata": {}, "weight_map": {f"layer.{i}": name for i, name in enumerate(names * 2)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in names:
        (folder / name).write_bytes(weights.safetensors())
    assert found(whole) == {}
    (folder / names[1]).unlink()
    os.truncate(folder / names[2], 50)
    items = models.check(whole, MODEL)
    assert [(item.kind, item.path) for item in items] == [
        ("shard", str(folder / names[1])),
        ("short", str(folder / names[2])),
    ]
    assert "model.safetensors.index.json" in items[0].line
    (folder / "model.safetensors.index.json").write_text("{")
    assert found(whole) == {W2V: "not_a"}


@pytest.mark.fault(94)
def test_links_are_followed_wherever_they_lead(tmp_path: Path, whole: Path) -> None:
    """The model's folder is a link, a folder in it is one, and files are relative links."""
    elsewhere = tmp_path / "other volume"
    elsewhere.mkdir()
    (whole / MODEL).rename(elsewhere / "weights")
    (whole / MODEL).symlink_to("../other volume/weights")
    (elsewhere / "weights" / "hf_cache").rename(elsewhere / "aux")
    (elsewhere / "weights" / "hf_cache").symlink_to(elsewhere / "aux")
    (elsewhere / "weights" / "gpt.pth").rename(elsewhere / "gpt")
    (elsewhere / "weights" / "gpt.pth").symlink_to("../gpt")
    assert found(whole) == {}


@pytest.mark.fault(94)
def test_a_file_on_another_volume_is_valid(tmp_path: Path, whole: Path) -> None:
    other = Path("/dev/shm") / f"models-{os.getpid()}"
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm as another volume")
    other.write_bytes(weights.torch_zip())
    try:
        (whole / MODEL / "gpt.pth").unlink()
        (whole / MODEL / "gpt.pth").symlink_to(other)
        assert found(whole) == {}
    finally:
        other.unlink()
    [item] = models.check(whole, MODEL)
    assert item.kind == "link" and str(other) in item.line


@pytest.mark.fault(94)
def test_a_circle_of_links_is_an_error_and_no_hang(whole: Path) -> None:
    folder = whole / MODEL
    (folder / "gpt.pth").unlink()
    (folder / "gpt.pth").symlink_to("s2mel.pth")
    (folder / "s2mel.pth").unlink()
    (folder / "s2mel.pth").symlink_to("gpt.pth")
    (folder / "hf_cache" / "again").symlink_to("..")
    assert found(whole) == {"gpt.pth": "loop", "s2mel.pth": "loop"}
    assert run(whole.parent, "check", MODEL)[0] == 6


@pytest.mark.fault(94)
def test_a_link_to_a_folder_that_is_gone_is_named_itself(whole: Path) -> None:
    folder = whole / MODEL
    (folder / "hf_cache").rename(whole / "aux")
    (folder / "hf_cache").symlink_to("/no/such/volume")
    items = models.check(whole, MODEL)
    assert {item.path for item in items} == {str(folder / "hf_cache")} and "/no/such/volume" in items[0].line


@pytest.mark.fault(95)
@pytest.mark.parametrize("how", ["links", "copies"])
def test_a_hub_cache_is_valid_with_links_and_with_copies(tmp_path: Path, how: str) -> None:
    folder = weights.make_model(tmp_path, "indextts2")
    for repo, names in {
        "facebook/w2v-bert-2.0": ["config.json", "preprocessor_config.json", "model.safetensors"],
        "amphion/MaskGCT": ["semantic_codec/model.safetensors"],
    }.items():
        subprocess.run(
            ["rm", "-r", str(folder / "hf_hub" / f"models--{repo.replace('/', '--')}")], check=True
        )
        data = {name: weights.MADE["json" if name.endswith("json") else "safetensors"]() for name in names}
        weights.make_hub_cache(folder / "hf_hub", repo, data, how)
    assert found(tmp_path, "indextts2") == {} and found(tmp_path, "indextts2", deep=True) == {}


def test_the_hubs_own_client_finds_what_lies_in_our_places(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    folder = weights.make_model(tmp_path, "indextts2")
    for repo, name in (
        ("amphion/MaskGCT", "semantic_codec/model.safetensors"),
        ("funasr/campplus", "campplus_cn_common.bin"),
    ):
        got = hub.hf_hub_download(repo, name, cache_dir=folder / "hf_hub", local_files_only=True)
        assert Path(got).read_bytes()
