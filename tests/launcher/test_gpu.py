"""What the driver says of GPU memory, and who still holds it after an exit. A stub library plays the driver."""

from __future__ import annotations

import os
import subprocess

import pytest

from launcher import gpu

from . import driver as stub
from .conftest import Launch

driver, built_driver = stub.driver, stub.built_driver  # fixtures


def test_a_driver_that_hangs_does_not_hang_ps(
    driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "is_installed", lambda: True)
    for name, value in driver.environ.items():
        monkeypatch.setenv(name, value)
    driver.says("hang")
    assert gpu.look(0.5).code == gpu.NO_ANSWER
    driver.says("process 7 1", *(f"process {pid} 1" for pid in range(10, 30)))
    assert len(gpu.memory_of(gpu.look())) == 21


@pytest.mark.fault(57)
def test_gpu_memory_still_held_after_an_exit_is_reported_with_its_pid(
    driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "is_installed", lambda: True)  # this process has its library path already
    for name, value in {**driver.environ, "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    ended = subprocess.Popen(["true"])
    ended.wait()
    driver.says(f"process {ended.pid} 4200000000", f"process {os.getpid()} 1000000", "process 1 5")
    held = {item.pid: item for item in gpu.still_held({ended.pid, os.getpid()})}
    assert held.keys() == {ended.pid, os.getpid()}
    assert held[os.getpid()].alive and not held[ended.pid].alive and held[ended.pid].memory == 4_200_000_000
    (line,) = gpu.held_lines({ended.pid}, wait=0)
    assert f"pid {ended.pid}, which has ended" in line and "4200 MB" in line and "Stub GPU" in line
    driver.says()
    assert gpu.held_lines({ended.pid, os.getpid()}) == [] and gpu.still_held(set()) == []


@pytest.mark.fault(57)
def test_memory_that_comes_free_within_the_wait_is_not_reported(
    driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "is_installed", lambda: True)
    for name, value in driver.environ.items():
        monkeypatch.setenv(name, value)
    driver.says("process 4242 1000")
    real, calls = gpu.look, []

    def look(seconds: float = 3.0) -> gpu.Driver:
        seen = real(seconds)
        calls.append(seen)
        driver.says()
        return seen

    monkeypatch.setattr(gpu, "look", look)
    assert gpu.still_held({4242}, wait=20) == [] and len(calls) == 2


@pytest.mark.fault(57)
def test_stop_says_which_gpu_memory_is_still_held(driver: stub.StubDriver, launch: Launch) -> None:
    launch.environ = driver.environ
    launch.start()
    pid = launch.status()["server_pid"]
    driver.says(f"process {pid} 4200000000")
    said = launch("stop")
    assert f"pid {pid}, which has ended" in said and "4200 MB" in said and "Stopped." in said
