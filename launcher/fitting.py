"""What ``auto`` means on this machine: which engines have the hardware and the packages that they need."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from . import catalogue, gpu, models
from .messages import say
from .options import Settings


def candidates(settings: Settings, warn: Callable[[str], None] = lambda line: None) -> list[str]:
    """The engines of ``auto`` that could run here, best first; the last one always.

    An engine for GPUs is one where a driver answers, its packages are installed and some of its files are
    there. ``warn`` hears one line where only the packages or files are missing.
    """
    best, last = catalogue.AUTO[0], catalogue.AUTO[-1]
    special = [engine for engine in catalogue.AUTO if engine in catalogue.PACKAGES]
    if not special or settings.device == "cpu" or not sees_gpu():
        return [engine for engine in catalogue.AUTO if engine not in special]
    installed = [engine for engine in special if importlib.util.find_spec(catalogue.PACKAGES[engine])]
    started = [engine for engine in installed if _begun(settings, engine)]
    if not started:
        warn(say("better_engine_model" if installed else "better_engine_packages", engine=best, now=last))
    return [engine for engine in catalogue.AUTO if engine in started or engine not in special]


def best(settings: Settings) -> str:
    """The engine that a start will choose, as far as can be told before it."""
    if settings.engine != "auto":
        return settings.engine
    whole = (
        one
        for one in candidates(settings)
        if models.is_ready(settings.instance.cache_hub, models.needed_by(one))
    )
    return next(whole, catalogue.AUTO[-1])


def sees_gpu() -> bool:
    """Whether the driver answers and has a GPU."""
    return bool(gpu.look().gpus)


def _begun(settings: Settings, engine: str) -> bool:
    """Whether any of the model is there: damage is worth a line, absence is not."""
    folder = settings.instance.cache_hub / models.needed_by(engine)
    error = models.problems(models.check(folder.parent, folder.name), folder)
    return error is None or error.key != "model_missing"
