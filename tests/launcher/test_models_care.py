"""Checks read little, write nothing, name what they may not read; what ``list`` and ``start`` make of them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import catalogue, models
from launcher.errors import NotConfigured, NotPermitted
from launcher.hub import check as checking
from launcher.hub import places

from . import weights
from .conftest import LAUNCH, SERVER, Launch
from .test_models_check import MODEL, W2V, found, run, whole
from .tools import MOUNTS, need

__all__ = ["whole"]  # a fixture

UNREADING = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.mark.fault(96)
@pytest.mark.parametrize("what", ["gpt.pth", "hf_cache", "."])
def test_what_may_not_be_read_is_exit_4_with_its_path(whole: Path, what: str) -> None:
    prefix = tuple(need([*UNREADING])) if os.geteuid() == 0 else ()
    path = whole / MODEL / what
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        code, data, _ = run(whole.parent, "check", MODEL, prefix=prefix)
    finally:
        path.chmod(mode)
    assert code == 4
    denied = [item for item in data["findings"] if item["kind"] == "denied"]
    assert denied and all(item["path"].startswith(str(path)) and "chmod" in item["fix"] for item in denied)


@pytest.mark.fault(96)
def test_a_start_without_the_right_to_read_is_exit_4(launch: Launch) -> None:
    folder = weights.make_model(launch.instance.cache_hub, MODEL)
    launch.prefix = need([*UNREADING]) if os.geteuid() == 0 else []
    (folder / "gpt.pth").chmod(0)
    said = launch.json("start", "--engine", MODEL, code=4)
    assert str(folder / "gpt.pth") in said["message"] and not launch.processes()


@pytest.mark.fault(97)
def test_a_read_only_mount_is_checked_without_writing(whole: Path) -> None:
    home = whole.parent
    need(MOUNTS)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && ! touch "$1/x" 2>/dev/null && shift && exec "$@"'
    ran = subprocess.run(
        [
            *MOUNTS,
            "sh",
            "-c",
            script,
            "-",
            str(whole),
            *LAUNCH,
            "models",
            "check",
            MODEL,
            "--deep",
            "--home",
            str(home),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran
    ran = subprocess.run(
        [
            *MOUNTS,
            "sh",
            "-c",
            script,
            "-",
            str(whole),
            *LAUNCH,
            "models",
            "fetch",
            "kokoro",
            "--json",
            "--home",
            str(home),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 4 and str(whole) in json.loads(ran.stdout)["message"], ran


@pytest.mark.fault(97)
def test_a_check_changes_nothing(whole: Path) -> None:
    def picture() -> dict[str, tuple[int, int]]:
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in whole.rglob("*")}

    before = picture()
    models.check(whole, MODEL, deep=True)
    run(whole.parent, "list")
    assert picture() == before


@pytest.mark.fault(101)
def test_a_huge_cache_is_checked_by_stat_and_headers_with_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of 20 GB (sparse) among more files than are looked through: a few kilobytes are read, the walk ends."""
    monkeypatch.setattr(checking, "_MOST_ENTRIES", 200)
    folder = weights.make_model(tmp_path, MODEL)
    numbers = 5 << 30
    header = b'{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' % (numbers, 4 * numbers)
    (folder / W2V).write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(folder / W2V, 8 + len(header) + 4 * numbers)
    for i in range(30):
        many = folder / "extra" / str(i)
        many.mkdir(parents=True)
        for j in range(20):
            (many / str(j)).touch()

    def read_so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    seen: list[tuple[int, str]] = []
    before = read_so_far()
    assert models.check(tmp_path, MODEL, progress=lambda done, what: seen.append((done, what))) == []
    assert read_so_far() - before < 300_000
    files = catalogue.load(MODEL).files
    assert seen == [(number, file.name) for number, file in enumerate(files, 1)]
    assert 100 <= len(list(checking.walk(folder))) < 300


