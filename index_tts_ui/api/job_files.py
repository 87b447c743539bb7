"""A job's sound on its way out: one file, or a zip with a file for each line."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from starlette.responses import Response, StreamingResponse

from ..audio import FORMATS, Encoder
from ..jobs import Job, JobDesk, Placed, blocks, subtitles, total
from ..service import SpeechService
from .sound import Coder

WAV_MOST = 2**31 - 4096  # bytes that a WAV header can tell of, for every reader


def audio_file(
    service: SpeechService, desk: JobDesk, job: Job, parts: Sequence[Placed], fmt: str
) -> Response:
    """All of it as one file, encoded while it is sent."""
    rate, samples = parts[0].rate, total(parts)
    coder = Coder(service, fmt, rate, samples if samples * 2 < WAV_MOST else None)
    name = f"{job.id}.{FORMATS[fmt].extension}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    body = _encoded(service, coder, desk.folder(job.id), parts)
    return StreamingResponse(body, media_type=FORMATS[fmt].media_type, headers=headers)


async def _encoded(
    service: SpeechService, coder: Coder, folder: Path, parts: Sequence[Placed]
) -> AsyncIterator[bytes]:
    sound = blocks(folder, parts)
    while (block := await service.in_pool(next, sound, None)) is not None:
        async for data in coder.encode(block):
            yield data
    if rest := await coder.finish():
        yield rest


async def zip_file(
    service: SpeechService, desk: JobDesk, job: Job, parts: Sequence[Placed], fmt: str
) -> Response:
    """A file for each line, and subtitles; each is made when the one before has gone out."""
    names = {line.index: line.name for line in (await desk.lines(job, 1, 1 << 30))[0]}
    headers = {"content-disposition": f'attachment; filename="{job.id}.zip"'}
    body = _zipped(service, desk.folder(job.id), job, parts, fmt, names)
    return StreamingResponse(body, media_type="application/zip", headers=headers)


async def _zipped(
    service: SpeechService, folder: Path, job: Job, parts: Sequence[Placed], fmt: str, names: dict[int, str]
) -> AsyncIterator[bytes]:
    sink = _Sink()
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED)  # sound does not get smaller
    stamp = time.localtime(job.created)[:6]
    for number, group in groupby(parts, key=lambda part: part.segment.line):
        data = await service.in_pool(_line_file, folder, list(group), fmt)
        name = f"{number:05}{_plain(names.get(number, ''))}.{FORMATS[fmt].extension}"
        archive.writestr(zipfile.ZipInfo(name, stamp), data)
        yield sink.take()
    for kind in ("srt", "vtt"):
        archive.writestr(zipfile.ZipInfo(f"{job.id}.{kind}", stamp), subtitles(kind, parts))
    archive.close()
    yield sink.take()


class _Sink(io.RawIOBase):
    """What a zip is written to, and taken from: it cannot go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """See io."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """See io."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _line_file(folder: Path, parts: list[Placed], fmt: str) -> bytes:
    first = parts[0].start
    moved = [replace(part, start=part.start - first) for part in parts]
    encoder = Encoder(fmt, moved[0].rate, total(moved))
    data = [encoder.encode(block) for block in blocks(folder, moved)] or [encoder.encode(np.zeros(0))]
    return b"".join([*data, encoder.finish()])


def _plain(name: str) -> str:
    """A part of a file name that no system stumbles over."""
    kept = "".join(char if char.isalnum() else "-" for char in name).strip("-")[:60]
    return f"-{kept}" if kept else ""
