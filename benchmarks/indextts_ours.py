"""The service in this process, with its real worker process, asked by many users at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index_tts_ui.app import build_service
from index_tts_ui.config import Config
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Ended, Owner, SegmentReady, SpeechRequest

from .indextts_serial import BUDGET, RATE, Setup

READY_SECONDS = 600
HOP = 256  # samples of a mel frame


@dataclass(frozen=True, slots=True)
class Measured:
    """``audio_rate``: seconds of the engine's sound per second; ``stages``: share of the engine's time."""

    users: int
    audio_rate: float
    audio_seconds: float
    first_p50_ms: float
    first_p95_ms: float
    memory_mb: float
    stages: dict[str, float]


class Ours:
    """One running service."""

    def __init__(self, service: SpeechService, setup: Setup) -> None:
        self._service, self._setup = service, setup

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, setup: Setup, home: Path, rows: int, options: str) -> AsyncIterator[Ours]:
        """Started and ready, in a home of its own."""
        engine = f"indextts{setup.version}"
        (home / "cache_hub").mkdir()
        (home / "cache_hub" / engine).symlink_to(setup.folder)
        config = Config(
            home=str(home),
            engine=engine,
            device=setup.device,
            engine_options=options,
            max_batch_size=rows,
            max_waiting=10_000,
            timeout=3600,
            queue_timeout=3600,
        )
        service = build_service(config)
        service.host.start()
        try:
            await cls._ready(service)
            yield cls(service, setup)
        finally:
            await service.close()

    @staticmethod
    async def _ready(service: SpeechService) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while service.host.state != "ready":
            if time.monotonic() > deadline or service.host.gave_up is not None:
                raise SystemExit(f"the engine did not start: {service.host.reason or service.host.text}")
            await asyncio.sleep(0.05)

    async def add(self, clip: bytes) -> str:
        """Store a voice's clip; what requests call it."""
        return f"clip:{(await self._service.add_clip(clip)).key}"

    async def segments(self, text: str, voice: str) -> int:
        """How many segments the long text becomes."""
        return len(await self._service.preview(text, voice=voice, segment_tokens=BUDGET))

    def device_name(self) -> str:
        """What it was measured on."""
        if not self._setup.device.startswith("cuda"):
            return "cpu"
        import torch

        return torch.cuda.get_device_name(self._setup.device)

    async def measure(self, users: int, text: str, voice: str, requests: int) -> Measured:
        """``users`` at once, each with ``requests`` one after the other."""
        before = await self._stats()
        began = time.perf_counter()
        firsts = await asyncio.gather(*(self._user(n, text, voice, requests) for n in range(users)))
        wall = time.perf_counter() - began
        after = await self._stats()
        seconds = (after.get("frames", 0) - before.get("frames", 0)) * HOP / RATE
        times = sorted(time for one in firsts for time in one)
        spent = {
            name: value - before.get("seconds", {}).get(name, 0.0) for name, value in after["seconds"].items()
        }
        total = sum(spent.values()) or 1.0
        return Measured(
            users=users,
            audio_rate=seconds / wall,
            audio_seconds=seconds,
            first_p50_ms=1000 * times[len(times) // 2],
            first_p95_ms=1000 * times[min(len(times) - 1, int(0.95 * len(times)))],
            memory_mb=after.get("device_mb") or after.get("resident_mb", 0.0),
            stages={name: value / total for name, value in spent.items()},
        )

    async def _user(self, number: int, text: str, voice: str, requests: int) -> list[float]:
        """Seconds to the first sound of each request."""
        firsts = []
        params: dict[str, Any] = {"max_codes": self._setup.codes, "segment_tokens": BUDGET}
        for turn in range(requests):
            request = SpeechRequest(text, voice, language="zh", seed=1000 * number + turn, params=params)
            began = time.perf_counter()
            first = 0.0
            handle = await self._service.submit(request, Owner(f"user-{number}"))
            async for event in handle.events():
                if isinstance(event, SegmentReady):
                    first = first or time.perf_counter() - began
                elif isinstance(event, Ended) and event.error is not None:
                    raise event.error
            firsts.append(first)
        return firsts

    async def _stats(self) -> dict[str, Any]:
        """The engine's figures once it rests: two beats (0.5 s apart) that agree."""
        seen: dict[str, Any] = {}
        for _ in range(40):
            await asyncio.sleep(0.6)
            now = self._service.host.workers()[0].stats
            if seen and now.get("frames") == seen.get("frames") and "seconds" in now:
                return dict(now)
            seen = dict(now)
        return seen
