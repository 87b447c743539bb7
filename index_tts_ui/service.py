"""SpeechService: the only door. Page, API and jobs ask here and hear one stream of events."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import replace

from . import choice, engines
from .config import Config
from .door import Door
from .engines.base import Frontend
from .errors import Cancelled, Conflict, Invalid, NotFound, NotReady, TTSError
from .handle import Handle, Status
from .job import Job
from .outputs import OutputStore, Recording
from .pool import WorkerPool
from .scheduler import Scheduler
from .speech import Owner, Piece, Segment, SpeechRequest, VoiceRef
from .voice_desk import VoiceDesk

log = logging.getLogger("tts.service")

OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")  # names that unmodified clients send
INLINE_TEXT = 48  # characters that are split quicker than they are handed to another thread
LOADING_RETRY = 5  # seconds to suggest while the model loads
SPLITTING = ("segment_tokens", "pause_ms")  # parameters that end here
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class SpeechService(VoiceDesk):
    """Validates, resolves voices, splits the text with the engine's frontend, submits."""

    def __init__(
        self, config: Config, engine: str, scheduler: Scheduler, host: WorkerPool, outputs: OutputStore
    ) -> None:
        self.config = config
        self.engine = engine
        self.outputs = outputs
        self.host = host
        self._scheduler = scheduler
        self.spec = engines.REGISTRY[engine]
        model = (config.cache_hub / self.spec.model,) if self.spec.frontend_reads_model else ()
        self._frontend: Frontend = engines.resolve(self.spec.frontend)(*model)
        super().__init__(
            config.voices,
            engine,
            self._frontend.voices(),
            config.default_voice,
            clones="clone" in self.spec.features,
        )
        self._door = Door(engine, self.spec, self.can, self.voice_store.clip_key)
        self._active: dict[tuple[str, str], Job] = {}
        self._draining = self._refusing = False
        self._warm = False  # whether the frontend has its dictionaries
        self._hint = choice.hint(config, engine)
        self._keepers: set[asyncio.Task[None]] = set()

    # ---- what there is

    def models(self) -> list[str]:
        """What a request's ``model`` may say; the engine first."""
        return [self.engine, *OPENAI_MODELS]

    def check_model(self, model: str) -> None:
        """Raises NotFound for a model that is not served."""
        if model and model not in self.models():
            raise NotFound("model_not_found", param="model", model=model[:64])

    def can(self, feature: str) -> bool:
        """Whether the engine has a feature (see ``EngineInfo``): as its registry entry says, until it is
        loaded and says itself; a checkpoint may lack something."""
        return feature in self.spec.features and feature in self.host.info.get("features", (feature,))

    def status(self) -> Status:
        """For the badge, the probes and /v1/status."""
        host = self.host
        return Status(
            state="draining" if self._draining else host.state,
            engine=self.engine,
            fraction=round(host.fraction, 3),
            text=host.text,
            reason=host.reason if host.state in ("down", "restarting") else "",
            waiting=self._scheduler.waiting,
            running=self._scheduler.running,
            max_waiting=self._scheduler.limits.max_waiting,
            restarts=host.restarts,
            workers=host.workers(),
            hint=self._hint,
        )

    async def preview(
        self, text: str, *, language: str = "", voice: str = "", segment_tokens: int | None = None
    ) -> list[Piece]:
        """The segments that ``text`` would become, exactly. Raises Invalid or NotFound."""
        params = {} if segment_tokens is None else {"segment_tokens": segment_tokens}
        asked = self._door.checked(SpeechRequest(text, voice, language=language, params=params))
        self._check_text(text)
        nobody = not voice and not self.default_voice()  # a library may be empty yet
        return await self._split(asked, "" if nobody else self.voice_store.info(voice).language)

    # ---- one request

    async def submit(self, request: SpeechRequest, owner: Owner) -> Handle:
        """Take a request in, or say no at once: Invalid, NotFound, Conflict, Overloaded, NotReady."""
        self._check_ready(request.wait_ready)
        self._check_text(request.text)
        request = self._door.checked(request)
        self.check_model(request.model)
        voice, voices = self._resolved(request.voice)
        self._check_id(owner, request.id)
        self._scheduler.check_room()
        pieces = await self._split(request, voice.language)
        job = self._job(request, owner, pieces, voices)
        # again: the split gave others, and the worker's end, a turn
        self._check_ready(request.wait_ready)
        self._check_id(owner, request.id)
        self._scheduler.submit(job)
        self._active[owner.key, job.request_id] = job
        return Handle(job, pieces, self.rate, self)

    @property
    def rate(self) -> int:
        """Hz of the engine's sound; 24000 until it is known."""
        return int(self.host.info.get("sample_rate", 24_000))

    def keep(self, handle: Handle, attended: bool = True) -> Recording:
        """Spool the request's sound to outputs/; its events are then the recording's to read."""
        recording = self.outputs.create(handle.rate, handle.id)

        async def pump() -> None:
            await recording.follow(handle.events(), lambda: handle.cancel("nobody is listening"), attended)
            self.outputs.release(recording)

        task = asyncio.create_task(pump(), name=f"keep-{handle.id}")
        self._keepers.add(task)
        task.add_done_callback(self._keepers.discard)
        return recording

    def find(self, owner: Owner, request_id: str) -> Job:
        """The owner's request of that id. Raises NotFound where none is under way."""
        job = self._active.get((owner.key, request_id))
        if job is None or job.ended:
            raise NotFound("request_not_found", id=request_id[:128])
        return job

    def cancel(self, owner: Owner, request_id: str, reason: str) -> None:
        """Cancel by id. Raises NotFound."""
        self.end(self.find(owner, request_id), Cancelled("cancelled", reason=reason))

    def end(self, job: Job, error: TTSError) -> None:
        """Stop a request, if it has not ended, and forget it."""
        self._scheduler.cancel(job, error)
        if self._active.get((job.owner.key, job.request_id)) is job:
            del self._active[job.owner.key, job.request_id]

    # ---- life

    async def warm(self) -> None:
        """Let the frontend load its dictionaries before the first text comes; begin the voices' upkeep."""
        self.start_upkeep(self.config.cache_hub / "kokoro")
        await self.in_pool(self._frontend.split, "你好。 Hello.")
        self._warm = True

    async def drain(
        self, seconds: float, refuse: bool = True, over: Callable[[], bool] = lambda: True
    ) -> int:
        """Let what runs finish for ``seconds``, cancel the rest; returns how many.

        ``refuse``: take nothing new meanwhile. ``over``: whether nothing else is to be waited for.
        """
        self._draining, self._refusing = True, refuse
        deadline = asyncio.get_running_loop().time() + seconds
        while self._scheduler.jobs or self._keepers or not over():
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.05)
        self._refusing = True
        return self._scheduler.cancel_all(lambda: Cancelled("cancelled", reason="the service is stopping"))

    async def close(self) -> None:
        """End the worker, the upkeep and the pool."""
        await self.host.stop()
        await self.stop_upkeep()

    # ---- checks

    def _check_ready(self, wait_ready: bool) -> None:
        if self._refusing:
            raise NotReady("draining", retry_after=LOADING_RETRY)
        if self.host.state == "down":
            raise NotReady("engine_down", reason=self.host.reason)
        if self.host.state == "loading" and not wait_ready:
            raise NotReady("loading", retry_after=LOADING_RETRY)

    def _check_text(self, text: str) -> None:
        if not text.strip():
            raise Invalid("empty_text", param="input")
        if len(text) > self.config.max_text:
            raise Invalid("text_too_long", param="input", length=len(text), limit=self.config.max_text)

    def _check_id(self, owner: Owner, request_id: str | None) -> None:
        if request_id is None:
            return
        if not _REQUEST_ID.fullmatch(request_id):
            raise Invalid("bad_value", param="X-Request-Id", reason="must be 1 to 128 of A-Z a-z 0-9 . _ -")
        job = self._active.get((owner.key, request_id))
        if job is not None and not job.ended:
            raise Conflict("id_in_use", id=request_id)

    async def _split(self, request: SpeechRequest, voice_language: str) -> list[Piece]:
        text, budget = request.text, request.params.get("segment_tokens")
        arguments = (text, request.language, voice_language or "zh-CN", budget)
        if self._warm and len(text) <= INLINE_TEXT:
            pieces = self._frontend.split(*arguments)
        else:
            pieces = await self.in_pool(self._frontend.split, *arguments)
        if not pieces:
            raise Invalid("nothing_to_speak", param="input")
        pause = request.params.get("pause_ms")
        return pieces if pause is None else [replace(piece, pause_after=pause / 1000) for piece in pieces]

    def _job(
        self, request: SpeechRequest, owner: Owner, pieces: list[Piece], voices: tuple[VoiceRef, ...]
    ) -> Job:
        job_id = secrets.token_hex(8)
        params = {key: value for key, value in request.params.items() if key not in SPLITTING}
        segments = [
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
        request_id = request.id or f"req-{secrets.token_urlsafe(12)}"
        return Job(job_id, request_id, owner, segments, len(request.text), request.timeout)
