"""VoiceStore: which voices there are, and what a request's ``voice`` means. Uploaded clips come to stand here."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .errors import BadConfig, Invalid, NotFound
from .speech import VoiceInfo, VoiceRef

_PART = re.compile(r"([^:+]+)(?::([0-9.]+))?")
MAX_BLEND = 4


class VoiceStore:
    """The built-in voices of one engine."""

    def __init__(self, builtin: Sequence[VoiceInfo], default: str = "") -> None:
        self._voices = {voice.id: voice for voice in builtin}
        self.default = default or builtin[0].id
        if self.default not in self._voices:
            raise BadConfig("bad_config", name="default_voice", reason=f"there is no voice '{self.default}'")

    def all(self) -> Sequence[VoiceInfo]:
        """In the engine's order: best first for each language."""
        return list(self._voices.values())

    def info(self, voice: str) -> VoiceInfo:
        """The voice that speaks loudest in ``voice``. Raises NotFound or Invalid."""
        loudest = max(self.resolve(voice), key=lambda ref: ref.weight)
        return self._voices[loudest.key]

    def resolve(self, voice: str) -> tuple[VoiceRef, ...]:
        """``id``, or a blend ``a+b``, ``a:0.7+b:0.3``; "" is the default. Weights are made to sum to 1.

        Raises:
            NotFound: a voice that does not exist.
            Invalid: a blend that cannot be read, or has more than four parts.
        """
        parts = (voice.strip() or self.default).split("+")
        if len(parts) > MAX_BLEND:
            raise Invalid("bad_value", param="voice", reason=f"blends at most {MAX_BLEND} voices")
        named = [self._part(part) for part in parts]
        total = sum(weight for _, weight in named)
        if not (math.isfinite(total) and total > 0):
            raise Invalid("bad_value", param="voice", reason="needs weights above 0, as in 'a:0.7+b:0.3'")
        return tuple(VoiceRef("builtin", key, round(weight / total, 6)) for key, weight in named)

    def _part(self, part: str) -> tuple[str, float]:
        match = _PART.fullmatch(part.strip())
        key = match.group(1).strip() if match else part.strip()
        if key not in self._voices:
            raise NotFound("voice_not_found", param="voice", voice=key[:64])
        try:
            return key, float(match.group(2)) if match and match.group(2) else 1.0
        except ValueError as error:
            raise Invalid("bad_value", param="voice", reason="has a weight that is no number") from error
