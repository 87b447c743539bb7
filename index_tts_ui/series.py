"""Series: the last quarter of an hour in figures, for plots. Read from what ``GET /metrics`` is made of.

A sample every few seconds; whoever is not looking costs the service nothing more than that.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .handle import Status
from .metrics import Metrics

STEP = 5.0  # seconds
KEPT = 180  # samples: 15 minutes
RATE_STEPS = 3  # what rates are counted over: a single step is too few segments
LATENCY_STEPS = 12  # latencies are those of the last minute
FAILED = ("engine_failed", "internal", "deadline", "not_ready")  # outcomes that are no caller's doing
LATENCIES = {"wait": "wait_seconds", "first": "first_audio_seconds", "segment": "segment_seconds"}
STATM = Path("/proc/self/statm")
PAGE_MB = resource.getpagesize() / 2**20
ALL = ""  # the engine that stands for all of them
Buckets = dict[float, float]  # upper bound in seconds -> how many were at most that


@dataclass
class Counts:
    """What one engine (or all) has done since the server started."""

    segments: float = 0.0
    together: float = 0.0  # segments that workers had, summed over the segments that were done
    audio: float = 0.0  # seconds
    failed: float = 0.0
    refused: float = 0.0
    latencies: dict[str, Buckets] = field(default_factory=lambda: {name: {} for name in LATENCIES})


def counted(metrics: Metrics) -> dict[str, Counts]:
    """By engine, and ``ALL``."""
    found: dict[str, Counts] = {ALL: Counts()}
    for sample in metrics.counted():
        engine = sample.labels.get("engine", ALL)
        for name in {ALL, engine}:
            _add(found.setdefault(name, Counts()), sample.name.removeprefix("tts_"), sample)
    return found


def _add(counts: Counts, name: str, sample: Any) -> None:
    if name == "segment_seconds_count":
        counts.segments += sample.value
    elif name == "batch_segments_sum":
        counts.together += sample.value
    elif name == "made_seconds_total":
        counts.audio += sample.value
    elif name == "requests_total":
        counts.failed += sample.value * (sample.labels["outcome"] in FAILED)
        counts.refused += sample.value * (sample.labels["outcome"] == "overloaded")
    elif name.endswith("_bucket"):
        for latency, source in LATENCIES.items():
            if name == f"{source}_bucket":
                buckets, bound = counts.latencies[latency], float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0.0) + sample.value


def quantile(buckets: Buckets, share: float) -> float | None:
    """As Prometheus' histogram_quantile: interpolated within its bucket; None where nothing was counted."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    rank, low, below = share * total, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            if bound == float("inf"):
                return low
            inside = buckets[bound] - below
            return low + (bound - low) * ((rank - below) / inside if inside else 1.0)
        low, below = bound, buckets[bound]
    return low


class Series:
    """``keep`` it going in the background. ``since`` is what pages ask for."""

    step = STEP

    def __init__(
        self, metrics: Metrics, status: Callable[[], Status], clock: Callable[[], float] = time.time
    ) -> None:
        self.began = clock()  # tells a page that the server is another one
        self._metrics = metrics
        self._status = status
        self._clock = clock
        self._number = 0
        self._samples: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._counts: deque[dict[str, Counts]] = deque([counted(metrics)], maxlen=LATENCY_STEPS + 1)

    async def keep(self) -> None:
        """A sample every ``STEP`` seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(STEP)
            self.sample()

    def since(self, number: int) -> list[dict[str, Any]]:
        """The samples after that one."""
        return [sample for sample in self._samples if sample["number"] > number]

    def sample(self) -> None:
        """Take one now."""
        now, status = counted(self._metrics), self._status()
        self._counts.append(now)
        self._number += 1
        before = self._counts[-2]
        self._samples.append(
            {
                "number": self._number,
                "at": round(self._clock(), 1),
                "ready": status.ready,
                "waiting": status.waiting,
                "running": status.running,
                "failed": now[ALL].failed - before[ALL].failed,
                "refused": now[ALL].refused - before[ALL].refused,
                "server_mb": _resident_mb(),
                **self._of(ALL),
                "engines": {
                    one.engine: {"waiting": one.waiting, "running": one.running, **self._of(one.engine)}
                    for one in status.backends
                },
                "workers": [
                    {
                        "engine": one.engine,
                        "device": worker.device,
                        "memory_mb": worker.stats.get("resident_mb"),
                        "device_mb": worker.stats.get("device_mb"),
                    }
                    for one in status.backends
                    for worker in one.workers
                ],
            }
        )

    def _of(self, engine: str) -> dict[str, float | None]:
        """Rates and latencies of one engine."""
        now, steps = self._counts[-1].get(engine, Counts()), len(self._counts) - 1
        recent = self._counts[-1 - min(RATE_STEPS, steps)].get(engine, Counts())
        minute = self._counts[0].get(engine, Counts())
        seconds, segments = STEP * min(RATE_STEPS, steps), now.segments - recent.segments
        found: dict[str, float | None] = {
            "segments": round(segments / seconds, 3),
            "batch": round((now.together - recent.together) / segments, 2) if segments else None,
            "audio": round((now.audio - recent.audio) / seconds, 3),
        }
        for name, buckets in now.latencies.items():
            grown = _grown(buckets, minute.latencies[name])
            for share in (50, 95):
                value = quantile(grown, share / 100)
                found[f"{name}_p{share}"] = None if value is None else round(value, 4)
        return found


def _grown(now: Buckets, before: Buckets) -> Buckets:
    return {bound: value - before.get(bound, 0.0) for bound, value in now.items()}


def _resident_mb() -> float | None:
    """What ``process_resident_memory_bytes`` says, in MiB."""
    try:
        return round(int(STATM.read_text("ascii").split()[1]) * PAGE_MB, 1)
    except (OSError, ValueError, IndexError):
        return None
