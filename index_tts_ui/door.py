"""Door: what a request must be to be let in. Each check raises; what is let in needs no second look."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from . import parameters
from .emotions import MAX_TEXT, MAX_WEIGHT
from .engines import EngineSpec
from .errors import Invalid
from .reading_door import ReadingDoor
from .speech import EMOTIONS, Emotion, SpeechRequest

SPEED = (0.25, 4.0)
MAX_TIMEOUT = 86_400  # seconds
ClipKey = Callable[[str, str], str]  # of a voice or clip, and the parameter that names it


class Door:
    """``can`` tells whether the engine has a feature now; ``clip_key`` finds a clip or raises NotFound."""

    def __init__(
        self,
        engine: str,
        spec: EngineSpec,
        can: Callable[[str], bool],
        clip_key: ClipKey,
        readings: ReadingDoor,
    ) -> None:
        self._engine = engine
        self._readings = readings
        self._spec = spec
        self._can = can
        self._clip_key = clip_key

    def checked(self, request: SpeechRequest) -> SpeechRequest:
        """``request`` with its emotion and parameters as an engine takes them. Raises Invalid or NotFound."""
        check_number("speed", request.speed, *SPEED)
        if request.speed != 1.0 and not self._can("speed"):
            raise Invalid("unsupported", param="speed", engine=self._engine, what="another speed than 1")
        if request.timeout is not None and not (
            math.isfinite(request.timeout) and 0 < request.timeout <= MAX_TIMEOUT
        ):
            raise Invalid(
                "bad_value", param="timeout", reason=f"must be seconds, above 0 and at most {MAX_TIMEOUT}"
            )
        self.check_language(request.language)
        if request.glossary:
            request = replace(request, glossary=self._readings.glossary(request.glossary))
        if not request.params and request.emotion is None:
            return request
        params = parameters.checked(request.params, self._engine, self._spec.parameters)
        return replace(request, params=params, emotion=self._emotion(request.emotion))

    def check_language(self, language: str) -> None:
        """Raises Invalid for a language that the engine does not speak."""
        if language and language not in self._spec.languages:
            known = ", ".join(f"'{name}'" for name in self._spec.languages)
            raise Invalid("bad_value", param="language", reason=f"must be one of {known}, or absent")

    def _emotion(self, emotion: Emotion | None) -> Emotion | None:
        if emotion is None:
            return None
        if not self._can("emotion"):
            raise Invalid("unsupported", param="emotion", engine=self._engine, what="emotions")
        check_number("emotion.weight", emotion.weight, 0.0, 1.0)
        given = [item for item in (emotion.vector, emotion.clip, emotion.text) if item is not None]
        if len(given) != 1:
            raise Invalid(
                "bad_value", param="emotion", reason="needs one of 'vector', 'clip' and 'text', and only one"
            )
        if emotion.random and emotion.vector is None:
            raise Invalid("bad_value", param="emotion.random", reason="goes with a vector only")
        if emotion.vector is not None:
            return replace(emotion, vector=_vector(emotion.vector))
        if emotion.clip is not None:
            return replace(emotion, clip=self._clip_key(emotion.clip, "emotion.clip"))
        return replace(emotion, text=self._description(emotion.text or ""))

    def _description(self, text: str) -> str:
        if not self._can("emotion_text"):
            what = "an emotion in words; use a vector or a clip"
            raise Invalid("unsupported", param="emotion.text", engine=self._engine, what=what)
        text = text.strip()
        if not text:
            raise Invalid("missing_value", param="emotion.text")
        if len(text) > MAX_TEXT:
            raise Invalid("value_too_long", param="emotion.text", limit=MAX_TEXT)
        return text


def _vector(vector: tuple[float, ...]) -> tuple[float, ...]:
    if len(vector) != len(EMOTIONS):
        reason = f"must be {len(EMOTIONS)} numbers: {', '.join(EMOTIONS)}"
        raise Invalid("bad_value", param="emotion.vector", reason=reason)
    for weight in vector:
        check_number("emotion.vector", weight, 0.0, MAX_WEIGHT)
    return tuple(float(weight) for weight in vector)


def check_number(param: str, value: float, low: float, high: float) -> None:
    """Raises Invalid where ``value`` is not within ``low`` to ``high``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not (number and low <= value <= high):
        raise Invalid("bad_value", param=param, reason=f"must be a number from {low:g} to {high:g}")
