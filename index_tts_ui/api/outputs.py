"""Sound that was kept, in any format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from ..audio import FORMATS
from ..errors import Conflict
from ..outputs import Recording
from .deps import Service
from .fields import AudioFormat
from .schemas import REFUSALS
from .sound import Coder

router = APIRouter(tags=["Outputs"], responses=REFUSALS)


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
) -> Response:
    """The finished sound. Its id is random; whoever knows it may hear it."""
    recording = service.outputs.get(output_id)
    if recording.error is not None:
        raise recording.error
    if not recording.done:
        raise Conflict("output_unfinished", id=recording.id)
    coder = Coder(service, fmt, recording.rate, recording.samples)
    kind = "attachment" if download else "inline"
    headers = {
        "content-disposition": f'{kind}; filename="speech-{recording.id[:8]}.{FORMATS[fmt].extension}"'
    }
    return StreamingResponse(_body(recording, coder), media_type=FORMATS[fmt].media_type, headers=headers)


async def _body(recording: Recording, coder: Coder) -> AsyncIterator[bytes]:
    for block in recording.chunks():
        async for data in coder.encode(block):
            yield data
    yield await coder.finish()
