"""``python -m index_tts_ui.admin backup|restore``: one JSON object on standard output.

``tts-launch backup`` and ``tts-launch restore`` run it; the latter holds the locks of the home's instances.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from . import maker, parts
from .refused import Refused


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``backup`` takes."""
    parser.add_argument("--home", required=True)
    parser.add_argument("--to", required=True, help="a file, or a folder")
    parser.add_argument("--without", action="append", default=[], choices=parts.USUAL)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--overwrite", action="store_true")


def restore_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``restore`` takes."""
    parser.add_argument("--home", required=True)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--replace", action="store_true")
    parser.add_argument("--check", action="store_true")


def run(given: argparse.Namespace) -> int:
    """Exit code 0, or 1 with ``{"error": key, "facts": {...}}``."""
    os.umask(0o027)  # as the server's
    try:
        print(json.dumps(_backup(given) if given.command == "backup" else _restore(given)), flush=True)
        return 0
    except Refused as error:
        print(json.dumps({"error": error.key, "facts": error.facts}), flush=True)
        return 1


def _backup(given: argparse.Namespace) -> dict[str, Any]:
    wanted = [part for part in parts.USUAL if part not in given.without]
    wanted += [parts.MODELS] if given.models else []
    path, made = maker.make(Path(given.home), Path(given.to), wanted, given.overwrite)
    return {"path": str(path), "size": path.stat().st_size, **made.facts()}


def _restore(given: argparse.Namespace) -> dict[str, Any]:
    from . import restorer  # it knows libraries and keys, whose modules take their time

    source = Path(given.source)
    if given.check:
        return {**restorer.look(source), "aside": None, "notices": []}
    return restorer.restore(Path(given.home), source, given.replace)
