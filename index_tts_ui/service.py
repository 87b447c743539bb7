"""SpeechService: the only door. Page, API and jobs ask here and hear one stream of events."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from . import choice, text_checks
from .backend import Backend, segments
from .config import Config
from .dictionary import Dictionary
from .door import Door
from .errors import Cancelled, Conflict, Invalid, NotFound, NotReady, TTSError
from .failover import Failover
from .handle import Handle, Status
from .history import History
from .job import Job
from .outputs import OutputStore, Recording
from .quota import Quota
from .reading_door import ReadingDoor
from .readings import layered, occurring
from .recall import Recall
from .records import Records
from .speech import Cast, Owner, Piece, Reading, SpeechRequest
from .steward import Steward
from .steward import UnderWay as UnderWay
from .voice_desk import NOBODY, VoiceDesk

log = logging.getLogger("tts.service")

OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")  # names that unmodified clients send
INLINE_TEXT = 48  # characters that are split quicker than they are handed to another thread
LOADING_RETRY = 5  # seconds to suggest while the model loads
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class SpeechService(VoiceDesk):
    """Validates, resolves voices, splits the text with the engine's frontend, submits."""

    def __init__(
        self, config: Config, primary: Backend, backup: Backend | None, outputs: OutputStore
    ) -> None:
        engine = primary.engine
        self.config = config
        self.engine = engine
        self.outputs = outputs
        self.history = History(config.history, outputs, config.history_days, config.history_mb)
        self.quota = Quota(config.rate_of_strangers, config.home_dir / "run" / f"quota-{config.name}.json")
        self.host = primary.pool
        self.spec = primary.spec
        self._primary = primary
        self._scheduler = primary.scheduler
        self._frontend = primary.frontend
        super().__init__(
            config.voices,
            engine,
            self._frontend.voices(),
            config.default_voice,
            clones="clone" in self.spec.features,
            blends="blend" in self.spec.features,
        )
        readings = ReadingDoor(engine, self.spec, self._frontend.unsayable)
        self.dictionary = Dictionary(config.home_dir / "dictionary.json", readings)
        self._door = Door(engine, self.spec, self.can, self.voice_store.clip_key, readings)
        self.failover = Failover(primary, backup, self.library, self.in_pool)
        self._active: dict[tuple[str, str], Job] = {}
        self._text_checks = text_checks.load(config)
        self.steward = Steward(self._active, self.failover, self.end)
        self._draining = self._refusing = False
        self._on_drain: list[Callable[[], None]] = []
        self._warm = False  # whether the frontend has its dictionaries
        self._hint = choice.hint(config, engine)
        self._keepers: set[asyncio.Task[None]] = set()
        self.records = Records.of(config, self.status, [one.scheduler for one in self.failover.backends])
        for one in self.failover.backends:
            one.pool.on_ended(partial(self.records.worker_ended, one.engine))
        model = config.cache_hub / (self.spec.model or engine)
        self._recall = Recall(config, self, model, self._prepare, self._take_in, self._enter)

    # ---- what there is

    def models(self) -> list[str]:
        """What a request's ``model`` may say; the engine first."""
        return [self.engine, *OPENAI_MODELS]

    def check_model(self, model: str) -> None:
        """Raises NotFound for a model that is not served."""
        if model and model not in self.models():
            raise NotFound("model_not_found", param="model", model=model[:64])

    def refresh_voices(self) -> None:
        """The engine's own voices came or went."""
        self.voice_store.replace_builtin(self._frontend.voices())

    def can(self, feature: str) -> bool:
        """Whether the engine has a feature (see ``EngineInfo``): as its registry entry says, until it is
        loaded and says itself; a checkpoint may lack something."""
        return self._primary.can(feature)

    @property
    def draining(self) -> bool:
        """Whether it is about to stop."""
        return self._draining

    def on_drain(self, function: Callable[[], None]) -> None:
        """Have it called when the service begins to stop."""
        self._on_drain.append(function)

    def status(self) -> Status:
        """For the badge, the probes and /v1/status."""
        host, backends = self.host, tuple(one.status() for one in self.failover.backends)
        return Status(
            state="draining" if self._draining else host.state,
            engine=self.engine,
            fraction=round(host.fraction, 3),
            text=host.text,
            reason=host.reason if host.state in ("down", "restarting") else "",
            waiting=sum(one.waiting for one in backends) + self.failover.moving,
            running=sum(one.running for one in backends),
            max_waiting=self._scheduler.limits.max_waiting,
            restarts=host.restarts,
            workers=host.workers(),
            hint=self._hint,
            backends=backends,
            stands_in=self.failover.stands_in,
        )

    async def preview(
        self,
        text: str,
        *,
        language: str = "",
        voice: str = "",
        segment_tokens: int | None = None,
        pause_ms: int | None = None,
        owner: Owner | None = None,
        glossary: tuple[Reading, ...] = (),
        dictionary: bool = True,
        words_checked: bool = True,
    ) -> list[Piece]:
        """The segments that ``text`` would become, exactly; voices as ``owner`` means them.

        Raises Invalid or NotFound, where speech would; unless ``words_checked``, not of the text checks.
        """
        given = {"segment_tokens": segment_tokens, "pause_ms": pause_ms}
        params = {name: value for name, value in given.items() if value is not None}
        asked = SpeechRequest(text, voice, language=language, params=params)
        asked = self._door.checked(replace(asked, glossary=glossary, dictionary=dictionary))
        self._check_text(text)
        asked = self._with_readings(asked, owner or NOBODY)
        tongues = self.tongues(text, voice, owner)
        if words_checked:
            await self._check_words(asked, owner or NOBODY)
        return await self._split(asked, tongues)

    def check(self, request: SpeechRequest, owner: Owner) -> None:
        """Raises what :meth:`submit` would of these values, whatever the text and the queue."""
        request = self.meant(request, owner)
        self._door.checked(request)
        self.check_model(request.model)
        self.cast(request.text, request.voice, owner, needed=not self.failover.stands_in)

    # ---- one request

    async def submit(self, request: SpeechRequest, owner: Owner, idempotency_key: str = "") -> Handle:
        """Take a request in, or say no at once: Invalid, NotFound, Conflict, Overloaded, NotReady.

        With an ``idempotency_key`` of the owner's, the same request is spoken once: who asks again
        within a day gets that sound; it is spoken to its end also when the client goes away.
        """
        with self.records.opened(request, owner) as account:
            if idempotency_key or self._recall.keeps(request):
                handle = await self._recall.submit(request, owner, self.host.info, idempotency_key)
            else:
                handle = await self._take_in(request, owner)
            self.records.follow(account, handle)
        handle.asked = replace(request, voice=request.voice or self.default_voice())
        return handle

    async def _prepare(self, request: SpeechRequest, owner: Owner) -> tuple[SpeechRequest, Cast, list[Piece]]:
        """What it means, where it would not be refused anyway."""
        if self._refusing:
            raise NotReady("draining", retry_after=LOADING_RETRY)
        asked, tongues, cast = self._admitted(request, owner)
        await self._check_words(asked, owner)
        return asked, cast, await self._split(asked, tongues)

    def _enter(self, job: Job) -> None:
        self._check_id(job.owner, job.request_id)
        self._active[job.owner.key, job.request_id] = job

    def _admitted(
        self, request: SpeechRequest, owner: Owner
    ) -> tuple[SpeechRequest, Mapping[str, str], Cast]:
        """The request as an engine takes it, what its voices speak best, and who they are. Raises what
        ``submit`` does."""
        self._check_text(request.text)
        self.quota.check(owner, len(request.text))
        request = self._door.checked(self.meant(request, owner))
        self.check_model(request.model)
        tongues = self.tongues(request.text, request.voice, owner)
        # a backup that stands in has voices where the library has none yet
        cast = self.cast(request.text, request.voice, owner, needed=not self.failover.stands_in)
        self._check_id(owner, request.id)
        return self._with_readings(request, owner), tongues, cast

    def _with_readings(self, request: SpeechRequest, owner: Owner) -> SpeechRequest:
        """Its glossary and what the dictionary adds to that, as far as the text has their words."""
        found = occurring(request.glossary, request.text)
        if request.dictionary:
            found = layered(found, self.dictionary.readings(owner, request.text))
        return replace(request, glossary=tuple(found)) if found or request.glossary else request

    async def _take_in(self, request: SpeechRequest, owner: Owner) -> Handle:
        self._check_ready(request.wait_ready)
        request, tongues, cast = self._admitted(request, owner)
        self._scheduler.check_room(owner, request.background)
        await self._check_words(request, owner)
        pieces = await self._split(request, tongues)
        job = self._job(request, owner, pieces, cast)
        # again: the split gave others, and the worker's end, a turn
        self._check_id(owner, request.id)
        if not await self.failover.take(job):
            self._check_ready(request.wait_ready, itself=True)
            if not cast[""]:
                raise Invalid("no_voice", param="voice")
            self._primary.submit(job)
        self.quota.charge(owner, len(request.text))
        self._active[owner.key, job.request_id] = job
        return Handle(job, self.rate, self)

    @property
    def rate(self) -> int:
        """Hz of the engine's sound; 24000 until it is known."""
        return int(self.host.info.get("sample_rate", 24_000))

    def keep(self, handle: Handle, attended: bool = True) -> Recording:
        """Spool the request's sound to outputs/; its events are then the recording's to read."""
        recording = self.outputs.create(handle.rate, handle.id)
        if handle.asked is not None:
            recording.made_by(handle.job.owner, handle.asked, handle)

        async def pump() -> None:
            await recording.follow(handle.events(), lambda: handle.cancel("nobody is listening"), attended)
            self.outputs.release(recording)
            self.history.ended(recording)

        task = asyncio.create_task(pump(), name=f"keep-{handle.id}")
        self._keepers.add(task)
        task.add_done_callback(self._keepers.discard)
        return recording

    def remember(
        self,
        recording: Recording,
        request: SpeechRequest,
        owner: Owner,
        said: Mapping[str, Any] | None = None,
    ) -> None:
        """Have the history tell of a recording, once it has ended; ``said``: settings to show instead."""
        named = replace(request, voice=request.voice or self.default_voice())
        voice = self.find_voice(named.voice, owner)
        name = voice.name if voice and voice.kind != "builtin" else ""
        self.history.follow(recording, named, owner, said or {}, name)

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
        self.failover.cancel(job, error)
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
        for told in self._on_drain:
            told()
        deadline = asyncio.get_running_loop().time() + seconds
        while self.failover.busy or self._keepers or not over():
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.05)
        self._refusing = True
        self._apart.close()  # uploads that are still decoded have an answer, too
        return self.failover.cancel_all(lambda: Cancelled("cancelled", reason="the service is stopping"))

    @property
    def gave_up(self) -> int | None:
        """The exit code to end with, once no engine can be had: 78 where a restart cannot help."""
        return self.failover.gave_up

    async def close(self) -> None:
        """End the worker, the upkeep and the pool. A second time does no harm."""
        await self.failover.stop()
        await self.stop_upkeep()
        await asyncio.to_thread(self.history.close)
        self.quota.close()
        self.records.close()

    async def _clips_wanted(self) -> set[str]:
        return await self.history.clips()

    # ---- checks

    def _check_ready(self, wait_ready: bool, itself: bool = False) -> None:
        """``itself``: the engine, and not what may stand in for it."""
        if self._refusing:
            raise NotReady("draining", retry_after=LOADING_RETRY)
        if self.failover.stands_in and not itself:
            return
        state = self.host.state
        if state == "down":
            raise NotReady("engine_down", reason=self.host.reason)
        if state == "loading" and not wait_ready:
            raise NotReady("loading", retry_after=LOADING_RETRY)

    def _check_text(self, text: str) -> None:
        if not text.strip():
            raise Invalid("empty_text", param="input")
        if len(text) > self.config.max_text:
            raise Invalid("text_too_long", param="input", length=len(text), limit=self.config.max_text)

    async def _check_words(self, request: SpeechRequest, owner: Owner) -> None:
        """All that will be said: a reading may say what its word does not."""
        text = "\n".join([request.text, *(reading.said for reading in request.glossary)])
        for check in self._text_checks:
            await self.in_pool(check, text, owner)

    def _check_id(self, owner: Owner, request_id: str | None) -> None:
        if request_id is None:
            return
        if not _REQUEST_ID.fullmatch(request_id):
            raise Invalid("bad_value", param="X-Request-Id", reason="must be 1 to 128 of A-Z a-z 0-9 . _ -")
        job = self._active.get((owner.key, request_id))
        if job is not None and not job.ended:
            raise Conflict("id_in_use", id=request_id)

    async def _split(self, request: SpeechRequest, tongues: Mapping[str, str]) -> list[Piece]:
        # a job is cut as ever, so that it can be taken up again
        hurried = request.background or not self._scheduler.crowded
        if self._warm and len(request.text) <= INLINE_TEXT:
            pieces = self._primary.split(request, tongues, hurried)
        else:
            pieces = await self.in_pool(self._primary.split, request, tongues, hurried)
        if not pieces:
            raise Invalid("nothing_to_speak", param="input")
        return pieces

    def _job(self, request: SpeechRequest, owner: Owner, pieces: list[Piece], cast: Cast) -> Job:
        request_id = request.id or f"req-{secrets.token_urlsafe(12)}"
        job_id = f"{request_id}~{secrets.token_hex(4)}"  # segments are named after it, down to the engine
        made = segments(job_id, request, pieces, cast)
        return Job(
            job_id,
            request_id,
            owner,
            made,
            len(request.text),
            request.timeout,
            background=request.background,
            request=request,
            cast=cast,
        )
