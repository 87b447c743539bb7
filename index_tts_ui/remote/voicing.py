"""Voicing: a segment as sound from one upstream; clips that it needs are brought there first, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..speech import Audio, Segment
from .about import OURS, About
from .answers import Failed, Refused
from .client import Client
from .dialect import body, clips_of, data_url
from .upstreams import Upstream

KEPT = 32  # clips whose data is kept ready for requests


class Voicing:
    """``clips`` is the folder of reference clips, by sha256."""

    def __init__(self, client: Client, upstream: Upstream, about: About, clips: Path) -> None:
        self._client = client
        self._upstream = upstream
        self._about = about
        self._folder = clips
        self._there: dict[str, asyncio.Task[str]] = {}  # what stands for a clip, or is being made to
        self._bringing: set[asyncio.Task[str]] = set()

    async def speak(self, segment: Segment) -> Audio:
        """Raises Failed, Busy or Refused."""
        try:
            return await self._speak(segment)
        except Refused as refused:
            if refused.code != "clip_not_found":
                raise
        for key in clips_of(segment):  # it forgot them: bring them once more
            self._there.pop(key, None)
        return await self._speak(segment)

    async def close(self) -> None:
        """Nothing is brought any more."""
        for task in self._bringing:
            task.cancel()
        await asyncio.gather(*self._bringing, return_exceptions=True)

    async def _speak(self, segment: Segment) -> Audio:
        clips = {key: await self._clip(key) for key in clips_of(segment)}
        return await self._client.speak(body(segment, self._upstream, self._about, clips))

    async def _clip(self, key: str) -> str:
        """Segments that need the same clip wait for the same upload, also when one of them is cancelled."""
        task = self._there.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            while len(self._there) >= KEPT:
                del self._there[next(iter(self._there))]
            task = self._there[key] = asyncio.create_task(self._bring(key), name=f"clip-{key[:8]}")
            self._bringing.add(task)
            task.add_done_callback(self._brought)
        return await asyncio.shield(task)

    def _brought(self, task: asyncio.Task[str]) -> None:
        self._bringing.discard(task)
        if not task.cancelled():
            task.exception()  # who asked has it; where nobody does any more, it is nobody's

    async def _bring(self, key: str) -> str:
        try:
            wav = await asyncio.to_thread((self._folder / f"{key}.wav").read_bytes)
        except OSError as error:
            raise Refused(key, 404, "clip_not_found") from error
        if self._about.kind != OURS:
            return data_url(wav)
        answer = await self._client.upload("/v1/audio/clips", wav)
        found = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(found, str) or not found.startswith("clip:"):
            raise Failed("its answer to a clip makes no sense")
        return found.removeprefix("clip:")
