"""NVIDIA GPUs as their driver sees them: names, memory, and which process holds it (NVML through ctypes).

The driver is asked in a child with a deadline (``python -m launcher.gpu``): a call into a stuck driver never
returns. Where there is no driver library no child is started. Sizes are bytes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .messages import say

if TYPE_CHECKING:
    import ctypes

LIBRARY = "libnvidia-ml.so.1"
NO_LIBRARY, NO_ANSWER = -1, -2  # beside NVML's own codes, which begin at 0
_UNKNOWN = (1 << 64) - 1  # NVML_VALUE_NOT_AVAILABLE
_TOO_SMALL = 7  # NVML_ERROR_INSUFFICIENT_SIZE


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with memory on a GPU; ``memory`` is None where the driver does not say (WSL)."""

    pid: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; ``total`` and ``free`` are None where the driver does not say."""

    index: int
    name: str
    total: int | None
    free: int | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """What the driver answered; ``code`` is 0, an NVML error, NO_LIBRARY or NO_ANSWER."""

    code: int
    version: str = ""
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """GPU memory that a process holds: ``alive`` tells a process that did not end from one that has."""

    gpu: Gpu
    pid: int
    memory: int | None
    alive: bool


def is_installed() -> bool:
    """Whether the driver's library is there; asks nothing of the driver itself."""
    import ctypes

    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def look(seconds: float = 3.0) -> Driver:
    """Ask the driver, for at most ``seconds``."""
    if not is_installed():
        return Driver(NO_LIBRARY)
    from .children import run_all

    (ended,) = run_all([[sys.executable, "-P", "-m", "launcher.gpu"]], seconds)
    try:
        return from_json(json.loads(ended.text))
    except (ValueError, KeyError, TypeError):
        return Driver(NO_ANSWER)


def memory_of(driver: Driver) -> dict[int, int]:
    """Bytes by pid, over all GPUs; pids whose share the driver does not tell are not in it."""
    total: dict[int, int] = {}
    for gpu in driver.gpus:
        for holder in gpu.holders:
            if holder.memory is not None:
                total[holder.pid] = total.get(holder.pid, 0) + holder.memory
    return total


def still_held(pids: Collection[int], wait: float = 0.0) -> list[Held]:
    """GPU memory that ``pids`` still hold, after at most ``wait`` seconds in which the driver may free it."""
    from .identity import Identity

    if not pids or not is_installed():
        return []
    deadline = time.monotonic() + wait
    while True:
        found = [
            Held(gpu, holder.pid, holder.memory, Identity.of(holder.pid) is not None)
            for gpu in look().gpus
            for holder in gpu.holders
            if holder.pid in pids
        ]
        if not found or time.monotonic() >= deadline:
            return found
        time.sleep(0.1)


def held_lines(pids: Collection[int], wait: float = 1.0) -> list[str]:
    """``still_held`` in words, a line each; empty where all is free or there is no GPU."""
    return [line_of(item) for item in still_held(pids, wait)]


def line_of(item: Held) -> str:
    """One sentence that names GPU, pid and size, and says what to do."""
    return say(
        "gpu_held_alive" if item.alive else "gpu_held_dead",
        index=item.gpu.index,
        name=item.gpu.name,
        pid=item.pid,
        megabytes="?" if item.memory is None else round(item.memory / 1e6),
    )


def from_json(data: dict[str, Any]) -> Driver:
    """Inverse of what the child prints."""
    gpus = tuple(
        Gpu(**{**item, "holders": tuple(Holder(*pair) for pair in item["holders"])}) for item in data["gpus"]
    )
    return Driver(data["code"], data["version"], gpus)


# ---- in the child


def ask() -> dict[str, Any]:
    """The driver's answer as JSON data; may hang for ever, or crash with the driver."""
    import ctypes

    answer: dict[str, Any] = {"code": NO_LIBRARY, "version": "", "gpus": []}
    try:
        nvml = ctypes.CDLL(LIBRARY)
    except OSError:
        return answer
    answer["code"] = nvml.nvmlInit_v2()
    if answer["code"] == 0:
        count = ctypes.c_uint()
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        answer["version"] = _text(nvml.nvmlSystemGetDriverVersion)
        answer["gpus"] = [_gpu(nvml, index) for index in range(count.value)]
    return answer


def _text(function: Any, *arguments: Any) -> str:
    import ctypes

    buffer = ctypes.create_string_buffer(96)
    return buffer.value.decode("utf-8", "replace") if function(*arguments, buffer, 96) == 0 else ""


def _gpu(nvml: ctypes.CDLL, index: int) -> dict[str, Any]:
    import ctypes

    device = ctypes.c_void_p()
    found = {"index": index, "name": "?", "total": None, "free": None, "holders": []}
    if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) != 0:
        return found  # fallen off the bus, or not for this user
    found["name"] = _text(nvml.nvmlDeviceGetName, device)
    memory = (ctypes.c_ulonglong * 3)()  # total, free, used
    if nvml.nvmlDeviceGetMemoryInfo(device, memory) == 0:
        found["total"], found["free"] = memory[0], memory[1]
    found["holders"] = _holders(nvml, device)
    return found


def _holders(nvml: ctypes.CDLL, device: ctypes.c_void_p) -> list[tuple[int, int | None]]:
    import ctypes

    class Process(ctypes.Structure):
        """nvmlProcessInfo_t, versions 2 and 3."""

        _fields_ = (
            ("pid", ctypes.c_uint),
            ("memory", ctypes.c_ulonglong),
            ("instance", ctypes.c_uint),
            ("compute", ctypes.c_uint),
        )

    found: dict[int, int | None] = {}
    for kind in ("Compute", "Graphics"):
        names = (f"nvmlDeviceGet{kind}RunningProcesses_v{version}" for version in (3, 2))
        function = next((getattr(nvml, name) for name in names if hasattr(nvml, name)), None)
        count, room = ctypes.c_uint(0), 64
        while function:
            processes, count = (Process * room)(), ctypes.c_uint(room)
            code = function(device, ctypes.byref(count), processes)
            if code == 0:
                pairs = ((item.pid, item.memory) for item in processes[: count.value])
                found |= {pid: None if memory == _UNKNOWN else memory for pid, memory in pairs}
            if code != _TOO_SMALL or room > 65_536:
                break
            room = max(2 * room, count.value)
    return sorted(found.items())


if __name__ == "__main__":
    print(json.dumps(ask()))
