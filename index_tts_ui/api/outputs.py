"""Sound that was kept, in any format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from ..audio import FORMATS
from ..errors import Conflict
from ..outputs import Part, Recording, chunks
from ..service import SpeechService
from .deps import Service
from .fields import AudioFormat
from .schemas import REFUSALS
from .sound import Coder

router = APIRouter(tags=["Outputs"], responses=REFUSALS)
Partial = Annotated[bool, Query(description="What there is, where some segments failed.")]


async def recording_of(output_id: str, service: SpeechService) -> Recording:
    """Raises NotFound; Conflict while it is being made; its error, where nothing of it was spoken."""
    recording = await service.in_pool(service.outputs.get, output_id)
    if recording.done and recording.error is not None and not recording.seconds:
        raise recording.error
    if not recording.done:
        raise Conflict("output_unfinished", id=recording.id)
    return recording


async def finished(output_id: str, service: SpeechService, partial: bool) -> Recording:
    """As ``recording_of``; raises Conflict also where segments are missing, unless ``partial``."""
    recording = await recording_of(output_id, service)
    if not partial and not await service.in_pool(lambda: recording.whole):
        reason = recording.error.message() if recording.error else "it lacks segments"
        raise Conflict("output_incomplete", id=recording.id, reason=reason.rstrip("."))
    return recording


@router.get(
    "/v1/audio/outputs/{output_id}",
    response_class=Response,
    responses={
        200: {"content": {info.media_type: {} for info in FORMATS.values()}, "description": "The sound."}
    },
)
async def get_output(
    output_id: str,
    service: Service,
    fmt: Annotated[AudioFormat, Query(alias="format")] = "wav",
    download: Annotated[bool, Query(description="1: the browser saves it rather than playing it.")] = False,
    partial: Partial = False,
) -> Response:
    """The finished sound. Its id is random; whoever knows it may hear it."""
    recording = await finished(output_id, service, partial)
    parts = await service.in_pool(recording.parts)
    coder = Coder(service, fmt, recording.rate, sum(part.samples for part in parts))
    kind = "attachment" if download else "inline"
    headers = {
        "content-disposition": f'{kind}; filename="speech-{recording.id[:8]}.{FORMATS[fmt].extension}"'
    }
    return StreamingResponse(
        _body(service, parts, coder), media_type=FORMATS[fmt].media_type, headers=headers
    )


async def _body(service: SpeechService, parts: list[Part], coder: Coder) -> AsyncIterator[bytes]:
    sound = chunks(parts)
    while (block := await service.in_pool(next, sound, None)) is not None:
        async for data in coder.encode(block):
            yield data
    yield await coder.finish()
