"""An output on disk: its segments, the takes of each, and what it sounds like with those that count."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from ..audio import to_pcm16
from ..errors import Conflict, EngineFailed, NotFound, TTSError
from ..speech import Owner, SpeechRequest, Started, Usage
from .parts import ORIGINAL, Made, Part, Segment, segment_of, told
from .takes import TAKES, WIDTH, Take, Takes, from_json, to_json

log = logging.getLogger("tts.outputs")
MOST_TAKES = 9  # of one segment


class Kept:
    """What is known of an output. ``texts`` are of all its segments, ``lengths`` (in samples) of those that
    were spoken: fewer, where it failed half way, and ``error`` then says why.

    ``levels`` are what the leveller knew before each segment, so that another take is levelled as the first
    was; ``request`` is what all was made of, in the form of ``takes.to_json``.
    """

    def __init__(self, folder: Path, output_id: str, rate: int, request_id: str) -> None:
        self.id = output_id
        self.request_id = request_id
        self.rate = rate
        self.done = False
        self.error: TTSError | None = None
        self.created = time.time()
        self.texts: tuple[str, ...] = ()
        self.owner = ""
        self.request: Mapping[str, Any] = {}
        self.most_bytes = 1 << 28  # of its takes
        self._folder = folder
        self._lengths: list[int] = []
        self._made: list[Made] = []
        self._levels: list[tuple[float, float]] = []
        self._usage: Usage | None = None
        self._started: Started | None = None
        self._takes = Takes(folder / f"{output_id}{TAKES}")

    @property
    def path(self) -> Path:
        """Where its samples are, now."""
        return self._folder / (f"{self.id}.pcm" if self.done else f"{self.id}.pcm.part")

    @property
    def usage(self) -> Usage | None:
        """What it cost, once that is known."""
        return self._usage

    @property
    def engine(self) -> str:
        """What spoke it; "" until that is known."""
        return self._started.engine if self._started else ""

    # ---- its sound

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.samples / self.rate

    @property
    def samples(self) -> int:
        """Length in samples, so far."""
        return sum(part.samples for part in self.parts())

    def segments(self) -> list[Segment]:
        """All of them, with their takes."""
        made, choices = (self._takes.made(), self._takes.choices()) if self.done else ({}, {})
        return [
            segment_of(index, text, self._original(index), made.get(index, ()), choices.get(index))
            for index, text in enumerate(self.texts)
        ]

    def _original(self, index: int) -> Take | None:
        if index >= len(self._lengths):
            return None
        about = (self.texts[index], self._lengths[index], self._manner(index).pause, self._request_of(index))
        return Take(ORIGINAL, *about, self.created, self.engine)

    def _request_of(self, index: int) -> dict[str, Any]:
        voice = self._manner(index).voice
        return {**self.request, **({"voice": voice} if voice else {})}

    def _manner(self, index: int) -> Made:
        """How segment ``index`` was made; the last one has no pause behind it."""
        made = self._made[index] if index < len(self._made) else Made()
        return replace(made, pause=0.0) if index == len(self.texts) - 1 else made

    def parts(self) -> list[Part]:
        """What has sound, one after another."""
        found: list[Part] = []
        start = 0
        for segment in self.segments():
            if segment.take is not None:
                found.append(self.part(segment, segment.take, start))
                start += segment.take.samples
        return found

    def part(self, segment: Segment, take: Take, start: int = 0) -> Part:
        """Where the sound of a take is."""
        if segment.original and take.number == ORIGINAL:
            return self.original(segment.index, sum(self._lengths[: segment.index]), start)
        path = self._takes.path(segment.index, take.number)
        return Part(segment.index, take.text, path, 0, take.samples, start, take.pause)

    def original(self, index: int, offset: int, start: int = 0) -> Part:
        """What was spoken with the whole, ``offset`` samples into it."""
        text, samples = self.texts[index], self._lengths[index]
        return Part(index, text, self.path, offset, samples, start, self._manner(index).pause)

    @property
    def whole(self) -> bool:
        """Whether every segment has sound."""
        return self.done and bool(self.texts) and all(segment.take for segment in self.segments())

    # ---- changing it

    def owned_by(self, owner: Owner) -> bool:
        """Whether they made it, and may change it."""
        return bool(self.owner) and self.owner == owner_mark(owner)

    def segment(self, index: int) -> Segment:
        """Raises NotFound; Conflict while it is being made."""
        if not self.done:
            raise Conflict("output_unfinished", id=self.id)
        if not 0 <= index < len(self.texts):
            raise NotFound("segment_not_found", number=index)
        return self.segments()[index]

    def take(self, index: int, number: int) -> Take:
        """Raises NotFound."""
        for take in self.segment(index).takes:
            if take.number == number:
                return take
        raise NotFound("take_not_found", take=number, number=index)

    def check_room(self, index: int) -> None:
        """Raises Conflict where no more takes fit."""
        if len(self.segment(index).takes) >= MOST_TAKES or self._takes.size >= self.most_bytes:
            raise Conflict("takes_full", number=index)

    def basis(self, index: int) -> SpeechRequest:
        """What asks for segment ``index`` once more, as its chosen take was asked for. Raises NotFound, Conflict."""
        take = self.segment(index).take
        if take is None:
            return from_json(self._request_of(index), self.texts[index])
        return from_json(take.request, take.text)

    def level(self, index: int) -> tuple[float, float]:
        """What the leveller knows before segment ``index``; (0, 0) is nothing."""
        before = self._levels[: index + 1]
        return before[-1] if before else (0.0, 0.0)

    def add_take(self, index: int, samples: Any, request: SpeechRequest, engine: str) -> Take:
        """``samples`` are levelled, without the silence around them, which stays as it was. Raises NotFound,
        Conflict, EngineFailed."""
        self.check_room(index)
        made = self._manner(index)
        before, after = (bytes(WIDTH * round(seconds * self.rate)) for seconds in (made.before, made.pause))
        pcm = before + to_pcm16(samples) + after
        lowest = ORIGINAL + (index < len(self._lengths))
        about = {"text": request.text, "request": to_json(request), "engine": engine}
        facts = {**about, "pause": made.pause, "created": time.time()}
        with self._writing():
            number = self._takes.add(index, lowest, pcm, facts)
        return self.take(index, number)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """What is being worked at is not the oldest."""
        try:
            yield
            os.utime(self.path)
        except OSError as error:
            log.error("output %s: %s", self.id, error)
            raise EngineFailed("disk_full", reason=error.strerror or "write failed") from error

    def choose(self, index: int, number: int) -> None:
        """This take counts from now on. Raises NotFound, EngineFailed."""
        self.take(index, number)
        with self._writing():
            self._takes.choose(index, number)

    def remove(self, index: int, number: int) -> None:
        """Delete a take; where it counted, another does. Raises NotFound, EngineFailed; Conflict for the first."""
        if self.take(index, number).number == ORIGINAL and index < len(self._lengths):
            raise Conflict("take_original")
        with self._writing():
            self._takes.remove(index, number)

    # ---- the record

    def save(self) -> None:
        """The JSON file is the commit mark: without it a sound does not count. Raises OSError."""
        mark = self._folder / f"{self.id}.json"
        temporary = mark.with_suffix(".json.part")
        temporary.write_text(json.dumps(self._to_json(), ensure_ascii=False, default=str), "utf-8")
        temporary.rename(mark)

    def _to_json(self) -> dict[str, Any]:
        error = self.error
        return {
            "id": self.id,
            "request_id": self.request_id,
            "rate": self.rate,
            "created": self.created,
            "engine": self.engine,
            "texts": list(self.texts),
            "lengths": self._lengths,
            "made": [asdict(made) for made in self._made],
            "levels": self._levels,
            "usage": asdict(self._usage) if self._usage else None,
            "owner": self.owner,
            "request": dict(self.request),
            "error": error and {"kind": error.kind, "code": error.code, "facts": error.facts},
        }

    @classmethod
    def load(cls, folder: Path, output_id: str) -> Self:
        """A finished one from disk. Raises OSError, ValueError, KeyError, TypeError where it is not whole."""
        data = json.loads((folder / f"{output_id}.json").read_text("utf-8"))
        self = cls(folder, output_id, data["rate"], data["request_id"])
        self.created, self._lengths = data["created"], data["lengths"]
        self.texts = tuple(data["texts"])
        self._made = [Made(**made) for made in data.get("made", ())]
        self._levels = [(gain, heard) for gain, heard in data.get("levels", ())]
        self._started = told(data["engine"], self.texts, self._made)
        self._usage = Usage(**data["usage"])
        self.owner, self.request = data.get("owner", ""), data.get("request", {})
        self.error = _error(data.get("error"))
        self.done = True
        if self.path.stat().st_size != WIDTH * sum(self._lengths):
            raise ValueError(f"{self.path} has another length than its record")
        return self


def owner_mark(owner: Owner) -> str:
    """Tells owners apart; whoever reads the disk need not learn their addresses."""
    return hashlib.sha256(owner.key.encode()).hexdigest()[:32]


def _error(data: Mapping[str, Any] | None) -> TTSError | None:
    if data is None:
        return None
    kinds = {kind.kind: kind for kind in TTSError.__subclasses__()}
    return kinds.get(data["kind"], TTSError)(data["code"], **data["facts"])
