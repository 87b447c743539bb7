"""Which devices the workers get: the setting ``device``, read once at the start.

A worker sees its own GPU and no other (``CUDA_VISIBLE_DEVICES``), under the name ``cuda:0``: nothing that
it imports can put a context, or a tensor, on somebody else's.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .errors import BadConfig

log = logging.getLogger("tts.devices")

VISIBLE = "CUDA_VISIBLE_DEVICES"
DRIVER_SECONDS = 20.0  # to answer; the first call after boot may load the kernel's module
_GRAMMAR = re.compile(r"cuda(:\d{1,3}(,(cuda:)?\d{1,3})*)?")
_NUMBER = re.compile(r"\d+")
_NAMES = re.compile(r"[\w.:-]{1,32}(,[\w.:-]{1,32})*")
# cuInit and cuDeviceGetCount of the driver API; exit code 0: there is a device
_ASK = """
import ctypes, sys
try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError:
    sys.exit(1)
count = ctypes.c_int()
sys.exit(not (cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0))
"""


@dataclass(frozen=True)
class Device:
    """``name`` is for people, ``argument`` what the engine is told, in a process with ``environ``."""

    name: str
    argument: str
    environ: Mapping[str, str] = field(default_factory=dict)


CPU = Device("cpu", "cpu", {VISIBLE: ""})


def chosen(setting: str, can: str) -> list[Device]:
    """The devices of ``setting`` for an engine that can use ``can`` (see ``EngineSpec.devices``).

    Raises BadConfig where the setting names none.
    """
    if can == "any":
        names = "cpu" if setting == "auto" else setting
        if not _NAMES.fullmatch(names):
            raise _wrong(setting)
        return [Device(name, name) for name in _once(setting, _spelled_out(names))]
    if setting not in ("auto", "cpu") and not _GRAMMAR.fullmatch(setting):
        raise _wrong(setting)
    if can == "cpu":
        if setting not in ("auto", "cpu"):
            log.warning("this engine runs on the CPU only: device %s is not used", setting)
        return [CPU]
    if setting == "auto":
        return [_gpu(0) if gpu_usable() else CPU]
    if setting == "cpu":
        return [CPU]
    return [_gpu(int(name.partition(":")[2])) for name in _once(setting, _spelled_out(setting))]


@cache
def gpu_usable() -> bool:
    """Whether an NVIDIA GPU answers, and torch is installed in a build that can use it. Nothing is imported;
    the driver is asked in a child, since a call into a stuck one never returns."""
    return _torch_has_cuda() and gpu_answers()


@cache
def gpu_answers() -> bool:
    """Whether the driver of an NVIDIA GPU answers, whatever is installed to use it."""
    return _driver_answers()


def _driver_answers() -> bool:
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", _ASK], stdin=subprocess.DEVNULL)
    try:
        return child.wait(DRIVER_SECONDS) == 0
    except subprocess.TimeoutExpired:
        child.kill()  # it may be stuck inside the kernel: somebody else may wait for its end
        threading.Thread(target=child.wait, daemon=True, name="driver-probe").start()
        log.warning("the NVIDIA driver did not answer in %g s: the CPU is used", DRIVER_SECONDS)
        return False


def _torch_has_cuda() -> bool:
    """By the text of torch/version.py (``cuda = '12.8'``, or None): an import takes seconds."""
    spec = importlib.util.find_spec("torch")
    for folder in spec.submodule_search_locations or () if spec else ():
        try:
            text = Path(folder, "version.py").read_text("utf-8")
        except OSError:
            continue
        return re.search(r"^cuda\b[^=\n]*= *['\"]", text, re.MULTILINE) is not None
    return False


def _spelled_out(names: str) -> list[str]:
    """``cuda:0,1`` as ``cuda:0`` and ``cuda:1``; ``cuda`` is the first."""
    return [
        f"cuda:{name}" if _NUMBER.fullmatch(name) else "cuda:0" if name == "cuda" else name
        for name in names.split(",")
    ]


def _once(setting: str, names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise BadConfig("bad_config", name="device", reason=f"'{setting}' names {name} twice")
    return names


def _gpu(index: int) -> Device:
    """GPU ``index`` as its worker sees it: of those that this process may see, where that was limited;
    else in the order of their places on the bus, as nvidia-smi counts."""
    name = f"cuda:{index}"
    if VISIBLE not in os.environ:
        return Device(name, "cuda:0", {VISIBLE: str(index), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    visible = [part.strip() for part in os.environ[VISIBLE].split(",") if part.strip()]
    if index >= len(visible):
        raise BadConfig(
            "bad_config", name="device", reason=f"there is no {name}: {VISIBLE} shows {len(visible)}"
        )
    return Device(name, "cuda:0", {VISIBLE: visible[index]})


def _wrong(setting: str) -> BadConfig:
    return BadConfig(
        "bad_config", name="device", reason=f"'{setting}' is not auto, cpu, cuda:N or cuda:N,M,..."
    )
