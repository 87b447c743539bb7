"""The routes that the articles about serving IndexTTS use: thin skins over the same service."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, File, Form, Query, Request, Response, UploadFile

from ..audio import FORMATS
from ..errors import Invalid, TTSError
from ..service import Handle, SpeechService
from ..speech import Ended, Owner, SpeechRequest
from .aliases import speaker_name, speaker_voice, stand_in, voice_for
from .deps import FORM, JSON, Caller, RequestId, Service, wants
from .emotion import emotion_named
from .fields import Text
from .schemas import REFUSALS, AudioUrl, SynthesizeBody, TTSBody
from .sound import SpeechResponse, attended, engine_headers, whole

router = APIRouter(tags=["Articles"], responses=REFUSALS)
WAV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {}}, "description": "The whole sound."}
}
ANY: dict[int | str, dict[str, Any]] = {
    200: {"content": {info.media_type: {} for info in FORMATS.values()}, "description": "The whole sound."}
}
TextField = Annotated[Text, Form(description="What to say.")]
EmotionField = Annotated[
    Text, Form(max_length=64, description="neutral, happy, angry, ... or 喜悦, 愤怒, ...")
]


async def submit(service: SpeechService, asked: SpeechRequest, caller: Owner) -> Handle:
    """As ``service.submit``, with the text under the name that these routes give it."""
    try:
        return await service.submit(asked, caller)
    except TTSError as error:
        error.param = "text" if error.param == "input" else error.param
        raise


async def _sound(service: SpeechService, handle: Handle, request: Request, fmt: str) -> Response:
    started, data = await whole(service, handle, request.receive, fmt)
    return Response(data, media_type=FORMATS[fmt].media_type, headers=engine_headers(started))


@router.post("/api/tts", dependencies=[Depends(wants(JSON))], response_class=Response, responses=ANY)
async def api_tts(
    body: TTSBody, request: Request, request_id: RequestId, service: Service, caller: Caller
) -> Response:
    """The whole sound in one answer, with its Content-Length. `voice` stands before `speaker_id`."""
    voice = voice_for(service, body.voice, body.text) if body.voice else ""
    other = stand_in(service, body.voice or "", body.text)
    if not voice and body.speaker_id is not None:
        voice = speaker_voice(service, body.speaker_id, body.text)
        other = speaker_name(service, body.speaker_id)
    asked = SpeechRequest(text=body.text, voice=voice, speed=body.speed, id=request_id, stand_in=other)
    return await _sound(service, await submit(service, asked, caller), request, body.format)


@router.post("/tts/generate", dependencies=[Depends(wants(FORM))], response_class=Response, responses=WAV)
async def tts_generate(
    text: TextField,
    request: Request,
    request_id: RequestId,
    service: Service,
    caller: Caller,
    emotion: EmotionField = "neutral",
) -> Response:
    """A wav of the default voice. Other emotions than neutral and calm need an engine that has them."""
    asked = SpeechRequest(text=text, emotion=emotion_named(service, emotion), id=request_id)
    return await _sound(service, await submit(service, asked, caller), request, "wav")


@router.post("/tts", dependencies=[Depends(wants(FORM))], response_class=Response, responses=WAV)
async def tts(
    text: TextField,
    request_id: RequestId,
    service: Service,
    caller: Caller,
    ref_audio: Annotated[UploadFile | None, File(description="A voice to imitate.")] = None,
) -> Response:
    """A streamed wav in the voice of `ref_audio`; without one, in the default voice. Have the right to the voice."""
    voice = "" if ref_audio is None else await _clip(service, await ref_audio.read())
    handle = await submit(service, SpeechRequest(text=text, voice=voice, id=request_id), caller)
    return SpeechResponse(service, handle, "wav")


async def _clip(service: SpeechService, data: bytes) -> str:
    try:
        return f"clip:{(await service.add_clip(data)).key}"
    except TTSError as error:
        error.param = "ref_audio"
        raise


async def _synthesize(
    service: SpeechService, request: Request, request_id: str, caller: Owner, text: str, emotion: str
) -> AudioUrl:
    """Speak, keep, answer when it is done. Raises the request's error."""
    asked = SpeechRequest(text=text, emotion=emotion_named(service, emotion), id=request_id)
    handle = await submit(service, asked, caller)
    recording = service.keep(handle, attended=False)
    async with attended(handle, request.receive):
        async for event in recording.events():
            if isinstance(event, Ended) and event.error is not None:
                raise event.error
    return AudioUrl(
        audio_url=f"{request.scope.get('root_path', '').rstrip('/')}/v1/audio/outputs/{recording.id}"
    )


@router.post("/synthesize", dependencies=[Depends(wants(JSON))])
async def synthesize(
    request: Request,
    request_id: RequestId,
    service: Service,
    caller: Caller,
    body: Annotated[SynthesizeBody | None, Body()] = None,
    text: Annotated[Text | None, Query()] = None,
    emotion: Annotated[Text, Query(max_length=64)] = "neutral",
) -> AudioUrl:
    """Speak into a file that stays for a while, and tell where it is. JSON body or query."""
    if body is not None:
        text, emotion = body.text, body.emotion
    if text is None:
        raise Invalid("missing_value", param="text")
    return await _synthesize(service, request, request_id, caller, text, emotion)


@router.get("/synthesize")
async def synthesize_by_query(
    text: Annotated[Text, Query()],
    request: Request,
    request_id: RequestId,
    service: Service,
    caller: Caller,
    emotion: Annotated[Text, Query(max_length=64)] = "neutral",
) -> AudioUrl:
    """The same, for a client that can only GET."""
    return await _synthesize(service, request, request_id, caller, text, emotion)
