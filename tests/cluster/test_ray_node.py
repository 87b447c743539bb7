"""``ray start`` that hangs or fails, played by a script: what the launcher does then, to real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from launcher import ray_node
from launcher.errors import Failed
from launcher.instance import Instance

# leaves a process behind as Ray does
RAY = """#!/bin/sh
sleep 300 &
exec {python} {play}
"""
# counts its starts, and does what the home has planned for each
PLAY = """
import os, sys, time
from pathlib import Path
home = Path(os.environ["TTS_HOME"])
with (home / "starts").open("a+") as file:
    file.write("x")
starts = (home / "starts").stat().st_size
plan = (home / "plan").read_text().split()[starts - 1]
print("start", starts, flush=True)
if plan == "hang":
    def wait_for_the_node():
        time.sleep(300)
    wait_for_the_node()
print("RuntimeError: no port" if plan == "fail" else "up", flush=True)
sys.exit(plan == "fail")
"""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """One whose Ray is the script."""
    home = tmp_path / "home"
    home.mkdir()
    script = tmp_path / "python"
    play = tmp_path / "play.py"
    play.write_text(PLAY)
    script.write_text(RAY.format(python=sys.executable, play=play))
    script.chmod(0o755)
    monkeypatch.setattr(ray_node.sys, "executable", str(script))
    monkeypatch.setattr(ray_node, "START_SECONDS", 3.0)
    return Instance(home)


def _left(instance: Instance) -> list[str]:
    return [psutil.Process(item.pid).name() for item in ray_node.members(instance)]


def test_one_that_hangs_is_ended_with_all_it_started_and_tried_once_more(instance: Instance) -> None:
    (instance.home / "plan").write_text("hang up")
    try:
        ray_node.start(instance, ["--head"])
        log = (instance.logs / "ray.log").read_text()
        assert "wait_for_the_node" in log, "where it hung"
        assert log.index("start 1") < log.index("start 2") < log.index("up")
        assert _left(instance) == ["sleep"], "the second one's is there, the first one's is not"
    finally:
        ray_node.end(instance)


@pytest.mark.parametrize(
    ("plan", "starts", "reason"), [("hang hang up", 2, "no answer within 3 s"), ("fail up", 1, "no port")]
)
def test_of_one_that_does_not_start_nothing_is_left(
    instance: Instance, plan: str, starts: int, reason: str
) -> None:
    """What was left had the next ``cluster up`` believe that Ray runs."""
    (instance.home / "plan").write_text(plan)
    with pytest.raises(Failed) as failure:
        ray_node.start(instance, ["--head"])
    assert reason in str(failure.value)
    assert not _left(instance)
    assert (instance.home / "starts").stat().st_size == starts
