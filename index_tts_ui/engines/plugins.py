"""Engines of other packages: entry points of the group ``index_tts_ui.engines``, each an ``EngineSpec``.

docs/engines.md shows one. What is wrong with a plugin is one line, and only when its engine is asked for.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadConfig
from ..parameters import PARAMETERS
from .base import Frontend
from .spec import DEVICES, FEATURES, READINGS, EngineSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "index_tts_ui.engines"
RESERVED = ("auto", "none")  # what the settings engine and backup mean by themselves
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # it becomes a folder of cache_hub, and a name in the API
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_ENGINE = ("load", "free", "admit", "step", "busy", "cancel", "warm", "stats", "close")
_FRONTEND = ("max_tokens", "voices", "split", "count", "unsayable")


def names() -> tuple[str, ...]:
    """The engines that plugins offer, whether they can be loaded or not."""
    return tuple(sorted({entry.name for entry in _entries()} - set(RESERVED)))


def sources(name: str) -> tuple[str, ...]:
    """The packages that offer an engine of this name; nothing of them is imported."""
    return tuple(_source(entry) for entry in _entries(name))


def load(name: str) -> EngineSpec | None:
    """The plugin's spec, looked through; None where there is no such plugin.

    Raises:
        BadConfig: it cannot be imported, is no spec or says what no engine can be, or two packages offer it.
    """
    entries = _entries(name)
    if not entries:
        return None
    if len(entries) > 1:
        raise _wrong(name, f"the packages {' and '.join(sources(name))} both bring it: remove one")
    source = _source(entries[0])
    try:
        spec: Any = entries[0].load()
    except Exception as error:  # whatever somebody else's module raises when it is imported
        raise _wrong(name, f"the package {source} cannot be imported: {_said(error)}") from error
    if not isinstance(spec, EngineSpec):
        raise _wrong(name, f"the package {source} gives a {type(spec).__name__}, not an EngineSpec")
    if fault := _fault(name, spec):
        raise _wrong(name, f"the package {source} {fault}")
    return spec


def frontend(name: str, spec: EngineSpec, model: Path) -> Frontend:
    """A plugin's frontend, made. Raises BadConfig where it cannot be, or is none."""
    try:
        made: Any = _object(spec.frontend)(*((model,) if spec.frontend_reads_model else ()))
    except BadConfig:
        raise
    except Exception as error:  # somebody else's code
        raise _wrong(name, f"its frontend cannot be made: {_said(error)}") from error
    if lacking := [part for part in _FRONTEND if not hasattr(made, part)]:
        raise _wrong(name, f"its frontend {spec.frontend} has no {', '.join(lacking)}")
    return made  # type: ignore[no-any-return]


def engine_class(name: str, spec: EngineSpec) -> Any:
    """A plugin's engine class. Raises BadConfig where it is none; ImportError where a package is missing."""
    try:
        made = _object(spec.engine)
    except AttributeError as error:
        raise _wrong(name, _said(error)) from error
    if lacking := [part for part in _ENGINE if not hasattr(made, part)]:
        raise _wrong(name, f"{spec.engine} has no {', '.join(lacking)}")
    return made


def clash(name: str) -> BadConfig:
    """What to say where a plugin takes the name of an engine that is built in."""
    packages = " and ".join(sources(name))
    return _wrong(name, f"it is built in, and the package {packages} brings another: remove that package")


def _entries(name: str = "") -> list[EntryPoint]:
    from importlib.metadata import entry_points  # not needed by a worker of a built-in engine

    there = entry_points(group=GROUP, name=name) if name else entry_points(group=GROUP)
    found = [entry for entry in there if _NAME.fullmatch(entry.name)]
    return list({(_source(entry), entry.name, entry.value): entry for entry in found}.values())


def _source(entry: EntryPoint) -> str:
    return f"'{entry.dist.name} {entry.dist.version}'" if entry.dist else f"'{entry.value}'"


def _fault(name: str, spec: EngineSpec) -> str:
    """What of a spec would fail later, and less clearly."""
    for part in ("engine", "frontend"):
        if not (isinstance(target := getattr(spec, part), str) and _TARGET.fullmatch(target)):
            return f"says {part}={target!r}, which is not 'module:Class'"
    kinds = (("features", FEATURES), ("parameters", PARAMETERS), ("readings", READINGS))
    for field, known in kinds:
        if not isinstance(getattr(spec, field), tuple):
            return f"says {field}={getattr(spec, field)!r}, which is no tuple"
        for item in getattr(spec, field):
            if item not in known:
                return f"says {field}={item!r}, which is not one of {', '.join(known)}"
    if spec.devices not in DEVICES:
        return f"says devices={spec.devices!r}, which is not one of {', '.join(DEVICES)}"
    if not (isinstance(spec.languages, tuple) and spec.languages):
        return f"says languages={spec.languages!r}, which is no tuple of languages"
    return (
        "" if spec.model in ("", name) else f"says model={spec.model!r}: it can only be {name!r}, or absent"
    )


def _object(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error) or 'nothing more is known'}"[:300]


def _wrong(name: str, reason: str) -> BadConfig:
    return BadConfig("bad_config", name="engine", reason=f"'{name}': {reason}")
