"""OpenAI's speech surface: an unmodified SDK is the test client."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response

from ..audio import FORMATS
from ..speech import SpeechRequest
from .aliases import stand_in, voice_for
from .deps import Asked, DirectRoute, Service
from .emotion import emotion_asked, emotion_instructed
from .glossary import readings
from .schemas import REFUSALS, Model, ModelName, ModelNames, Models, SpeechBody
from .sound import SpeechResponse

router = APIRouter(tags=["OpenAI"], responses=REFUSALS)
speech = APIRouter(tags=["OpenAI"], responses=REFUSALS, route_class=DirectRoute)
STARTED = int(time.time())  # what "created" says of every model

IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "Of your making. Who sends the same request again with it within a day gets the sound that was "
    "made then, or is being made; another request with it is a 409.",
}
_SOUND: dict[str, Any] = {info.media_type: {} for info in FORMATS.values()} | {"text/event-stream": {}}


@speech.post(
    "/v1/audio/speech",
    response_class=Response,
    responses={200: {"content": _SOUND, "description": "The sound, sent while it is made."}},
    openapi_extra={"parameters": [IDEMPOTENCY]},
)
async def create_speech(body: SpeechBody, ask: Asked) -> Response:
    """Speech from text, streamed segment by segment.

    An `X-Request-Id` of yours names the request, for `DELETE /v1/requests/{id}`. Closing the
    connection cancels it, too. What fails before the first sound has a status and the error
    envelope (409 `cancelled` where somebody cancelled it); later, an audio body is cut off
    without its last chunk, and an sse stream ends with `speech.audio.error`. `X-TTS-Engine` names the
    engine that speaks; where that is the backup, `X-TTS-Note` says why. `X-TTS-Source`: `cached`
    or `shared`, where it was not spoken for this request alone. With an `Idempotency-Key` it is spoken to its
    end also when the connection is closed. `X-TTS-Output` is the id of what is kept (`keep`), for
    `/v1/audio/outputs/{id}` and below.
    """
    service = ask.service
    service.check_model(body.model)
    emotion = emotion_asked(service, body.emotion)
    instructed, followed = emotion_instructed(service, body.instructions)
    if body.emotion is not None and body.instructions:
        instructed, followed = None, False
    asked = SpeechRequest(
        text=body.input,
        voice=voice_for(service, body.voice, body.input, body.language),
        model=body.model,
        language=body.language,
        speed=body.speed,
        emotion=emotion or instructed,
        params=body.params,
        seed=body.seed,
        timeout=body.timeout,
        fallback=body.fallback,
        stand_in=stand_in(service, body.voice, body.input, body.language),
        cache=False if body.raw else body.cache,
        glossary=readings(body.glossary),
        dictionary=body.dictionary,
        id=ask.request_id,
    )
    handle = await service.submit(asked, ask.caller, ask.idempotency_key)
    handle.raw = body.raw
    headers = {} if followed else {"x-tts-ignored": "instructions"}
    if handle.source != "spoken":
        headers["x-tts-source"] = handle.source
    recording = service.keep(handle, attended=False) if body.keep else None
    if recording is not None:
        headers["x-tts-output"] = recording.id
        service.remember(recording, asked, ask.caller)
    return SpeechResponse(service, handle, body.response_format, body.stream_format, headers, recording)


def _model(name: str) -> Model:
    return Model(id=name, created=STARTED)


@router.get("/v1/models")
async def list_models(service: Service) -> Models:
    """The engine, and OpenAI's names for it."""
    return Models(data=[_model(name) for name in service.models()])


@router.get("/v1/models/{model}")
async def get_model(model: str, service: Service) -> Model:
    """One model, or 404."""
    service.check_model(model)
    return _model(model)


@router.get("/v1/audio/models")
async def list_audio_models(service: Service) -> ModelNames:
    """The same, as Open WebUI asks for it."""
    return ModelNames(models=[ModelName(id=name) for name in service.models()])
