"""Backend: one engine with all that makes it speak: its frontend, its queue, its workers, its breaker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from . import checks, engines, markup
from .breaker import Breaker
from .engines import EngineSpec
from .engines.base import Frontend
from .errors import TTSError
from .guard import Guard
from .host import WorkerStatus
from .job import Job
from .pool import WorkerPool
from .readings import occurring
from .scheduler import Scheduler
from .speech import Audio, Cast, Piece, Segment, SpeechRequest
from .text import unhurried

SPLITTING = ("segment_tokens", "pause_ms")  # parameters that end here


@dataclass(frozen=True)
class BackendStatus:
    """One backend, for people. ``breaker``: closed, open (it gets nothing for ``rest`` seconds) or half-open."""

    engine: str
    state: str
    reason: str
    breaker: str
    rest: float
    waiting: int
    running: int
    restarts: int
    workers: tuple[WorkerStatus, ...]


class Backend(Guard):
    """``scheduler`` asks it as its guard. ``parts`` stand for those that the registry has for ``engine``.
    ``rescue`` and ``on_open`` are set by who knows of another backend."""

    def __init__(
        self,
        engine: str,
        hub: Path,
        scheduler: Scheduler,
        pool: WorkerPool,
        standby: bool = False,
        parts: tuple[EngineSpec, Frontend] | None = None,
    ) -> None:
        self.engine = engine
        self._standby = standby
        self.spec = engines.spec_of(engine) if parts is None else parts[0]
        self.frontend: Frontend = (
            engines.frontend_of(engine, hub / self.spec.model) if parts is None else parts[1]
        )
        if not self.spec.languages:
            self.spec = replace(self.spec, languages=_tongues(self.frontend))
        self.scheduler = scheduler
        self.pool = pool
        self.breaker = Breaker(time.monotonic)
        self.rescue: Callable[[Job, TTSError], bool] = lambda job, error: False
        self.on_open: Callable[[], None] = lambda: None
        scheduler.guard = self

    # ---- what it can

    @property
    def able(self) -> bool:
        """Whether it is worth sending something: its workers can be had, and it does not keep failing."""
        return not self.pool.failing and self.breaker.state != "open"

    @property
    def state(self) -> str:
        """Of its workers; a ``standby`` that was never needed is asleep: the first request wakes it."""
        if not self._standby:
            return self.pool.state
        state = self.pool.state if self.pool.begun else "asleep"
        return "waking" if state == "loading" else state

    def can(self, feature: str) -> bool:
        """Whether the engine has a feature (see ``EngineInfo``): as its registry entry says, until it is
        loaded and says itself; a checkpoint may lack something."""
        return feature in self.spec.features and feature in self.pool.info.get("features", (feature,))

    def status(self) -> BackendStatus:
        """For /v1/status."""
        pool, scheduler = self.pool, self.scheduler
        state = self.state
        return BackendStatus(
            engine=self.engine,
            state=state,
            reason=pool.reason if state in ("down", "restarting") else "",
            breaker=self.breaker.state,
            rest=round(self.breaker.seconds, 1),
            waiting=scheduler.waiting,
            running=scheduler.running,
            restarts=pool.restarts,
            workers=pool.workers(),
        )

    # ---- a request

    def split(self, request: SpeechRequest, tongues: Mapping[str, str], hurried: bool = True) -> list[Piece]:
        """What the frontend makes of the request's text; any thread. ``tongues``: what each voice speaks best.
        ``hurried``: the first piece is to be heard as soon as can be. With an engine that has seeds it always is:
        the same seed is the same sound, however many are about.

        Raises Invalid for marks that cannot be followed.
        """
        with nullcontext() if hurried or self.can("seed") else unhurried():
            return self._split(request, tongues)

    def _split(self, request: SpeechRequest, tongues: Mapping[str, str]) -> list[Piece]:
        spans = markup.parse(request.text)
        found: list[Piece] = []
        for span in spans:
            tongue = tongues.get(span.voice, "")
            if found and found[-1].voice == span.voice and not tongue.startswith(found[-1].language):
                tongue = found[-1].language  # as the same speaker went on before the pause
            made = self._pieces(span.text, request, tongue)
            if made and len(spans) > 1:
                made[-1] = replace(made[-1], pause_after=min(made[-1].pause_after, span.rest))
            found = markup.joined(found, span, made)
        return markup.begun(spans, found)

    def _pieces(self, text: str, request: SpeechRequest, tongue: str) -> list[Piece]:
        budget, pause = (request.params.get(name) for name in SPLITTING)
        known = [reading for reading in request.glossary if reading.kind in self.spec.readings]
        pieces = self.frontend.split(text, request.language, tongue or "zh-CN", budget, known)
        return pieces if pause is None else [replace(piece, pause_after=pause / 1000) for piece in pieces]

    def submit(self, job: Job) -> None:
        """Queue it; a standby's workers are started where they were not needed so far. Raises Overloaded."""
        self.scheduler.submit(job)
        if self._standby:
            self.pool.start()

    # ---- guard.Guard

    def allows(self, running: int) -> bool:
        """See ``Guard``."""
        return self.breaker.allows(running)

    def fault(self, segment: Segment, audio: Audio) -> str:
        """See ``Guard``."""
        return checks.fault(segment, audio, self.spec.token_seconds)

    def spoke(self) -> None:
        """See ``Guard``."""
        self.breaker.succeeded()

    def failed(self) -> None:
        """See ``Guard``."""
        if self.breaker.failed():
            self.on_open()

    def rescues(self, job: Job, error: TTSError) -> bool:
        """See ``Guard``."""
        return self.rescue(job, error)


def _tongues(frontend: Frontend) -> tuple[str, ...]:
    """What the voices speak, without their countries, in their order."""
    return tuple(dict.fromkeys(info.language.partition("-")[0] for info in frontend.voices()))


def segments(job_id: str, request: SpeechRequest, pieces: Sequence[Piece], cast: Cast) -> list[Segment]:
    """What the workers get of ``pieces``."""
    params = {key: value for key, value in request.params.items() if key not in SPLITTING}
    return [
        Segment(
            id=f"{job_id}/{index}",
            text=piece.text,
            spoken=piece.spoken,
            tokens=piece.tokens,
            language=piece.language,
            voices=cast[piece.voice],
            params={"speed": request.speed, **params},
            emotion=request.emotion,
            seed=request.seed,
            pause_after=piece.pause_after,
            pause_before=piece.pause_before,
            voice=piece.voice,
            marked=piece.marked,
            readings=tuple(occurring(request.glossary, piece.text)) if request.glossary else (),
        )
        for index, piece in enumerate(pieces)
    ]
