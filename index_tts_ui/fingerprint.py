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
from .speech import Owner, Piece, SpeechRequest, VoiceRef

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def asked(request: SpeechRequest, voices: Sequence[VoiceRef]) -> str:
    """What a caller asked for, whatever speaks it."""
    return _hash({"text": request.text, "language": request.language, **_manner(request, voices)})


def sound(
    request: SpeechRequest,
    voices: Sequence[VoiceRef],
    pieces: Sequence[Piece],
    engine: Mapping[str, Any],
    model: str,
) -> str:
    """What it would sound like: ``engine`` is what that says of itself, ``model`` tells its weights.

    The pieces stand for the text: a reading that was changed in the dictionary is another sound.
    """
    said = [(piece.text, piece.spoken, piece.language, piece.pause_after) for piece in pieces]
    return _hash({"pieces": said, "engine": dict(engine), "model": model, **_manner(request, voices)})


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


def _manner(request: SpeechRequest, voices: Sequence[VoiceRef]) -> dict[str, Any]:
    return {
        "voices": [asdict(voice) for voice in voices],
        "speed": request.speed,
        "emotion": None if request.emotion is None else asdict(request.emotion),
        "seed": request.seed,
        "params": dict(request.params),
    }


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
