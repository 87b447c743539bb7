"""The dictionary: readings that last, for every request of their owner; as files, too."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile

from .. import dictionary_files
from ..dictionary import Entry, identity
from ..errors import Invalid
from ..service import SpeechService
from ..speech import Owner
from .deps import FORM, JSON, Caller, Service, wants
from .dictionary_schemas import (
    DictionaryEntry,
    DictionaryPage,
    EntryChanges,
    EntryDeleted,
    ImportResult,
    LeftOut,
    NewEntry,
)
from .fields import Text
from .schemas import REFUSALS

router = APIRouter(prefix="/v1/audio/dictionary", tags=["Dictionary"], responses=REFUSALS)
PROBLEMS_TOLD = 20


def _entry(service: SpeechService, caller: Owner, entry: Entry) -> DictionaryEntry:
    names = ("id", "word", "said", "kind", "language", "note", "enabled", "created")
    return DictionaryEntry(
        **{name: getattr(entry, name) for name in names},
        shared=entry.common,
        mine=service.dictionary.may_change(caller, entry),
        usable=service.dictionary.door.can_say(entry.reading),
    )


def _matches(entry: Entry, wanted: str) -> bool:
    return any(wanted in text.lower() for text in (entry.word, entry.said, entry.note))


@router.get("")
async def list_entries(
    service: Service,
    caller: Caller,
    q: Annotated[Text, Query(max_length=64, description="Part of a word, its reading or its note.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> DictionaryPage:
    """Yours and what others share, by word."""
    book, wanted = service.dictionary, q.strip().lower()
    entries = await service.in_pool(book.entries, caller)
    found = [entry for entry in entries if _matches(entry, wanted)]
    page = found[offset : offset + limit]
    return DictionaryPage(
        data=[_entry(service, caller, entry) for entry in page],
        total=len(found),
        has_more=offset + len(page) < len(found),
        kinds=list(book.door.kinds),
        languages=list(book.door.languages),
        private=bool(identity(caller)),
    )


@router.post("", dependencies=[Depends(wants(JSON))], status_code=201)
async def add_entry(body: NewEntry, service: Service, caller: Caller) -> DictionaryEntry:
    """Keep a reading. It counts from the next request on; 409 where you have one of that word and language."""
    reading = body.reading
    new = Entry(
        *("", reading.word, reading.said, reading.kind, reading.language),
        note=body.note.strip(),
        enabled=body.enabled,
        shared=body.shared,
    )
    return _entry(service, caller, await service.in_pool(service.dictionary.add, caller, new))


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}, "description": "A file."}},
)
async def export_entries(
    service: Service, caller: Caller, format: Annotated[Literal["json", "csv"], Query()] = "json"
) -> Response:
    """All of yours in a file that import takes."""
    entries = await service.in_pool(service.dictionary.entries, caller)
    own = [entry for entry in entries if entry.owner == identity(caller)]
    write = dictionary_files.to_csv if format == "csv" else dictionary_files.to_json
    media = "text/csv; charset=utf-8" if format == "csv" else "application/json"
    name = {"content-disposition": f'attachment; filename="dictionary.{format}"', "cache-control": "no-store"}
    return Response(await service.in_pool(write, own), media_type=media, headers=name)


@router.post("/import", dependencies=[Depends(wants(FORM))])
async def import_entries(
    request: Request,
    service: Service,
    caller: Caller,
    file: Annotated[
        UploadFile | None,
        File(
            description="csv (word, said, kind, language, note), json, or yaml as in glossary.yaml; 1 MiB at most."
        ),
    ] = None,
    kind: Annotated[Text, Form(description="csv, json or yaml, where the file's name does not say it.")] = "",
) -> ImportResult:
    """Bring in a file: new words are added, those you have are changed, wrong ones are left out and told."""
    data = b"" if file is None else await file.read()
    if not data:
        raise Invalid("missing_value", param="file")
    name = (kind or (file.filename if file else "") or "").lower().rpartition(".")[2]
    form = {"yml": "yaml"}.get(name, name)
    if form not in dictionary_files.KINDS:
        raise Invalid("not_one_of", param="kind", allowed=", ".join(dictionary_files.KINDS))
    entries = await service.in_pool(dictionary_files.from_file, form, data)
    done = await service.in_pool(service.dictionary.bring_in, caller, entries)
    language = request.headers.get("accept-language", "en")
    return ImportResult(
        added=done.added,
        changed=done.changed,
        unchanged=done.unchanged,
        left_out=len(done.left_out),
        problems=[
            LeftOut(entry=number, word=word, code=error.code, message=error.message(language))
            for number, word, error in done.left_out[:PROBLEMS_TOLD]
        ],
    )


@router.get("/{entry_id}")
async def get_entry(entry_id: str, service: Service, caller: Caller) -> DictionaryEntry:
    """One entry."""
    return _entry(service, caller, await service.in_pool(service.dictionary.find, caller, entry_id))


@router.patch("/{entry_id}", dependencies=[Depends(wants(JSON))])
async def update_entry(
    entry_id: str, body: EntryChanges, service: Service, caller: Caller
) -> DictionaryEntry:
    """Change an entry of yours."""
    changes = body.model_dump(exclude_none=True)
    done = await service.in_pool(lambda: service.dictionary.update(caller, entry_id, **changes))
    return _entry(service, caller, done)


@router.delete("/{entry_id}")
async def delete_entry(entry_id: str, service: Service, caller: Caller) -> EntryDeleted:
    """Delete an entry of yours."""
    gone = await service.in_pool(service.dictionary.delete, caller, entry_id)
    return EntryDeleted(id=gone.id)
