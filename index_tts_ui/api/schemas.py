"""The bodies that come in and go out, as /docs shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .emotion import EmotionField
from .fields import (
    AudioFormat,
    Body,
    Language,
    Number,
    ParameterBody,
    Seed,
    Speed,
    Text,
    Timeout,
    Voice,
    with_parameters,
)
from .glossary import Glossary, UseDictionary


def _speech_schema(schema: dict[str, Any]) -> None:
    with_parameters(schema)
    schema["examples"] = [
        {"model": "kokoro", "input": "你好，世界。Hello, world.", "voice": "zf_xiaobei"},
        {"model": "tts-1", "input": "Good morning!", "voice": "alloy", "response_format": "opus"},
    ]


class SpeechBody(ParameterBody):
    """OpenAI's request; what follows `stream_format` is ours (SDK: `extra_body`)."""

    model_config = ConfigDict(json_schema_extra=_speech_schema)
    model: Text = Field(min_length=1, max_length=256, description="One of GET /v1/models.")
    input: Text = Field(
        description="What to say: 1 to 4096 characters (the setting max_text). `[pause 0.5s]` is silence, "
        "`[voice: NAME]` lets another voice go on, `[voice]` the first one again."
    )
    voice: Voice
    instructions: Text = Field(
        "",
        max_length=4096,
        description="How to say it: in words where the engine can, else the name of an emotion. An engine that "
        "can follow neither answers `X-TTS-Ignored: instructions`.",
    )
    response_format: AudioFormat = Field("mp3", description="pcm is 24 kHz, 16 bit, mono, without a header.")
    speed: Speed = 1.0
    stream_format: Literal["audio", "sse"] = Field(
        "audio", description="sse: speech.audio.delta and .done events."
    )
    language: Language = ""
    emotion: EmotionField | None = None
    timeout: Timeout | None = None
    seed: Seed = 0
    cache: bool | None = Field(
        None,
        strict=True,
        description="true: an equal request's sound, kept or under way, will do, and this one may be kept. "
        "Absent: as the setting cache says.",
    )
    keep: bool = Field(
        False,
        strict=True,
        description="true: the sound stays for a while under the id in `X-TTS-Output`, where its segments can be "
        "made again; it is told of in GET /v1/audio/history.",
    )
    fallback: Literal["", "any"] = Field(
        "",
        description="any: should the engine fail, the backup engine may speak it in another voice and without its "
        "emotion. Without it a cloned voice is never spoken in another one; stock names may be.",
    )
    glossary: Glossary = ()
    dictionary: UseDictionary = True
    raw: bool = Field(
        False,
        strict=True,
        description="true: the sound as the engine made it, neither levelled nor trimmed; for a server in front "
        "of this one, which does that itself.",
    )


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
    segment_tokens: int | None = Field(None, description="As in a speech request, where the engine has it.")
    pause_ms: int | None = Field(None, description="As in a speech request, where the engine has it.")
    speed: Speed = 1.0
    glossary: Glossary = ()
    dictionary: UseDictionary = True


class Segment(BaseModel):
    """One segment: the unit that is spoken, and queued, as a whole."""

    text: str
    tokens: int
    language: str
    voice: str = Field("", description='As a mark in the text names it; "" is the request\'s own.')
    pause: float | None = Field(None, description="Seconds of silence that a mark wants behind it.")
    pause_before: float = Field(0.0, description="Seconds of silence that a mark wants before the first one.")


class Preview(BaseModel):
    """What the text would become."""

    segments: list[Segment]
    characters: int
    tokens: int
    estimated_seconds: float = Field(description="Of sound with its pauses, roughly.")


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


class Worker(BaseModel):
    """One of the service's workers: there is one for each device. ``stats`` are its engine's own figures."""

    device: str
    state: str
    fraction: float = Field(description="Of the loading, 0 to 1.")
    text: str
    reason: str
    running: int = Field(description="Segments that it has.")
    restarts: int
    stats: dict[str, Any]


class BackendState(BaseModel):
    """The engine, or the one that stands in for it. ``breaker``: closed; open: it fails again and again, and gets
    nothing for ``rest`` seconds; half-open: it is being tried with one segment."""

    engine: str
    state: str
    reason: str
    breaker: Literal["closed", "open", "half-open"]
    rest: float
    waiting: int
    running: int
    restarts: int
    workers: list[Worker]


class ServiceStatus(BaseModel):
    """GET /v1/status and /readyz. ``state``: loading, ready, asleep (the model left its device after idle
    time; the next request wakes it), waking, restarting, down, draining; the best of the workers'."""

    ready: bool
    state: str
    engine: str
    fraction: float = Field(description="Of the loading, 0 to 1.")
    text: str
    reason: str
    waiting: int
    running: int
    max_waiting: int
    yours: int = Field(0, description="What of waiting and running is the caller's; GET /v1/status only.")
    restarts: int
    workers: list[Worker]
    features: list[str] = Field(description="What the engine can do, such as clone, emotion, emotion_text.")
    backends: list[BackendState] = Field(description="The engine, then what stands in for it, if anything.")
    stands_in: bool = Field(description="Whether the second of them speaks for the first now.")
    hint: dict[str, str] = Field(description="How to get a better engine, by language: en, zh; mostly empty.")


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
