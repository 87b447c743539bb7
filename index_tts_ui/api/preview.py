"""What a text would become, before anything is spoken."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from ..speech import Piece
from .aliases import voice_for
from .deps import JSON, Caller, Service, wants
from .glossary import readings
from .schemas import REFUSALS, Preview, PreviewBody, Segment

router = APIRouter(tags=["Preview"], responses=REFUSALS)
SECONDS_PER_TOKEN = 0.052  # of sound; Kokoro: 0.054 in Mandarin, 0.05 in English


@router.post("/v1/audio/preview", dependencies=[Depends(wants(JSON))])
async def preview(body: PreviewBody, service: Service, caller: Caller) -> Preview:
    """The exact segments, and their tokens as the engine counts them. Needs no loaded model."""
    service.check_sees(caller, body.voice or "")
    voice = voice_for(service, body.voice, body.text, body.language)
    pieces = await service.preview(
        body.text,
        language=body.language,
        voice=voice,
        segment_tokens=body.segment_tokens,
        pause_ms=body.pause_ms,
        owner=caller,
        glossary=readings(body.glossary),
        dictionary=body.dictionary,
    )
    tokens = sum(piece.tokens for piece in pieces)
    # what the last one ends with is left out
    pauses = pieces[0].pause_before + sum(piece.pause_after for piece in pieces[:-1])
    return Preview(
        segments=[_segment(piece) for piece in pieces],
        characters=len(body.text),
        tokens=tokens,
        estimated_seconds=round(tokens * SECONDS_PER_TOKEN / body.speed + pauses, 1),
    )


def _segment(piece: Piece) -> Segment:
    return Segment(
        text=piece.text,
        tokens=piece.tokens,
        language=piece.language,
        voice=piece.voice,
        pause=piece.pause_after if piece.marked else None,
        pause_before=piece.pause_before,
    )
