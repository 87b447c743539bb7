"""The kinds of values that bodies are made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ..parameters import PARAMETERS

_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")


def _speakable(value: str) -> str:
    """JSON can carry lone surrogates, and forms other encodings of them; nothing behind here can."""
    if _UNSPEAKABLE.search(value):
        raise PydanticCustomError("string_unicode", "Input should be valid Unicode without NUL")
    return value


Text = Annotated[str, AfterValidator(_speakable)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Speed = Annotated[Number, Field(ge=0.25, le=4.0, description="1 is the voice's own speed.")]
Timeout = Annotated[Number, Field(gt=0, le=86_400, description="Seconds for the whole request.")]
Seed = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


def _voice_id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _language(value: Any) -> Any:
    """``zh-CN`` and ``auto`` are what clients send; the service knows zh, en, ... and "" (by the text)."""
    return (
        value.replace("_", "-").lower().partition("-")[0].replace("auto", "")
        if isinstance(value, str)
        else value
    )


Voice = Annotated[
    Annotated[Text, Field(min_length=1, max_length=256)],
    BeforeValidator(_voice_id),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": 256},
                {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
            ],
            "description": "An id or name of GET /v1/audio/voices, one of OpenAI's names (alloy, echo, ...), "
            "`clip:<sha256>` (POST /v1/audio/clips), or a blend of up to four built-in voices: "
            "`af_heart+zf_xiaobei`, `af_heart:0.7+af_bella:0.3`.",
        }
    ),
]
Language = Annotated[
    Text,
    BeforeValidator(_language),
    Field(max_length=35, description='"zh", "en", ...; absent, "" or "auto": by the text.'),
]


class Body(BaseModel):
    """Unknown fields are ignored, and null stands for absent: SDKs send both."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return (
            {key: value for key, value in data.items() if value is not None}
            if isinstance(data, dict)
            else data
        )


class ParameterBody(Body):
    """With every one of ``parameters.PARAMETERS`` as a field of its own; the service checks their values."""

    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {name: data[name] for name in PARAMETERS if data.get(name) is not None}
        return {**data, "params": given}


def with_parameters(schema: dict[str, Any]) -> None:
    """Puts the parameters into the documentation, flat, as they are sent."""
    properties = schema["properties"]
    properties.pop("params")
    for name, item in PARAMETERS.items():
        properties[name] = {
            "type": "integer" if item.whole else "number",
            "minimum": item.low,
            "maximum": item.high,
            "title": item.label,
            "description": f"{item.help} (default {item.default:g}). Where the engine has it.",
        }
