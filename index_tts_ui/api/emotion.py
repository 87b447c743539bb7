"""A request's emotion: a preset's name, or an object; and what OpenAI's ``instructions`` become."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from .. import emotions
from ..errors import Invalid
from ..service import SpeechService
from ..speech import EMOTIONS, Emotion
from .fields import Body, Number, Text

PLAIN = ("", "calm")  # how an engine without emotions speaks anyway


Slider = Annotated[Number, Field(ge=0.0, le=1.0)]


class EmotionBody(Body):
    """One of `name`, `vector`, `sliders`, `clip` and `text`; `mode` may say which, for clarity."""

    model_config = ConfigDict(extra="forbid")  # a control that is mistyped must not pass unnoticed

    mode: Literal["name", "vector", "sliders", "clip", "text"] | None = None
    name: Text | None = Field(
        None, max_length=64, description="A preset: happy, angry, ... or 喜悦, 愤怒, ..."
    )
    vector: tuple[Number, ...] | None = Field(
        None, description=f"Eight weights from 0 to {emotions.MAX_WEIGHT}: {', '.join(EMOTIONS)}."
    )
    sliders: tuple[Slider, ...] | None = Field(
        None,
        min_length=len(EMOTIONS),
        max_length=len(EMOTIONS),
        description="The same eight from 0 to 1, as the page's sliders: damped to what the model bears.",
    )
    clip: Text | None = Field(
        None, max_length=256, description="Speak as in this clip: `clip:<sha256>`, or an uploaded voice."
    )
    text: Text | None = Field(None, max_length=4096, description="In words, where the engine can.")
    weight: Number = Field(1.0, description="0 to 1: how much of it.")
    random: bool = Field(False, description="With a vector: any of the model's samples, by the seed.")


def _object(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


EmotionField = Annotated[
    EmotionBody,
    BeforeValidator(_object),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/EmotionBody"}],
            "description": "A preset's name (happy, 喜悦, ...), or an object.",
        }
    ),
]


def emotion_named(service: SpeechService, name: str) -> Emotion | None:
    """The preset of that name; None is the plain voice. Raises Invalid."""
    found = emotions.named(name)
    if found is None or service.can("emotion"):
        return found
    if emotions.find(name) in PLAIN:
        return None
    what = f"the emotion {emotions.find(name)}; neutral and calm work"
    raise Invalid("unsupported", param="emotion", engine=service.engine, what=what)


def emotion_asked(service: SpeechService, body: EmotionBody | None) -> Emotion | None:
    """What the service is asked for. Raises Invalid; the service checks the values."""
    if body is None:
        return None
    if body.mode is not None and getattr(body, body.mode) is None:
        raise Invalid("missing_value", param=f"emotion.{body.mode}")
    if body.sliders is not None and body.vector is not None:
        raise Invalid("bad_value", param="emotion", reason="has sliders already: leave out vector")
    vector = body.vector if body.sliders is None else emotions.bearable(body.sliders)
    asked = Emotion(vector, body.clip, body.text, body.weight, body.random)
    if body.name is None:
        return asked
    if (vector, body.clip, body.text) != (None, None, None):
        raise Invalid(
            "bad_value",
            param="emotion",
            reason="has a name already: leave out vector, sliders, clip and text",
        )
    preset = emotion_named(service, body.name)
    return preset and replace(preset, weight=body.weight, random=body.random)


def emotion_instructed(service: SpeechService, instructions: str) -> tuple[Emotion | None, bool]:
    """What ``instructions`` become, and whether they are followed: as a description, else as a preset's name."""
    words = instructions.strip()
    if service.can("emotion_text") and 0 < len(words) <= emotions.MAX_TEXT:
        return Emotion(text=words), True
    if not service.can("emotion") or emotions.find(words) is None:
        return None, not words
    return emotions.named(words), True
