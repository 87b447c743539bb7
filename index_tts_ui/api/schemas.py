"""The bodies that come in and go out, as /docs shows them."""

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
    """``zh-CN`` and ``auto`` are what clients send; the service knows zh, en and "" (by the text)."""
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
            "description": "An id of GET /v1/audio/voices, one of OpenAI's names (alloy, echo, ...), or a "
            "blend of up to four: `af_heart+zf_xiaobei`, `af_heart:0.7+af_bella:0.3`.",
        }
    ),
]
Language = Annotated[
    Literal["", "zh", "en"],
    BeforeValidator(_language),
    Field(description='"zh" or "en"; absent, "" or "auto": by the text.'),
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


class SpeechBody(Body):
    """OpenAI's request; `language`, `timeout` and `seed` are ours (SDK: `extra_body`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "kokoro", "input": "你好，世界。Hello, world.", "voice": "zf_xiaobei"},
                {"model": "tts-1", "input": "Good morning!", "voice": "alloy", "response_format": "opus"},
            ]
        }
    )
    model: Text = Field(min_length=1, max_length=256, description="One of GET /v1/models.")
    input: Text = Field(description="What to say: 1 to 4096 characters (the setting max_text).")
    voice: Voice
    instructions: Text = Field(
        "",
        max_length=4096,
        description="How to say it. An engine without emotions answers `X-TTS-Ignored: instructions`.",
    )
    response_format: AudioFormat = Field("mp3", description="pcm is 24 kHz, 16 bit, mono, without a header.")
    speed: Speed = 1.0
    stream_format: Literal["audio", "sse"] = Field(
        "audio", description="sse: speech.audio.delta and .done events."
    )
    language: Language = ""
    timeout: Timeout | None = None
    seed: Seed = 0


class TTSBody(Body):
    """The body of POST /api/tts."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "你好，世界。", "speaker_id": 0, "speed": 1.0}]}
    )
    text: Text = Field(description="What to say.")
    speaker_id: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        None,
        description="0 and 1 are female, 2 and 3 male (the setting speaker_ids). Absent: the default voice.",
    )
    voice: Voice | None = Field(None, description="Instead of speaker_id.")
    speed: Annotated[Number, Field(ge=0.5, le=2.0)] = 1.0
    format: Literal["wav", "mp3"] = "wav"


class SynthesizeBody(Body):
    """The body of POST /synthesize."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "你好，世界。", "emotion": "neutral"}]}
    )
    text: Text = Field(description="What to say.")
    emotion: Text = Field(
        "neutral", max_length=64, description="neutral, happy, angry, ... or 喜悦, 愤怒, ..."
    )


class PreviewBody(Body):
    """The body of POST /v1/audio/preview."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "第一句。第二句。"}]})
    text: Text
    language: Language = ""
    voice: Annotated[Text, Field(max_length=256)] = ""


class Segment(BaseModel):
    """One segment: the unit that is spoken, and queued, as a whole."""

    text: str
    tokens: int
    language: str


class Preview(BaseModel):
    """What the text would become."""

    segments: list[Segment]
    characters: int
    tokens: int
    estimated_seconds: float = Field(description="Of sound, roughly, at speed 1.")


class Model(BaseModel):
    """One entry of GET /v1/models."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "index-tts-ui"


class Models(BaseModel):
    """GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[Model]


class ModelName(BaseModel):
    """One entry of GET /v1/audio/models."""

    id: str


class ModelNames(BaseModel):
    """GET /v1/audio/models."""

    models: list[ModelName]


class VoiceEntry(BaseModel):
    """One voice. ``language`` is what it speaks best."""

    id: str
    name: str
    name_zh: str
    language: str
    gender: Literal["female", "male"]
    kind: Literal["builtin", "clip"]


class Voices(BaseModel):
    """GET /v1/audio/voices."""

    voices: list[VoiceEntry]


class AudioUrl(BaseModel):
    """Where the kept sound is."""

    audio_url: str = Field(examples=["/v1/audio/outputs/3q2_8fR0cZb1mD5sYt6uVw7x"])


class CancelledRequest(BaseModel):
    """DELETE /v1/requests/{id}."""

    id: str
    cancelled: Literal[True] = True


class Health(BaseModel):
    """GET /healthz: the process lives. ``timestamp`` is in seconds since 1970."""

    status: Literal["ok"] = "ok"
    model_loaded: bool
    timestamp: float
    state: str
    engine: str
    version: str


class ServiceStatus(BaseModel):
    """GET /v1/status and /readyz. ``state``: loading, ready, restarting, down, draining."""

    ready: bool
    state: str
    engine: str
    fraction: float = Field(description="Of the loading, 0 to 1.")
    text: str
    reason: str
    waiting: int
    running: int
    max_waiting: int
    restarts: int


class ErrorBody(BaseModel):
    """The four keys are always there."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(BaseModel):
    """Every refusal looks like this. 429 and 503 carry Retry-After."""

    error: ErrorBody


REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorEnvelope, "description": "The request is wrong; `code` says how, `param` where."},
    "5XX": {
        "model": ErrorEnvelope,
        "description": "503 not ready, 504 out of time, 500 the engine or a bug.",
    },
}
