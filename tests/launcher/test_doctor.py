"""The doctor names what is wrong and what helps, within its deadline, whatever hangs."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from launcher import (
    doctor,
    doctor_gpu,
    doctor_instance,
    doctor_machine,
    gpu,
    messages_doctor,
    messages_tools,
)
from launcher.children import run_all
from launcher.doctor import FAIL, OK, WARN, Context

from . import driver as stub
from .conftest import Launch

driver, built_driver = stub.driver, stub.built_driver  # fixtures
CHECKS = [name for checks in doctor.GROUPS.values() for name in checks]
NO_GPU = """class version: cuda = None
class cuda: is_available = staticmethod(lambda: False)
"""


@pytest.fixture(autouse=True)
def light_torch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each doctor would import torch, for two seconds; the first test has it so."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "torch.py").write_text(NO_GPU)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


def _found(launch: Launch, *args: str, code: int | None = None) -> dict[str, dict[str, str]]:
    """The doctor's findings by check (the worst of each), each with a fix where it is not ok."""
    order = [OK, WARN, FAIL]
    best: dict[str, dict[str, str]] = {}
    findings = launch.json("doctor", *args, code=code)["findings"]
    for item in findings:
        assert item["text"] and (item["state"] == OK) == (not item["fix"]), item
        assert "\n" not in item["text"] + item["fix"] and "Traceback" not in item["text"]
        before = best.get(item["check"])
        if before is None or order.index(item["state"]) > order.index(before["state"]):
            best[item["check"]] = item
    return best


