"""Cutter: a line becomes the segments that the engine's frontend makes of it, when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import Invalid, TTSError
from ..service import SpeechService
from .job_table import JobTable
from .record import Line, said
from .segment_table import SegmentTable
from .sources import chunks

T = TypeVar("T")


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

    async def cut(self, job_id: str, line: Line) -> None:
        """Write down its segments: also where there is nothing to be spoken, or it is refused."""
        ask, segments = self._tables.ask, self._tables.segments
        found = await ask(self._tables.jobs.take, job_id)
        if found is None:
            return
        try:
            pieces = await self._pieces(line.text, {**found[0], **line.take})
        except TTSError as error:
            await ask(segments.split, job_id, line, [(line.text, 0.0)], "failed", said(error))
            return
        if pieces:
            await ask(segments.split, job_id, line, pieces)
        else:
            await ask(segments.split, job_id, line, [(line.text, 0.0)], "empty")

    async def _pieces(self, text: str, take: dict[str, Any]) -> list[tuple[str, float]]:
        params = take.get("params", {})
        pieces: list[tuple[str, float]] = []
        for chunk in chunks(text, self._service.config.max_text):
            for words, pause in await self._preview(chunk, take, params.get("segment_tokens")):
                pieces.append((words, params.get("pause_ms", 1000 * pause) / 1000))
        return pieces

    async def _preview(self, text: str, take: dict[str, Any], budget: int | None) -> list[tuple[str, float]]:
        language, voice = take.get("language", ""), take.get("voice", "")
        try:
            found = await self._service.preview(text, language=language, voice=voice, segment_tokens=budget)
        except Invalid as error:
            if error.code in ("nothing_to_speak", "empty_text"):
                return []
            raise
        return [(piece.text, piece.pause_after) for piece in found]
