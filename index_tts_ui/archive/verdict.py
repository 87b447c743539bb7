"""Verdict: whether this release can live with unpacked state, and what its owner should know of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from .. import config, dictionary, library
from ..auth.keys import KeyStore
from ..errors import BadConfig
from . import parts
from .manifest import Manifest
from .refused import Refused

Notice = tuple[str, dict[str, str]]  # a key of the launcher's sentences, and its facts


def check(folder: Path, manifest: Manifest) -> list[Notice]:
    """Look at everything before anything is put in place.

    Raises:
        Refused: something is of a newer release, or is not what its name says.
    """
    for entry in manifest.entries:
        if entry.name.startswith("voices/clips/") and Path(entry.name).stem != entry.sha256:
            raise Refused("backup_damaged", path=folder, name=entry.name)
    _document(folder / "dictionary.json", dictionary.VERSION)
    _document(folder / "voices/library.json", library.VERSION, library.Shelf.from_json)
    for name, newest in parts.DATABASES.items():
        _database(folder / name, newest)
    if (folder / "keys.json").exists():
        try:
            _ = KeyStore(folder / "keys.json").ring
        except BadConfig as error:
            raise Refused("backup_bad_part", name="keys.json", reason=error.facts["reason"]) from error
    return [*_settings(folder), *_models(manifest)]


def _document(path: Path, newest: int, parse: Any = lambda data: data) -> None:
    if not path.exists():
        return
    try:
        data = json.loads(path.read_text("utf-8"))
        version = int(data["version"])
        if version <= newest:
            parse(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("backup_bad_part", name=path.name, reason=error) from error
    if version > newest:
        raise Refused("backup_newer_part", name=path.name, version=version, known=newest)


def _database(path: Path, newest: int) -> None:
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as db:
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise Refused("backup_bad_part", name=path.name, reason=error) from error
    if said != "ok":
        raise Refused("backup_bad_part", name=path.name, reason=said)
    if version > newest:
        raise Refused("backup_newer_part", name=path.name, version=version, known=newest)


def _settings(folder: Path) -> Iterator[Notice]:
    """Settings that mean something only where they were written."""
    if not (folder / "tts.toml").exists():
        return
    try:
        found = config.load({"home": str(folder)}, {}, lambda line: None)
    except BadConfig as error:
        yield "backup_bad_settings", {"reason": error.message()}
        return
    files = found.listed("tls") if "," in found.tls else ()
    for name in (*files, *(() if found.jwt_keys.startswith("https:") else found.listed("jwt_keys"))):
        if not Path(name).is_file():
            yield "backup_path_absent", {"path": name}
    if found.home and found.home_dir != folder.resolve():
        yield "backup_home_set", {"home": found.home}


def _models(manifest: Manifest) -> Iterator[Notice]:
    for model in manifest.models:
        if not model.included:
            yield "backup_model_absent", {"model": model.model}
