"""The model catalogues: data files that say which files a model has, how large, with which sha256, from where.

What is not known of a file stays absent there; such a file is judged by its structure, and by the size and
sha256 that were recorded when it came (``hub.record``).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import plugins
from .errors import BadArguments

CATALOGUES = Path(__file__).parent / "catalogue"

# engine: the catalogue of its model; "" needs none. One that is absent here is a plugin's, or the server's to judge.
ENGINES: dict[str, str] = {
    "kokoro": "kokoro",
    "indextts2.5": "indextts2.5",
    "indextts2": "indextts2",
    "voxcpm2": "voxcpm2",
    "voxcpm1.5": "voxcpm1.5",
    "piper": "piper",
    "remote": "",
    "tone": "",
    "tone-clone": "",
}
# what engine=auto may choose, best first; the last can always be had. A test compares it with the server.
AUTO: tuple[str, ...] = ("indextts2.5", "indextts2", "kokoro")
PACKAGES: dict[str, str] = {
    "indextts2.5": "indextts25",
    "indextts2": "indextts",
}  # modules, where an extra brings them


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model. ``name`` is relative to the model's folder; ``sources`` are tried in order.

    A name with ``/snapshots/main/`` in it is in a hub cache: see ``hub.places``.
    """

    name: str
    size: int | None  # bytes; None where it is not known beforehand
    sha256: str  # "" where it is not known beforehand
    sources: tuple[dict[str, Any], ...]
    kind: str = ""  # of hub.formats; "" by the name's ending
    required: bool = True  # a model works without the others
    keys: tuple[str, ...] = ()  # that must be at the top of a YAML file


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One model."""

    model: str
    description: str
    licence: str
    licence_url: str  # where it can be read; "" where nobody needs to accept anything
    upstream: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)


def names() -> list[str]:
    """Models that have a catalogue, those of plugins last."""
    own = _built_in()
    return own + [name for name in plugins.catalogues() if name not in own]


def _built_in() -> list[str]:
    """The files beside them have an underscore."""
    return sorted(path.stem for path in CATALOGUES.glob("*.json") if "_" not in path.stem)


def model_of(engine: str) -> str:
    """The model that an engine needs; "" for none. A plugin's has the engine's name, where there is a catalogue."""
    if engine in ENGINES:
        return ENGINES[engine]
    return engine if engine in plugins.engines() and engine in names() else ""


@functools.cache
def load(model: str) -> Catalogue:
    """Raises BadArguments for an unknown model, naming the known ones; NotConfigured for a plugin's bad file."""
    if model in _built_in():
        return _read(CATALOGUES / f"{model}.json")
    if model not in names():
        raise BadArguments("unknown_model", model=model, known=", ".join(names()))
    try:
        return _read(plugins.catalogue(model), model)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise plugins.bad_catalogue(model, error) from error


def _read(path: Path, model: str = "") -> Catalogue:
    """``model``: the name that it must have."""
    data = json.loads(path.read_text("utf-8"))
    if model and data["model"] != model:
        raise ValueError(f"model is {data['model']!r}")
    files = tuple(_file(item, data["shared_sources"], path.parent) for item in data["files"])
    texts = (data["description"], data["licence"], data.get("licence_url", ""))
    return Catalogue(data["model"], *texts, tuple(data["upstream"]), files)


def _file(item: dict[str, Any], shared: dict[str, Any], folder: Path) -> File:
    """``folder``: the catalogue's, in which shipped files are, too."""
    sources = item["sources"]
    sources = shared[sources] if isinstance(sources, str) else sources
    shipped = [
        {**source, "path": str(folder / source["path"])} if source["kind"] == "shipped" else source
        for source in sources
    ]
    return File(
        name=item["name"],
        size=item.get("size"),
        sha256=item.get("sha256", ""),
        sources=tuple(shipped),
        kind=item.get("kind", ""),
        required=item.get("required", True),
        keys=tuple(item.get("keys", ())),
    )
