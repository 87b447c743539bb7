"""Recall: which requests may be answered by what was spoken for an equal one, and where that is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import fingerprint
from .answers import AnswerStore
from .config import Config
from .handle import Handle, Keeper
from .job import Job
from .sharing import Sharing
from .speech import Cast, Owner, Piece, SpeechRequest

REPEAT_SECONDS = 86_400.0  # for which an Idempotency-Key is remembered
Prepared = tuple[SpeechRequest, Cast, Sequence[Piece]]
Prepare = Callable[[SpeechRequest, Owner], Awaitable[Prepared]]
Speak = Callable[[SpeechRequest, Owner], Awaitable[Handle]]


class Recall:
    """``prepare`` says what a request means, and raises where it would be refused; ``speak`` has it spoken;
    ``enter`` registers a listener's job; ``model`` is the folder of the engine's weights."""

    def __init__(
        self,
        config: Config,
        keeper: Keeper,
        model: Path,
        prepare: Prepare,
        speak: Speak,
        enter: Callable[[Job], None],
    ) -> None:
        self.sharing = Sharing(AnswerStore(config.answers, config.cache_mb), keeper, enter)
        self._setting = config.cache
        self._model = fingerprint.of_model(model, config.engine_options)
        self._prepare = prepare
        self._speak = speak

    def keeps(self, request: SpeechRequest) -> bool:
        """Whether equal requests may share its sound."""
        if self._setting == "off":
            return False
        return self._setting == "on" if request.cache is None else request.cache

    async def submit(
        self, request: SpeechRequest, owner: Owner, engine: Mapping[str, Any], idempotency_key: str = ""
    ) -> Handle:
        """``engine``: what it says of itself; empty before it is known, and then nothing is shared."""
        place = fingerprint.of_key(idempotency_key, owner) if idempotency_key else ""
        asked, cast, pieces = await self._prepare(request, owner)
        keeps = self.keeps(request) and bool(engine)
        sound = fingerprint.sound(asked, cast, pieces, engine, self._model)
        # each listener has its own id and timeout; what is spoken for them all has neither
        inner = replace(request, id=None, timeout=None) if place or keeps else request

        async def speak() -> Handle:
            return await self._speak(inner, owner)

        async def share() -> Handle:
            return await self.sharing.submit(inner if place else request, owner, sound, speak)

        lead = share if keeps else speak
        if not place:
            return await lead()
        same = fingerprint.asked(replace(asked, glossary=request.glossary), cast)
        return await self.sharing.submit(request, owner, same, lead, key=place, keep_seconds=REPEAT_SECONDS)
