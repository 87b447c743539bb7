"""Cutter: a line becomes the segments that the engine's frontend makes of it, when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .. import markup
from ..errors import Invalid, TTSError
from ..service import SpeechService
from ..speech import Owner, Piece
from .job_table import JobTable
from .record import Cut, Line, said, to_request
from .segment_table import SegmentTable
from .sources import chunks

T = TypeVar("T")
SPLITTING = ("segment_tokens", "pause_ms")  # parameters that count where a text is cut


class Tables(Protocol):
    """What the runner needs of the desk."""

    jobs: JobTable
    segments: SegmentTable

    async def ask(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call a method of the tables in their thread."""

    def folder(self, job_id: str = "") -> Path:
        """Where a job's sound is; without one, where all jobs are."""

    async def forget(self, job_id: str) -> None:
        """The job is gone, with its sound."""


class Cutter:
    """Any number of jobs may use it."""

    def __init__(self, service: SpeechService, tables: Tables) -> None:
        self._service = service
        self._tables = tables

    async def cut(self, job_id: str, line: Line, owner: Owner) -> None:
        """Write down its segments: also where there is nothing to be spoken, or it is refused."""
        ask, segments = self._tables.ask, self._tables.segments
        take = await ask(self._tables.jobs.take, job_id, line)
        if take is None:
            return
        try:
            pieces = await self._pieces(line.text, take, owner)
        except TTSError as error:
            await ask(segments.split, job_id, line, [Cut(line.text)], "failed", said(error))
            return
        if pieces:
            await ask(segments.split, job_id, line, pieces)
        else:
            await ask(segments.split, job_id, line, [Cut(line.text)], "empty")

    async def _pieces(self, text: str, take: dict[str, Any], owner: Owner) -> list[Cut]:
        limit = self._service.config.max_text
        found: list[Piece] = []
        # what is longer than a request may be is cut between its marks first, never within one
        for span in markup.parse(text) if len(text) > limit else [markup.Span(text)]:
            made: list[Piece] = []
            for chunk in chunks(span.text, limit):
                made += await self._preview(
                    chunk, {**take, **({"voice": span.voice} if span.voice else {})}, owner
                )
            found = markup.joined(found, span, made)
        return [Cut(piece.text, piece.pause_after, piece.voice) for piece in found]

    async def _preview(self, text: str, take: dict[str, Any], owner: Owner) -> list[Piece]:
        asked = to_request(take, text)
        params = {name: value for name, value in asked.params.items() if name in SPLITTING}
        try:
            return await self._service.preview(
                text,
                language=asked.language,
                voice=asked.voice,
                owner=owner,
                glossary=asked.glossary,
                dictionary=asked.dictionary,
                words_checked=False,  # each segment is, when it is spoken: one that is refused fails alone
                **params,
            )
        except Invalid as error:
            if error.code in ("nothing_to_speak", "empty_text"):
                return []
            raise
