"""Fingerprints: whether two requests ask for the same, and whether they would sound the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .errors import Invalid
from .speech import Cast, Owner, Piece, SpeechRequest

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def asked(request: SpeechRequest, cast: Cast) -> str:
    """What a caller asked for, whatever speaks it, and whatever the dictionary says at the time."""
    said = {"glossary": [asdict(reading) for reading in request.glossary]} if request.glossary else {}
    plain = {} if request.dictionary else {"dictionary": False}
    words = {"text": request.text, "language": request.language, **said, **plain}
    return _hash({**words, **_manner(request, cast)})


def sound(
    request: SpeechRequest,
    cast: Cast,
    pieces: Sequence[Piece],
    engine: Mapping[str, Any],
    model: str,
) -> str:
    """What it would sound like: ``engine`` is what that says of itself, ``model`` tells its weights.

    The pieces stand for the text: a reading that was changed in the dictionary is another sound.
    """
    said = [
        (piece.text, piece.spoken, piece.language, piece.pause_before, piece.pause_after, piece.voice)
        for piece in pieces
    ]
    return _hash({"pieces": said, "engine": dict(engine), "model": model, **_manner(request, cast)})


def of_model(folder: Path, options: str) -> str:
    """Of weights and options of an engine: the list of files that was written when they were fetched."""
    try:
        manifest = (folder / "manifest.json").read_bytes()
    except OSError:
        manifest = b""
    return hashlib.sha256(manifest + b"\0" + options.encode()).hexdigest()


def of_key(key: str, owner: Owner) -> str:
    """Where the answer to an Idempotency-Key is kept; each caller has their own. Raises Invalid."""
    if not _KEY.fullmatch(key):
        reason = "must be 1 to 255 printable ASCII characters without blanks"
        raise Invalid("bad_value", param="Idempotency-Key", reason=reason)
    return _hash(["idempotency", owner.key, key])


def _manner(request: SpeechRequest, cast: Cast) -> dict[str, Any]:
    return {
        "voices": {name: [ref.to_json() for ref in refs] for name, refs in cast.items()},
        "speed": request.speed,
        "emotion": None if request.emotion is None else asdict(request.emotion),
        "seed": request.seed,
        "params": dict(request.params),
    }


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
