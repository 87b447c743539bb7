"""What the page's controls say, as a request of the service. It comes from a browser: nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..emotions import bearable
from ..errors import Invalid
from ..speech import EMOTIONS, Emotion, SpeechRequest

SEEDS = 2**32


class Incomplete(Exception):
    """A control that needs something has nothing; ``args[0]`` is the key of its sentence in ``i18n``."""


def speech_request(text: str, voice: str, speed: float, tuning: Any) -> SpeechRequest:
    """The request that the controls describe; ``tuning`` is what ``tts.tuning.said`` gave.

    Raises:
        Incomplete: a clip or a description that was not given.
        Invalid: what no control of the page can say.
    """
    said = tuning if isinstance(tuning, Mapping) else {}
    reference = said.get("reference")
    if reference == "":
        raise Incomplete("clip_missing")
    params = said.get("params") or {}
    if not isinstance(params, Mapping):
        raise Invalid("bad_request", reason="the parameters are no object")
    return SpeechRequest(
        text=text or "",
        voice=f"clip:{reference}" if isinstance(reference, str) else str(said.get("voice") or voice or ""),
        speed=speed,
        language=str(said.get("language") or ""),
        emotion=_emotion(said.get("emotion")),
        seed=_seed(said.get("seed", 0)),
        params=dict(params),
        fallback="any" if said.get("fallback") == "any" else "",
        wait_ready=True,
    )


def _emotion(said: Any) -> Emotion | None:
    if not isinstance(said, Mapping):
        return None
    mode, weight = said.get("mode"), said.get("weight", 1.0)
    if mode == "clip":
        if not said.get("clip"):
            raise Incomplete("emotion_clip_missing")
        return Emotion(clip=str(said["clip"]), weight=weight)
    if mode == "text":
        if not str(said.get("text") or "").strip():
            raise Incomplete("emotion_words_missing")
        return Emotion(text=str(said["text"]), weight=weight)
    if mode != "vector":
        return None
    vector = bearable(_numbers(said.get("vector")))
    return Emotion(vector=vector, weight=weight, random=said.get("random") is True) if any(vector) else None


def emotion_shown(request: SpeechRequest, tuning: Any) -> dict[str, Any]:
    """The emotion by its sliders, for the history: the request has what of it the model bears."""
    if request.emotion is None or request.emotion.vector is None:
        return {}
    weight, random = request.emotion.weight, request.emotion.random
    return {"emotion": {"sliders": tuning["emotion"]["vector"], "weight": weight, "random": random}}


def _numbers(vector: Any) -> list[float]:
    numbers = vector if isinstance(vector, list) else []
    if len(numbers) != len(EMOTIONS) or not all(isinstance(n, (int, float)) and 0 <= n <= 1 for n in numbers):
        raise Invalid(
            "bad_value", param="emotion.vector", reason=f"must be {len(EMOTIONS)} numbers from 0 to 1"
        )
    return [float(number) for number in numbers]


def _seed(seed: Any) -> int:
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < SEEDS:
        raise Invalid("bad_value", param="seed", reason=f"must be a whole number from 0 to {SEEDS - 1}")
    return seed
