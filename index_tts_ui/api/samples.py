"""A voice to be heard before it is chosen: its own clip, or a short sentence that it speaks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from ..audio import FORMATS
from ..speech import SpeechRequest
from .deps import Caller, Service
from .schemas import REFUSALS
from .sound import engine_headers, whole

router = APIRouter(tags=["Voices"], responses=REFUSALS)
SENTENCES = {
    "zh": "你好，很高兴为你朗读这一段文字。",
    "en": "Hello! I would be glad to read this text to you.",
}
SECONDS = 30.0  # for all of it: nobody waits longer to hear a voice
DAY = 86_400


@router.get(
    "/v1/audio/voices/{voice}/sample",
    response_class=Response,
    responses={
        200: {"content": {"audio/mpeg": {}, "audio/wav": {}}, "description": "A few seconds of the voice."}
    },
)
async def get_sample(voice: str, request: Request, service: Service, caller: Caller) -> Response:
    """Hear a voice: an uploaded one's clip, else a short sentence in its language.

    The sentence goes through the queue, behind those that people wait for, and is spoken once: after that it
    comes from the store of answers (unless the setting `cache` is off).
    """
    info = service.seen_voice(caller, voice)
    if info.kind == "clip":
        return FileResponse(service.voice_clip(info.id), media_type="audio/wav")
    text = SENTENCES.get(info.language[:2], SENTENCES["en"])
    asked = SpeechRequest(text, info.id, background=True, cache=True, timeout=SECONDS)
    started, sound = await whole(service, await service.submit(asked, caller), request.receive, "mp3")
    headers = engine_headers(started)
    if started.notice is None:  # a backup engine's voice is not to be remembered for this one
        headers["cache-control"] = f"private, max-age={DAY}"
    return Response(sound, media_type=FORMATS["mp3"].media_type, headers=headers)