def test_a_deep_check_shows_its_way(whole: Path) -> None:
    argv = [*LAUNCH, "models", "check", MODEL, "--deep", "--home", str(whole.parent)]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "100%" in ran.stderr


def test_a_pipe_in_place_of_a_file_is_not_opened(whole: Path) -> None:
    (whole / MODEL / "gpt.pth").unlink()
    os.mkfifo(whole / MODEL / "gpt.pth")
    assert found(whole) == {"gpt.pth": "not_a_file"}


def test_an_optional_file_may_be_absent_and_its_damage_stops_nobody(tmp_path: Path) -> None:
    folder = weights.make_model(tmp_path, "indextts2", optional=True)
    (folder / "glossary.yaml").unlink()
    (folder / "qwen0.6bemo4-merge" / "tokenizer.json").write_text("{")
    assert list(found(tmp_path, "indextts2").values()) == ["not_a"] and models.is_ready(tmp_path, "indextts2")


def test_refs_main_chooses_the_snapshot_and_cannot_lead_out(tmp_path: Path) -> None:
    name = "hf_hub/models--a--b/snapshots/main/x.json"
    refs = tmp_path / "hf_hub" / "models--a--b" / "refs"
    refs.mkdir(parents=True)
    for said, folder in {"abc123\n": "abc123", "../../..": "main", "": "main", "a/b": "main"}.items():
        (refs / "main").write_text(said)
        assert places.place(tmp_path, name) == refs.parent / "snapshots" / folder / "x.json"


def test_list_tells_complete_damaged_absent_and_unknown_apart(whole: Path) -> None:
    (weights.make_model(whole, "kokoro") / "voices" / "af_sky.bin").unlink()
    (whole / "models--my--own").mkdir()
    (whole / "indextts2").mkdir()
    code, data, _ = run(whole.parent, "list")
    states = {item["model"]: item["state"] for item in data["models"]}
    assert code == 0
    assert states == {
        MODEL: "complete",
        "kokoro": "damaged",
        "indextts2": "absent",
        "piper": "absent",
        "voxcpm1.5": "absent",
        "voxcpm2": "absent",
        "models--my--own": "unknown",
    }
    assert all(item["licence"] and item["path"] for item in data["models"] if item["state"] != "unknown")


def test_the_table_of_engines_is_the_servers() -> None:
    from index_tts_ui import engines

    assert engines.AUTO == catalogue.AUTO
    assert {name: spec.model for name, spec in engines.REGISTRY.items()}.items() <= catalogue.ENGINES.items()
    assert set(catalogue.ENGINES.values()) <= {"", *catalogue.names()}


@pytest.mark.fault(100)
def test_a_model_that_changes_after_the_check_is_a_failed_start_and_no_crash_loop(launch: Launch) -> None:
    """A file goes away after the check and before the load; the server finds out and ends with code 78."""
    weights.make_model(launch.instance.cache_hub, MODEL)
    gone = f'rm "$TTS_HOME/cache_hub/{MODEL}/gpt.pth" && exec {sys.executable} {SERVER} refuse'
    launch.environ["TTS_SERVER_COMMAND"] = shlex.join(["sh", "-c", gone])
    said = launch.json("start", "--engine", MODEL, code=6)
    assert "the voice is not there" in said["message"]
    status = launch.status()
    assert status["state"] == "FATAL" and status["restarts"] == 0 and not launch.processes()
    assert "gpt.pth" in launch.json("start", "--engine", MODEL, code=6)["message"]


def test_problems_name_the_first_file_and_count_the_rest(whole: Path) -> None:
    for name in ("gpt.pth", "s2mel.pth"):
        os.truncate(whole / MODEL / name, 10)
    error = models.problems(models.check(whole, MODEL), whole / MODEL)
    assert isinstance(error, NotConfigured) and not isinstance(error, NotPermitted)
    assert "gpt.pth" in error.message and "1 more" in error.message
