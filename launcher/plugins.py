"""Engines and model catalogues of other packages, by what they declare: nothing of theirs is imported here.

``index_tts_ui.engines`` names engines. ``index_tts_ui.catalogues`` names models: the value is the package (a
folder) in which ``<model>.json`` lies, as in ``launcher/catalogue``.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import NotConfigured

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENGINES = "index_tts_ui.engines"
CATALOGUES = "index_tts_ui.catalogues"


def engines() -> dict[str, str]:
    """Engine: the package that brings it, with its version; of two the first that an import would find."""
    return {entry.name: _package(entry) for entry in reversed(_entries(ENGINES))}


def catalogues() -> tuple[str, ...]:
    """Models that plugins have a catalogue of."""
    return tuple(sorted({entry.name for entry in _entries(CATALOGUES)}))


def catalogue(model: str) -> Path:
    """The file of a plugin's catalogue.

    Raises:
        NotConfigured: the package has no such file.
    """
    entry = next(entry for entry in _entries(CATALOGUES) if entry.name == model)
    for folder in _folders(entry.value):
        if (path := folder / f"{model}.json").is_file():
            return path
    raise NotConfigured("bad_catalogue", model=model, package=_package(entry), reason=f"{model}.json ?")


def bad_catalogue(model: str, error: Exception) -> NotConfigured:
    """What to say of a plugin's catalogue that cannot be read."""
    entry = next(entry for entry in _entries(CATALOGUES) if entry.name == model)
    reason = f"{type(error).__name__}: {error}"[:200]
    return NotConfigured("bad_catalogue", model=model, package=_package(entry), reason=reason)


def _folders(module: str) -> list[Path]:
    """Where a package is, by its name; it is found, not imported (a package inside another imports that)."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    return [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


@functools.cache
def _entries(group: str) -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # a command that needs no plugin shall not pay for it

    return tuple(entry_points(group=group))
