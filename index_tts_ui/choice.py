"""Which engine ``auto`` stands for on this machine, and what keeps a better one from being it."""

from __future__ import annotations

import importlib.util
import logging

from . import devices, engines
from .config import Config
from .errors import TTSError

log = logging.getLogger("tts.choice")

PACKAGES = {"indextts2.5": "indextts25", "indextts2": "indextts"}  # modules of the extra
_WEIGHTS = ("config.yaml", "gpt.pth")  # a model that has these was fetched or adopted


def choose(config: Config) -> str:
    """The engine that ``config`` names; of ``auto`` the best that has a GPU, its packages and its weights, or
    ``remote`` where there are upstreams: they need not have the same model.

    Raises:
        BadConfig: no engine of that name, or a plugin that cannot be used.
    """
    if config.engine == "auto" and config.upstreams:
        return "remote"
    if config.engine == "auto":
        engine = next((name for name in engines.AUTO if not against(config, name)), engines.AUTO[-1])
        engines.find(engine)
        why = against(config, engines.AUTO[0])
        log.info("engine: %s (auto)%s", engine, f"; {TTSError(why).message()}" if why else "")
        return engine
    engines.find(config.engine)
    return config.engine


def backup(config: Config, engine: str) -> str:
    """The engine that stands in for ``engine`` when that fails; "" where none does.

    Raises:
        BadConfig: no engine of that name.
    """
    wanted = config.backup
    if wanted == "auto":
        spec = engines.REGISTRY["kokoro"]
        there = engine in (*PACKAGES, "remote") and (config.cache_hub / spec.model / "model.onnx").is_file()
        return "kokoro" if there else ""
    if wanted in ("", "none", engine):
        return ""
    engines.find(wanted, "backup", ("auto", "none"))
    return wanted


def hint(config: Config, engine: str) -> str:
    """How to get a better engine than ``engine``: a code of ``errors.MESSAGES``, or "" where it is the best.

    Of several better engines the first that lacks nothing, or else what the best one lacks.
    """
    if engine not in engines.AUTO:
        return ""
    better = engines.AUTO[: engines.AUTO.index(engine)]
    reasons = [against(config, name) for name in better if name in PACKAGES]
    if not reasons or "indextts2.5" not in better:
        return ""
    return "indextts_waits" if "" in reasons else reasons[0]


def against(config: Config, engine: str) -> str:
    """Why ``auto`` passes ``engine`` over: a code of ``errors.MESSAGES``; "" where nothing is in its way."""
    if engine not in PACKAGES:
        return ""
    if config.device == "cpu" or not devices.gpu_answers():
        return "indextts_no_gpu"
    if importlib.util.find_spec(PACKAGES[engine]) is None or not devices.gpu_usable():
        return "indextts_no_packages"
    folder = config.cache_hub / engines.REGISTRY[engine].model
    if not all((folder / name).is_file() for name in _WEIGHTS):
        return "indextts_no_weights"
    return ""
