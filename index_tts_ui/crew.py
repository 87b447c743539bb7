"""The workers of this machine: what each is started with."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import devices, engines
from .config import Config
from .devices import Device
from .engines import EngineSpec
from .plan import WorkerPlan

BACKUP_OPTION = "backup."


def options(config: Config, backup: bool = False) -> list[str]:
    """The engine's options; the backup's are those that begin with ``backup.``."""
    given = [f"{key}={value}" for key, value in config.options()]
    mine = [option for option in given if option.startswith(BACKUP_OPTION) == backup]
    return [option.removeprefix(BACKUP_OPTION) for option in mine]


def plans(config: Config, engine: str, lock_fd: int | None) -> list[WorkerPlan]:
    """One worker per device."""
    spec = engines.spec_of(engine)
    arguments = ["--engine", engine, "--model-dir", str(config.cache_hub / (spec.model or engine))]
    arguments += ["--threads", str(config.threads), "--max-rows", str(config.max_batch_size)]
    arguments += ["--extra", ",".join(options(config)), "--clips", str(config.voices / "clips")]
    arguments += ["--memory-mb", str(config.device_memory_mb)]
    arguments += ["--log-level", config.log_level, "--log-format", config.log_format]
    keep_fds = () if lock_fd is None else (lock_fd,)
    return [
        WorkerPlan(
            [*arguments, "--device", device.argument],
            keep_fds,
            config.worker_memory_mb,
            device.name,
            {**_threads(spec, device), **device.environ},
            str(config.home_dir),
        )
        for device in devices.chosen(config.device, spec.devices)
    ]


def _threads(spec: EngineSpec, device: Device) -> Mapping[str, str]:
    """A model of a GPU works with one thread of the processor, which more would only disturb. On the processor it is
    best with all that there are, and sessions of onnxruntime count their own. What the user set holds."""
    own = os.environ.get("OMP_NUM_THREADS")
    if own is None and spec.devices == "cuda" and device.argument == "cpu":
        return {}
    return {"OMP_NUM_THREADS": own or "1"}
