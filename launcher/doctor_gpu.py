"""The doctor's checks of the GPU: what the driver says, and what torch says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from . import gpu
from .doctor import FAIL, OK, WARN, Context, Finding, finding

FEW = 2 << 30  # bytes of free GPU memory that are little for a speech model
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # PCI vendor; PCI class: display controller
# NVML's error: the message of the fix
_FIXES = {
    4: "mend_gpu_permission",
    9: "mend_gpu_module",
    15: "mend_gpu_lost",
    16: "mend_gpu_lost",
    18: "mend_gpu_mismatch",
}


def check_gpu(context: Context) -> Iterator[Finding]:
    """Asks in this process: the doctor's own deadline covers it."""
    yield from judge_gpu(gpu.from_json(gpu.ask()), has_card(Path("/sys/bus/pci/devices")))


def judge_gpu(driver: gpu.Driver, card: bool) -> Iterator[Finding]:
    """``card``: an NVIDIA card is plugged in, whatever the driver says."""
    if driver.code == gpu.NO_LIBRARY:
        if card:
            yield finding("gpu", WARN, "doctor_no_driver", "mend_no_driver")
        else:
            yield finding("gpu", OK, "doctor_no_gpu")
        return
    if driver.code != 0:
        fix = _FIXES.get(driver.code, "mend_gpu_other")
        yield finding("gpu", FAIL, "doctor_gpu_error", fix, code=driver.code)
        return
    if not driver.gpus:
        yield finding("gpu", OK, "doctor_no_gpu")
    for item in driver.gpus:
        facts: dict[str, Any] = {
            "index": item.index,
            "name": item.name,
            "driver": driver.version,
            "free": _gigabytes(item.free),
            "total": _gigabytes(item.total),
            "pids": ", ".join(str(holder.pid) for holder in item.holders) or "?",
        }
        if item.free is not None and item.free < FEW:
            yield finding("gpu", WARN, "doctor_gpu", "mend_gpu_full", **facts)
        else:
            yield finding("gpu", OK, "doctor_gpu", **facts)


def _gigabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e9:.1f}"


def has_card(devices: Path) -> bool:
    """Whether the PCI bus has an NVIDIA display controller."""
    try:
        return any(
            (device / "vendor").read_text().strip() == _NVIDIA
            and (device / "class").read_text().startswith(_DISPLAY)
            for device in devices.iterdir()
        )
    except OSError:
        return False


def torch_command() -> list[str]:
    """The child that imports torch; where torch is not installed, one that says so at once."""
    try:
        metadata.version("torch")
    except metadata.PackageNotFoundError:
        return [sys.executable, "-S", "-c", "print('{}')"]
    return [sys.executable, "-P", "-m", "index_tts_ui.admin", "probe", "--json"]


def judge_torch(text: str) -> Iterator[Finding]:
    """``text``: what ``python -m index_tts_ui.admin probe --json`` printed."""
    lines = [line for line in text.splitlines() if line.startswith("{")]  # libraries may print around it
    data: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    torch = data.get("torch")
    if not torch:
        yield finding("torch", OK, "doctor_no_torch")
    elif error := torch.get("error"):
        yield finding("torch", FAIL, "doctor_torch_error", "mend_torch_error", error=error)
    elif torch["cuda"] and torch["devices"]:
        names = ", ".join(device["name"] for device in torch["devices"])
        facts = {"version": torch["version"], "cuda": torch["cuda"], "names": names}
        old = [device["name"] for device in torch["devices"] if not device["supported"]]
        if old:
            yield finding(
                "torch", WARN, "doctor_torch_arch", "mend_torch_arch", **{**facts, "names": ", ".join(old)}
            )
        else:
            yield finding("torch", OK, "doctor_torch", **facts)
    elif not gpu.is_installed():
        yield finding("torch", OK, "doctor_torch_cpu", version=torch["version"])
    else:
        key = "mend_torch_blind" if torch["cuda"] else "mend_torch_build"
        yield finding("torch", WARN, "doctor_torch_cpu", key, version=torch["version"])
