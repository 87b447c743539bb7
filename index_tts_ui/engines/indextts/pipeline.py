"""The rows' way: every step gives each stage that has rows one unit of work, so that none stalls another."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch

from ...speech import Audio, Segment, VoiceRef
from ..base import Result
from .stages import Stages
from .types import Decoded
from .work import BadSegment, Work

log = logging.getLogger("tts.indextts")
RATE = 22_050  # Hz


class Pipeline:
    """Segments in, results out; the rules of ``engines.base.Engine`` for each method.

    ``greedy``: no sampling. ``profile``: ``stats()["seconds"]`` are exact on a GPU, which costs time.
    """

    def __init__(self, stages: Stages, greedy: bool = False, profile: bool = False) -> None:
        self._do = stages
        self._greedy = greedy
        self._profile = profile and stages.device.type == "cuda"
        self._door: list[Work] = []  # waits for its clips, or for a slot
        self._works: dict[str, Work] = {}  # everybody
        self._entered: list[Work] = []  # joined the decoder since its last good step
        self._later: set[str] = set()  # behind the decoder
        self._results: list[Result] = []
        self._cancelled: set[str] = set()
        self._lock = Lock()  # guards _cancelled
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._counts: Counter[str] = Counter()

    # ---- the worker's questions

    def free(self) -> int:
        """Open slots and a few places at the door; none while the later stages are behind."""
        slots = self._do.plan.slots
        if len(self._later) >= 2 * slots:
            return 0
        return max(0, self._do.decoder.free + max(1, slots // 4) - len(self._door))

    def busy(self) -> bool:
        """Whether a stage has anything to do."""
        waits = self._works or self._results or self._do.conditioner.busy()
        return bool(waits or (self._do.describer and self._do.describer.busy()))

    def admit(self, segment: Segment) -> None:
        """At the door it waits for its clips and a slot."""
        try:
            work = Work.of(segment, self._do.codes_per_second, self._greedy)
            if work.description and self._do.describer is None:
                raise BadSegment(
                    "the checkpoint has no emotion model: describe the emotion by weights or a clip"
                )
        except BadSegment as error:
            self._results.append(Result(segment.id, None, "engine_failed", str(error)))
            return
        self._works[segment.id] = work
        self._door.append(work)
        self._do.conditioner.pin(work.items)
        self._do.conditioner.wanted(work.items)
        if work.description and self._do.describer:
            self._do.describer.wanted([work.description])

    def cancel(self, segment_id: str) -> None:
        """The next step begins without it."""
        with self._lock:
            self._cancelled.add(segment_id)

    def warm(self, voice: VoiceRef) -> None:
        """Encode a clip ahead of its first segment."""
        if voice.kind == "clip":
            self._do.conditioner.wanted([(voice.key, "speaker"), (voice.key, "emotion")])

    def stats(self) -> dict[str, Any]:
        """Rows by stage, seconds by stage, memory."""
        decoding = self._do.plan.slots - self._do.decoder.free
        found: dict[str, Any] = {
            "rows": decoding,
            "door": len(self._door),
            "later": len(self._later),
            "slots": self._do.plan.slots,
            "seconds": {name: round(value, 3) for name, value in self._seconds.items()},
            **self._counts,
            **self._do.conditioner.stats(),
        }
        if self._do.device.type == "cuda":
            found["device_mb"] = torch.cuda.memory_reserved(self._do.device) >> 20
        return found

    def rehearse(self, work: Work) -> None:
        """Take ``work``, whose voice is there, through all stages, and count nothing of it."""
        self._works[work.id] = work
        self._do.conditioner.pin(work.items)
        self._start(work)
        while self._works:
            self.step()
        self._seconds.clear()
        self._counts.clear()

    # ---- one step

    def step(self) -> list[Result]:
        """One unit of each stage; the segments that are done with it."""
        self._drop_cancelled()
        self._stage("clips", self._listen, self._spare_clips)
        self._stage("prefix", self._enter, self._spare_decoder)
        self._stage("decode", self._decode, self._spare_decoder)
        self._stage("diffusion", self._diffuse, self._spare_diffuser)
        self._stage("vocoder", self._vocode, self._spare_vocoder)
        results, self._results = self._results, []
        for result in results:
            self._forget(result.segment_id)
        return results

    def _stage(self, name: str, run: Callable[[], None], spare: Callable[[], list[Work]]) -> None:
        """``run``, timed; short of memory, ``spare`` names those who shall try again later."""
        with self._timed(name):
            try:
                run()
                return
            except torch.OutOfMemoryError:
                log.warning("out of memory in %s", name)
        victims = spare()  # outside of the except clause, whose traceback keeps the tensors alive
        if self._do.device.type == "cuda":
            torch.cuda.empty_cache()
        for work in victims:
            self._fail(work, "out_of_memory", f"in {name}", retryable=True)

    def _listen(self) -> None:
        """Encode clips and understand descriptions."""
        if self._do.conditioner.busy():
            for encoded in self._do.conditioner.step():
                if encoded.code:
                    for work in [work for work in self._door if encoded.item in work.items]:
                        self._fail(work, encoded.code, encoded.message, encoded.retryable)
        describer = self._do.describer
        if describer and describer.busy():
            describer.step()
        if describer and describer.broken:
            for work in [work for work in self._door if work.description]:
                self._fail(work, "engine_failed", describer.broken)

    def _enter(self) -> None:
        """Those at the door whose clips are there take the free slots, first segments first."""
        for work in sorted(self._door, key=lambda work: not work.first):
            if not self._do.decoder.free:
                return
            if self._is_ready(work):
                self._door.remove(work)
                self._start(work)

    def _is_ready(self, work: Work) -> bool:
        voice = self._do.conditioner.voice(work.own[0][0])
        own = self._do.conditioner.emotion(work.own[1][0])
        other = self._do.conditioner.emotion(work.other[0][0]) if work.other else None
        described = (
            self._do.describer.get(work.description) if work.description and self._do.describer else None
        )
        if voice is None or own is None or (work.other and other is None):
            self._do.conditioner.wanted(work.items)  # one that was dropped comes again
            return False
        if work.description and described is None:
            return False
        work.voice = voice
        work.mix(self._do.mixer, own, other, described)
        return True

    def _start(self, work: Work) -> None:
        assert work.voice is not None and work.emovec is not None
        try:
            prefix = self._do.gpt.prefix(work.ids, work.segment.language, work.voice, work.emovec)
            self._do.decoder.add(work.id, prefix, work.sampling)
        except ValueError as error:
            self._fail(work, "engine_failed", str(error))
            return
        self._entered.append(work)

    def _decode(self) -> None:
        if not self._do.decoder.busy:
            return
        done = self._do.decoder.step()
        self._counts["decode_steps"] += 1
        self._entered.clear()
        found = [(self._works[item.row_id], item) for item in done]
        latents = self._latents(found)
        for (work, item), latent in zip(found, latents, strict=True):
            self._counts["codes"] += len(item.codes)
            if not len(item.codes):
                self._silent(work, item)
                continue
            assert work.voice is not None
            condition = self._do.features(item.codes, latent, work.factor)
            mu = torch.cat([work.voice.prompt, condition])
            self._later.add(work.id)
            try:
                self._do.diffuser.add(work.id, mu, work.voice, work.segment.seed, work.steps, work.guidance)
            except ValueError as error:
                self._fail(work, "engine_failed", str(error))

    def _latents(self, found: list[tuple[Work, Decoded]]) -> list[torch.Tensor | None]:
        """Version 2's second pass, for all rows that end with this step."""
        if self._do.version != "2" or not found:
            return [None] * len(found)
        rows = [(w.voice, w.emovec, w.ids, item.codes) for w, item in found]
        return list(self._do.gpt.latents(rows))  # type: ignore[arg-type]

    def _silent(self, work: Work, item: Decoded) -> None:
        """No codes: nothing to say, unless the numbers ran out of range."""
        if item.complete:
            self._finish(work, np.zeros(0, np.float32))
        else:
            self._fail(work, "engine_failed", "the model's numbers ran out of range", retryable=True)

    def _diffuse(self) -> None:
        if self._do.diffuser.busy():
            for row_id, mel in self._do.diffuser.step():
                self._counts["frames"] += mel.shape[1]
                self._do.vocoder.add(row_id, mel)

    def _vocode(self) -> None:
        if self._do.vocoder.busy():
            for row_id, samples in self._do.vocoder.step():
                self._finish(self._works[row_id], samples)

    # ---- ends

    def _finish(self, work: Work, samples: np.ndarray) -> None:
        seconds = time.monotonic() - work.began
        audio = Audio(RATE, np.clip(samples, -1.0, 1.0))
        self._results.append(Result(work.id, audio, engine_seconds=seconds))

    def _fail(self, work: Work, code: str, message: str, retryable: bool = False) -> None:
        self._remove(work.id)
        self._results.append(Result(work.id, None, code, message, retryable, time.monotonic() - work.began))

    def _drop_cancelled(self) -> None:
        with self._lock:
            gone, self._cancelled = self._cancelled, set()
        for segment_id in gone & self._works.keys():
            self._remove(segment_id)
            self._forget(segment_id)

    def _remove(self, segment_id: str) -> None:
        """Out of whatever stage has it."""
        self._door = [work for work in self._door if work.id != segment_id]
        self._entered = [work for work in self._entered if work.id != segment_id]
        self._do.decoder.cancel(segment_id)
        self._do.diffuser.cancel(segment_id)
        self._do.vocoder.cancel(segment_id)

    def _forget(self, segment_id: str) -> None:
        self._later.discard(segment_id)
        work = self._works.pop(segment_id, None)
        if work is not None:
            self._do.conditioner.unpin(work.items)

    # ---- short of memory: who gives way

    def _spare_clips(self) -> list[Work]:
        return list(self._door)

    def _spare_decoder(self) -> list[Work]:
        """Those who came last; where nobody did, all: their next try meets fewer neighbours."""
        late = list(self._entered)
        decoding = self._works.keys() - self._later - {work.id for work in self._door}
        return late or [self._works[row_id] for row_id in decoding]

    def _spare_diffuser(self) -> list[Work]:
        return [] if self._do.diffuser.shrink() else self._behind(self._do.diffuser.ids())

    def _spare_vocoder(self) -> list[Work]:
        return [] if self._do.vocoder.shrink() else self._behind(self._do.vocoder.ids())

    def _behind(self, ids: list[str]) -> list[Work]:
        return [self._works[row_id] for row_id in ids]

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = self._now()
        yield
        self._seconds[name] += self._now() - began

    def _now(self) -> float:
        """With ``profile`` after all that was queued on the device; else its work counts where somebody waits."""
        if self._profile:
            torch.cuda.synchronize(self._do.device)
        return time.perf_counter()