def test_a_healthy_machine_has_one_line_per_check_and_exit_code_0(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # with the real torch
    found = _found(launch, code=0)
    assert list(found) == CHECKS
    assert not [item for item in found.values() if item["state"] == FAIL]
    assert found["port"]["text"] == f"port {launch.port} is free" and "tone" in found["engine"]["text"]
    screen = launch("doctor").splitlines()
    assert (
        len(screen) <= 2 * len(CHECKS) + 1 and screen[0].startswith("ok") and screen[-1].endswith("0 failed.")
    )


def test_the_doctor_speaks_chinese(launch: Launch) -> None:
    launch.environ["LANG"] = "zh_CN.UTF-8"
    assert f"端口 {launch.port} 空闲" in launch("doctor")


def test_a_running_instance_owns_its_port(launch: Launch) -> None:
    launch.start()
    found = _found(launch, code=0)
    assert "this instance's" in found["port"]["text"] and "RUNNING" in found["service"]["text"]


@pytest.mark.slow
def test_a_running_instance_is_judged_by_what_it_was_started_with(launch: Launch) -> None:
    """Its port and engine came as flags, which the doctor is not given; what it is given goes first."""
    port, launch.port = launch.port, 1
    launch.engine = "auto"
    launch.start("--port", str(port), "--engine", "tone")
    found = _found(launch, code=0)
    assert f"port {port} is this instance's" in found["port"]["text"]
    assert "tone" in found["settings"]["text"] and "tone" in found["engine"]["text"]
    asked = _found(launch, "--engine", "kokoro")
    assert "kokoro" in asked["settings"]["text"] and "kokoro" in asked["engine"]["text"]
    launch("stop")
    after = _found(launch)
    assert "auto" in after["settings"]["text"] and f"port {port}" not in after["port"]["text"]


@pytest.mark.fault(25)
def test_a_port_of_somebody_else_fails_with_its_owner(launch: Launch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", launch.port))
        listener.listen()
        found = _found(launch, code=1)
    assert found["port"]["state"] == FAIL and f"pid {os.getpid()}" in found["port"]["text"]
    assert "--port" in found["port"]["fix"]


def test_settings_that_cannot_be_read_hide_no_other_finding(launch: Launch) -> None:
    (launch.home / "tts.toml").write_text("port = ")
    found = _found(launch, code=1)
    assert "tts.toml" in found["settings"]["text"] and found["python"]["state"] != FAIL
    assert "port" not in found, "nothing of the instance can be known"


def test_a_home_folder_that_hangs_is_named_within_the_deadline(launch: Launch, tmp_path: Path) -> None:
    """Reading the settings never ends, as on a file server that is away."""
    (launch.home / "tts.toml").write_text("port = 7001")
    (tmp_path / "tomllib.py").write_text("import time\ntime.sleep(60)")
    launch.environ = {"PYTHONPATH": str(tmp_path)}
    began = time.monotonic()
    found = _found(launch, "--timeout", "2", code=1)
    launch.environ = {}
    (launch.home / "tts.toml").unlink()
    assert time.monotonic() - began < 20, "the deadline was 2 s"
    assert found["settings"]["state"] == FAIL and "within 2 s" in found["settings"]["text"]
    assert found["port"]["state"] == WARN and "settings" in found["port"]["text"]
    assert found["memory"]["state"] != FAIL and list(found) == CHECKS


def test_an_engine_without_its_model_fails_and_auto_warns(launch: Launch) -> None:
    launch.engine = "kokoro"
    found = _found(launch, code=1)
    assert found["engine"]["state"] == FAIL and found["engine"]["fix"].endswith("models fetch kokoro")
    launch.engine = "auto"
    assert _found(launch, code=0)["engine"]["state"] == WARN


def test_low_limits_and_a_foreign_encoding_are_noticed(launch: Launch) -> None:
    launch.prefix = ["bash", "-c", 'ulimit -n 300 && exec "$@"', "_"]
    launch.environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = _found(launch, code=0)
    assert found["files"]["state"] == WARN and "300" in found["files"]["text"]
    assert found["locale"]["state"] == WARN and "UTF-8" in found["locale"]["fix"]


# ---- GPU


def test_a_gpu_is_shown_with_driver_and_memory(launch: Launch, driver: stub.StubDriver) -> None:
    launch.environ = driver.environ
    driver.says("memory 80000000000 60000000000")
    found = _found(launch, code=0)["gpu"]
    assert found["state"] == OK
    assert found["text"] == "GPU 0: Stub GPU, driver 999.1, 60.0 of 80.0 GB free"


def test_a_full_gpu_warns_and_names_who_holds_it(
    driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in driver.environ.items():
        monkeypatch.setenv(name, value)
    driver.says("memory 80000000000 1000000", "process 4242 79000000000")
    (found,) = doctor.examine({}, 60, ["gpu"])
    assert found.state == WARN and "4242" in found.fix


@pytest.mark.parametrize(("trouble", "text", "fix"), [
    ("init 18", "error 18", "reboot"), ("init 9", "error 9", "modprobe"), ("init 999", "error 999", "nvidia-smi"),
    ("crash", "code -6", "nvidia-smi"),
    pytest.param("hang", "within 2 s", "reboot", marks=pytest.mark.slow),
])  # fmt: skip
def test_a_driver_in_trouble_fails_and_hangs_nobody(
    driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch, trouble: str, text: str, fix: str
) -> None:
    for name, value in {**driver.environ, "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    driver.says(trouble)
    (found,) = doctor.examine({}, 2 if trouble == "hang" else 60, ["gpu"])
    assert found.state == FAIL and text in found.text and fix in found.fix


def test_a_card_without_a_driver_warns(tmp_path: Path) -> None:
    device = tmp_path / "0000:01:00.0"
    device.mkdir()
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x030200\n")
    assert doctor_gpu.has_card(tmp_path) and not doctor_gpu.has_card(tmp_path / "none")
    none = gpu.Driver(gpu.NO_LIBRARY)
    assert [item.state for item in doctor_gpu.judge_gpu(none, card=True)] == [WARN]
    assert [item.state for item in doctor_gpu.judge_gpu(none, card=False)] == [OK]


def _fake_torch(folder: Path, code: str) -> dict[str, str]:
    """Variables that put a package called torch before all others."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(code)
    (folder / "torch-9.9.dist-info").mkdir()
    (folder / "torch-9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n"
    )
    return {"PYTHONPATH": str(folder)}


CUDA = """
import types
version = types.SimpleNamespace(cuda="12.8")
cuda = types.SimpleNamespace(
    is_available=lambda: True, device_count=lambda: 1, get_device_name=lambda index: "Stub GPU",
    get_device_capability=lambda index: (9, 0), get_arch_list=lambda: ["sm_80", ARCH],
)
"""


@pytest.mark.parametrize(("code", "state", "text"), [
    pytest.param("import time; time.sleep(600)", WARN, "within 3 s", marks=pytest.mark.slow),
    ("raise ImportError('libcudart is missing')", FAIL, "libcudart is missing"),
    (CUDA.replace("ARCH", "'sm_90'"), OK, "CUDA 12.8: Stub GPU"),
    (CUDA.replace("ARCH", "'compute_80'"), OK, "CUDA 12.8: Stub GPU"),
    (CUDA.replace("ARCH", "'sm_86'"), WARN, "no code for Stub GPU"),
    ("import os; os.abort()", WARN, "code -6"),
], ids=["hangs", "broken", "good", "later", "old", "crashes"])  # fmt: skip
def test_torch_is_asked_in_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, state: str, text: str
) -> None:
    for name, value in {**_fake_torch(tmp_path, code), "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = doctor.examine({}, 3 if "sleep" in code else 60, ["torch"])
    assert found.state == state and text in found.text, found


# ---- the judgements themselves


def test_packages_are_judged_by_range_and_by_the_tested_set() -> None:
    def judge(have: dict[str, str]) -> list[tuple[str, str]]:
        required, pins = {"one": ">=2,<3", "two": "==1.10"}, {"one": "2.5", "two": "1.10"}
        return [(item.state, item.text) for item in doctor_machine.judge_packages("x", required, pins, have)]

    assert [state for state, _ in judge({"one": "2.5", "two": "1.10"})] == [OK]
    assert judge({"one": "2.4", "two": "1.10.0"})[0][0] == WARN
    assert judge({"one": "3.0", "two": "1.10"}) == [(FAIL, "outside the allowed range: one 3.0 (>=2,<3)")]
    assert judge({"two": "1.10"}) == [(FAIL, "missing: one")]


def test_the_real_requirements_are_read() -> None:
    base, test = doctor_machine.wanted(), doctor_machine.wanted("test")
    assert {"click", "psutil", "gradio", "python-multipart"} <= base.keys() and "pytest" not in base
    assert "pytest" in test and "click" not in test
    assert doctor_machine.pinned()["click"] and doctor_machine.installed()["fastapi-offline"]


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_tightest_limit_of_a_container_counts(tmp_path: Path) -> None:
    stat = "anon 5\ninactive_file 100\n"
    _write(tmp_path / "a", memory__max="1000\n", memory__current="700\n", memory__stat=stat)
    _write(tmp_path / "a" / "b", memory__max="max\n", memory__current="600\n", memory__stat=stat)
    assert doctor_machine.cgroup_free("0::/a/b\n", tmp_path) == 400
    assert doctor_machine.cgroup_free("0::/elsewhere\n", tmp_path) is None
    old = {"memory__limit_in_bytes": "500", "memory__usage_in_bytes": "450"}
    _write(tmp_path / "memory" / "c", **old, memory__stat="total_inactive_file 20\n")
    assert doctor_machine.cgroup_free("4:cpu,memory:/c\n0::/a/b\n", tmp_path) == 70
    _write(tmp_path / "memory" / "d", **{**old, "memory__limit_in_bytes": str(1 << 63)}, memory__stat="")
    assert doctor_machine.cgroup_free("4:memory:/d\n", tmp_path) is None


@pytest.mark.fault(22)
def test_a_file_system_that_grants_every_lock_fails(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context({"home": str(launch.home)})
    assert [item.state for item in doctor_instance.check_locks(context)] == [OK]
    monkeypatch.setattr(fcntl, "flock", lambda fd, how: None)
    (found,) = doctor_instance.check_locks(context)
    assert found.state == FAIL and "twice" in found.text and not list(launch.home.iterdir())


def test_the_type_of_a_file_system_is_that_of_its_nearest_mount(tmp_path: Path) -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:5 / {tmp_path.resolve()}/a\\040b rw shared:1 - nfs4 server:/x rw\n"
    )
    folder = tmp_path / "a b" / "c"
    folder.mkdir(parents=True)
    assert doctor_instance.file_system(folder, mounts) == "nfs4"
    assert doctor_instance.file_system(tmp_path, mounts) == "ext4"


def test_a_defect_in_a_check_is_a_finding(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def broken(context: Context) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(doctor_machine, "check_memory", broken)
    doctor.main(["machine", "{}"])
    out = capsys.readouterr().out
    assert "ZeroDivisionError: oops" in out and '{"done": "locale"}' in out


def test_every_check_that_is_listed_exists() -> None:
    modules = {"machine": doctor_machine, "gpu": doctor_gpu, "instance": doctor_instance}
    for group, module in modules.items():
        assert all(callable(getattr(module, f"check_{name}")) for name in doctor.GROUPS[group])


def test_children_end_with_the_deadline_and_their_words_are_kept() -> None:
    began = time.monotonic()
    script = "echo first; exec sleep 600"
    hung, quick, absent = run_all([["sh", "-c", script], ["sh", "-c", "echo x; exit 3"], ["/no/such"]], 0.5)
    assert time.monotonic() - began < 15
    assert (hung.code, hung.text) == (None, "first\n") and (quick.code, quick.text) == (3, "x\n")
    assert absent.code == 127


def test_no_message_of_one_area_hides_another_areas() -> None:
    from launcher import messages, messages_models, messages_supervisor

    areas = [messages_models.MESSAGES, messages_supervisor.MESSAGES, messages_tools.MESSAGES]
    for index, area in enumerate(areas):
        for other in areas[:index]:
            assert not area.keys() & other.keys()
    assert messages_doctor.MESSAGES.keys() <= messages_tools.MESSAGES.keys() <= messages.MESSAGES.keys()
