"""What was made: list, search, change, delete. Everybody sees only their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from ..history import Entry
from .deps import JSON, Caller, Service, wants
from .fields import Text
from .history_schemas import EntryChanges, HistoryCleared, HistoryDeleted, HistoryEntry, HistoryPage
from .job_schemas import Notice
from .schemas import REFUSALS

router = APIRouter(prefix="/v1/audio/history", tags=["History"], responses=REFUSALS)


def _entry(request: Request, entry: Entry, there: bool) -> HistoryEntry:
    prefix = request.scope.get("root_path", "").rstrip("/")
    return HistoryEntry(
        id=entry.id,
        created=round(entry.created, 3),
        title=entry.title,
        note=entry.note,
        text=entry.text,
        settings=dict(entry.settings),
        voice_name=entry.voice_name,
        engine=entry.engine,
        characters=entry.characters,
        segments=entry.segments,
        audio_seconds=entry.audio_seconds,
        wait_seconds=entry.wait_seconds,
        engine_seconds=entry.engine_seconds,
        total_seconds=entry.total_seconds,
        error=Notice(**entry.error) if entry.error else None,
        favourite=entry.favourite,
        deleted=bool(entry.deleted),
        output=entry.output,
        audio=f"{prefix}/v1/audio/outputs/{entry.output}" if there else None,
    )


@router.get("")
async def list_history(
    request: Request,
    service: Service,
    caller: Caller,
    q: Annotated[Text, Query(max_length=200, description="Words of its text, title or note.")] = "",
    favourite: Annotated[bool, Query(description="Favourites alone.")] = False,
    before: Annotated[Text, Query(max_length=64, description="Those older than this entry.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> HistoryPage:
    """Your results, the newest first: those of the page, and of requests that asked to be kept."""
    history = service.history
    found = await history.page(caller, limit + 1, q, favourite, before)
    data = [_entry(request, entry, there) for entry, there in found[:limit]]
    hours = service.config.outputs_hours
    return HistoryPage(data=data, has_more=len(found) > limit, days=history.days, hours=hours)


@router.get("/{entry_id}")
async def get_entry(entry_id: str, request: Request, service: Service, caller: Caller) -> HistoryEntry:
    """One of your results."""
    return _entry(request, *await service.history.get(caller, entry_id))


@router.patch("/{entry_id}", dependencies=[Depends(wants(JSON))])
async def change_entry(
    entry_id: str, body: EntryChanges, request: Request, service: Service, caller: Caller
) -> HistoryEntry:
    """Make it a favourite, which keeps its sound; give it a title or a note; delete it, or take it back."""
    changed = await service.history.change(caller, entry_id, **body.model_dump())
    return _entry(request, *changed)


@router.delete("/{entry_id}")
async def delete_entry(entry_id: str, service: Service, caller: Caller) -> HistoryDeleted:
    """Delete it for good, with its text and its sound."""
    await service.history.delete(caller, entry_id)
    return HistoryDeleted(id=entry_id)


@router.delete("")
async def clear_history(service: Service, caller: Caller) -> HistoryCleared:
    """Delete all but favourites for good, with their texts and sounds."""
    return HistoryCleared(deleted=await service.history.clear(caller))
