"""Backend: one engine with all that makes it speak: its frontend, its queue, its workers, its breaker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import checks, engines
from .breaker import Breaker
from .engines.base import Frontend
from .errors import TTSError
from .guard import Guard
from .host import WorkerStatus
from .job import Job
from .pool import WorkerPool
from .scheduler import Scheduler
from .speech import Audio, Piece, Segment, SpeechRequest, VoiceRef

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
    """``scheduler`` asks it as its guard. ``rescue`` and ``on_open`` are set by who knows of another backend."""

    def __init__(
        self, engine: str, hub: Path, scheduler: Scheduler, pool: WorkerPool, standby: bool = False
    ) -> None:
        self.engine = engine
        self._standby = standby
        self.spec = engines.REGISTRY[engine]
        model = (hub / self.spec.model,) if self.spec.frontend_reads_model else ()
        self.frontend: Frontend = engines.resolve(self.spec.frontend)(*model)
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

    def split(self, request: SpeechRequest, voice_language: str) -> list[Piece]:
        """What the frontend makes of the request's text; any thread."""
        budget, pause = (request.params.get(name) for name in SPLITTING)
        pieces = self.frontend.split(request.text, request.language, voice_language or "zh-CN", budget)
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


def segments(
    job_id: str, request: SpeechRequest, pieces: Sequence[Piece], voices: tuple[VoiceRef, ...]
) -> list[Segment]:
    """What the workers get of ``pieces``."""
    params = {key: value for key, value in request.params.items() if key not in SPLITTING}
    return [
        Segment(
            id=f"{job_id}/{index}",
            text=piece.text,
            spoken=piece.spoken,
            tokens=piece.tokens,
            language=piece.language,
            voices=voices,
            params={"speed": request.speed, **params},
            emotion=request.emotion,
            seed=request.seed,
            pause_after=piece.pause_after,
        )
        for index, piece in enumerate(pieces)
    ]
