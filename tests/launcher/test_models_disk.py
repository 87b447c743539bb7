"""Full disks, and what the commands about models say."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from . import weights
from .conftest import LAUNCH
from .hub import Hub
from .test_models_fetch import MODEL, REPO, hub
from .tools import MOUNTS, need

__all__ = ["hub"]  # a fixture


def _on_a_small_disk(home: Path, megabytes: int, *args: str) -> tuple[int, dict[str, Any], list[str]]:
    """Exit code and JSON of a models command whose cache_hub is a small tmpfs, and the files there afterwards."""
    (home / "cache_hub").mkdir(parents=True, exist_ok=True)
    script = 'mount -t tmpfs -o size="$2"m none "$1/cache_hub" && cd "$1/cache_hub" && shift 2 && "$@"; code=$?; echo; find . -type f; exit $code'
    argv = [*need(MOUNTS), "sh", "-c", script, "-", str(home), str(megabytes)]
    argv += [*LAUNCH, "models", *args, "--json", "--home", str(home)]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    said, _, files = ran.stdout.partition("\n")
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, json.loads(said), files.split()


@pytest.mark.fault(99)
@pytest.mark.parametrize("lists", [("hub",), ()])
def test_a_disk_that_fills_up_is_one_line_and_nothing_half_is_in_place(
    hub: Hub, tmp_path: Path, lists: tuple[str, ...]
) -> None:
    """With sizes known it is seen before the first byte; else in the middle, and the part is kept aside."""
    hub.lists = lists
    hub.files[f"{REPO}/gpt.pth"] = weights.safetensors(1_500_000)  # 6 MB
    code, said, files = _on_a_small_disk(tmp_path, 2, "fetch", MODEL, "--accept-license")
    assert code == 1 and said["error"] == "disk_full" and "\n" not in said["message"], said
    placed = [name for name in files if name.startswith(f"./{MODEL}/")]
    assert f"./{MODEL}/gpt.pth" not in placed
    assert bool(hub.requests) == (not lists) and (lists or any(".partial" in name for name in files))


@pytest.mark.fault(99)
def test_a_full_disk_in_the_middle_of_a_restore_removes_its_temporary_file(hub: Hub, tmp_path: Path) -> None:
    other = tmp_path / "other"
    weights.make_model(other, MODEL)
    (other / "big.npy").write_bytes(
        b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': '<f4', 'shape': (1,)}".ljust(70) + bytes(6_000_000)
    )
    code, said, files = _on_a_small_disk(tmp_path, 2, "restore", str(other))
    assert code == 1 and said["error"] == "disk_full"
    assert not [name for name in files if name.endswith(".part")] and "./big.npy" not in files


def test_the_commands_say_what_came(hub: Hub, tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "LANG": "zh_CN.UTF-8"}
        argv = [*LAUNCH, "models", *args, "--home", str(tmp_path)]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=60, env=env, stdin=subprocess.DEVNULL
        )

    refused = run("fetch", MODEL)
    assert refused.returncode == 6 and "--accept-license" in refused.stderr and "许可" in refused.stderr
    fetched = run("fetch", MODEL, "--accept-license")
    assert fetched.returncode == 0 and "已完整" in fetched.stdout and "100%" in fetched.stderr
    (tmp_path / "cache_hub" / MODEL / "gpt.pth").unlink()
    checked = run("check")
    assert checked.returncode == 6 and "缺失" in checked.stdout and checked.stdout.count("\n") == 1
    repaired = run("repair")
    assert (
        repaired.returncode == 0 and "1" in repaired.stdout and run("check", MODEL, "--deep").returncode == 0
    )


@pytest.mark.parametrize(
    "command", ["list", "check", "repair", "fetch", "adopt", "backup", "restore", "path"]
)
@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_every_command_has_help_with_an_example(command: str, language: str) -> None:
    from launcher.messages import HELP

    text = HELP[f"models_{command}"][language.startswith("zh")]
    assert f"tts-launch models {command}" in text and ("例如" in text) == language.startswith("zh")
    if command == "adopt":  # one of them for real
        argv = [*LAUNCH, "models", command, "--help"]
        ran = subprocess.run(
            argv, capture_output=True, text=True, timeout=30, env={**os.environ, "LC_ALL": language}
        )
        assert ran.returncode == 0 and "--json" in ran.stdout and text[:20] in ran.stdout


def test_the_hub_lists_are_read_as_both_hubs_write_them(hub: Hub) -> None:
    from launcher.hub.listing import Listing

    hub.lists = ("hub", "modelscope")
    seen = {kind: Listing.of(hub.url, kind, REPO).files for kind in hub.lists}
    assert seen["hub"] and seen["modelscope"] and seen["hub"].keys() == seen["modelscope"].keys()
    assert seen["hub"]["gpt.pth"] == seen["modelscope"]["gpt.pth"] and seen["hub"]["config.yaml"][1] == ""
    assert Listing.of(hub.url, "hub", "no/such").files in (None, {})
