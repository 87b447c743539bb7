"""The setting ``device``: which workers there will be, and what each of them sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui import devices
from index_tts_ui.errors import BadConfig


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "gpu_usable", lambda: False)


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("cpu", ["cpu"]),
        ("auto", ["cpu"]),
        ("cuda", ["cuda:0"]),
        ("cuda:3", ["cuda:3"]),
        ("cuda:0,1", ["cuda:0", "cuda:1"]),
        ("cuda:1,cuda:0", ["cuda:1", "cuda:0"]),
    ],
)
def test_a_setting_names_one_worker_for_each_device(setting: str, names: list[str]) -> None:
    assert [device.name for device in devices.chosen(setting, "cuda")] == names


@pytest.mark.parametrize(
    "setting", ["", "gpu", "cuda:", "cuda:x", "cuda:0;1", "cuda:0,", "cuda:0,0", "0", "cuda:0,cpu"]
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(setting: str) -> None:
    with pytest.raises(BadConfig, match="device"):
        devices.chosen(setting, "cuda")


def test_auto_takes_one_gpu_where_one_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_usable", lambda: True)
    assert [device.name for device in devices.chosen("auto", "cuda")] == ["cuda:0"]
    assert [device.name for device in devices.chosen("auto", "cpu")] == ["cpu"], "kokoro stays on the CPU"


def test_an_engine_of_the_cpu_gets_one_worker_whatever_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    assert [device.name for device in devices.chosen("cuda:0,1", "cpu")] == ["cpu"]
    assert "cuda:0,1" in caplog.text


def test_a_worker_sees_its_own_gpu_alone_and_one_of_the_cpu_none() -> None:
    first, second = devices.chosen("cuda:0,2", "cuda")
    assert (first.argument, first.environ["CUDA_VISIBLE_DEVICES"]) == ("cuda:0", "0")
    assert (second.argument, second.environ["CUDA_VISIBLE_DEVICES"]) == ("cuda:0", "2")
    assert second.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    (cpu,) = devices.chosen("cpu", "cuda")
    assert cpu.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_numbers_count_among_the_gpus_that_the_server_may_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-abc")
    (device,) = devices.chosen("cuda:1", "cuda")
    assert (device.name, device.environ) == ("cuda:1", {"CUDA_VISIBLE_DEVICES": "GPU-abc"})
    with pytest.raises(BadConfig, match="CUDA_VISIBLE_DEVICES shows 2"):
        devices.chosen("cuda:2", "cuda")


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("__version__ = '2.9'\ncuda: Optional[str] = '12.8'\n", True),
        ("cuda = '12.8'\n", True),
        ("cuda: Optional[str] = None\n", False),
        ("", False),
    ],
)
def test_the_build_of_torch_is_read_without_importing_it(
    text: str, can: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('it was imported')")
    (folder / "version.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    assert devices._torch_has_cuda() is can


def test_a_driver_that_does_not_answer_in_time_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "DRIVER_SECONDS", 0.2)
    monkeypatch.setattr(devices, "_ASK", "import time; time.sleep(30)")
    assert devices._driver_answers() is False
    monkeypatch.setattr(devices, "_ASK", "")
    monkeypatch.setattr(devices, "DRIVER_SECONDS", 30)
    assert devices._driver_answers() is True
