"""The bodies about the dictionary."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..dictionary import NOTE_MOST
from .fields import Body, Text
from .glossary import Kind, ReadingBody, ReadingLanguage, Said, Word

Note = Annotated[Text, Field(max_length=NOTE_MOST, description="For people.")]
Shared = Annotated[
    bool,
    Field(strict=True, description="Whether it counts for everybody, where people have keys of their own."),
]
Enabled = Annotated[bool, Field(strict=True, description="Whether it counts at all.")]


class NewEntry(ReadingBody):
    """POST /v1/audio/dictionary."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"word": "NVMe", "said": "N V M E"},
                {"word": "单县", "said": "shan4 xian4", "kind": "pinyin"},
            ]
        },
    )
    note: Note = ""
    enabled: Enabled = True
    shared: Shared = False


class EntryChanges(Body):
    """PATCH /v1/audio/dictionary/{id}: what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    word: Word | None = None
    said: Said | None = None
    kind: Kind | None = None
    language: ReadingLanguage | None = None
    note: Note | None = None
    enabled: Enabled | None = None
    shared: Shared | None = None


class DictionaryEntry(BaseModel):
    """One entry."""

    id: str
    word: str
    said: str
    kind: Kind
    language: str
    note: str
    enabled: bool
    shared: bool = Field(description="Whether it counts for everybody.")
    mine: bool = Field(description="Whether you may change it.")
    usable: bool = Field(description="Whether this engine can say it.")
    created: float = Field(description="Seconds since 1970.")


class DictionaryPage(BaseModel):
    """GET /v1/audio/dictionary."""

    object: str = "list"
    data: list[DictionaryEntry]
    total: int = Field(description="Entries that the search found.")
    has_more: bool
    kinds: list[str] = Field(description="Kinds of readings that the engine has.")
    languages: list[str]
    private: bool = Field(description="Whether what you add is yours alone unless it is shared.")


class LeftOut(BaseModel):
    """An entry that was not brought in; ``entry`` counts from 1."""

    entry: int
    word: str
    code: str
    message: str


class ImportResult(BaseModel):
    """POST /v1/audio/dictionary/import."""

    added: int
    changed: int
    unchanged: int
    left_out: int
    problems: list[LeftOut] = Field(description="The first 20 of what was left out.")


class EntryDeleted(BaseModel):
    """DELETE /v1/audio/dictionary/{id}."""

    id: str
    deleted: bool = True
