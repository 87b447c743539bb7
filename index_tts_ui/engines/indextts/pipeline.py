"""The rows' way: every step gives each stage that has rows one unit of work, so that none stalls another."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
import torch

from ...speech import Audio, Segment, VoiceRef
from ..base import Result
from .diffusion import Diffuser
from .stages import Stages
from .types import Decoded
from .vocoder import Vocoder
from .watch import Watch
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
        self._watch = Watch(stages.device, profile)
        self._door: list[Work] = []  # waits for its clips, or for a slot
        self._works: dict[str, Work] = {}  # everybody
        self._entered: list[Work] = []  # joined the decoder, or were about to, since its last good step
        self._decoded: list[tuple[Work, Decoded]] = []  # have left the decoder for the diffusion
        self._mels: list[tuple[str, torch.Tensor]] = []  # have left the diffusion for the vocoder
        self._later: set[str] = set()  # behind the decoder
        self._results: list[Result] = []
        self._cancelled: set[str] = set()
        self._lock = Lock()  # guards _cancelled
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
                raise BadSegment("the checkpoint has no emotion model: give weights or a clip")
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
            "seconds": self._watch.seconds(),
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
        self._watch.clear()
        self._counts.clear()

    # ---- one step

    def step(self) -> list[Result]:
        """One unit of each stage; the segments that are done with it."""
        self._drop_cancelled()
        self._stage("clips", self._listen, lambda: list(self._door))
        self._stage("prefix", self._enter, self._spare_decoder)
        self._stage("decode", self._decode, self._spare_decoder)
        self._stage("features", self._hand_over, lambda: [work for work, _ in self._decoded])
        self._stage("diffusion", self._diffuse, lambda: self._spare_later(self._do.diffuser))
        self._stage("mels", self._take_mels, lambda: [self._works[row_id] for row_id, _ in self._mels])
        self._stage("vocoder", self._vocode, lambda: self._spare_later(self._do.vocoder))
        results, self._results = self._results, []
        for result in results:
            self._forget(result.segment_id)
        return results

    def _stage(self, name: str, run: Callable[[], None], spare: Callable[[], list[Work]]) -> None:
        """``run``, timed; short of memory, ``spare`` names those who shall try again later."""
        with self._watch.of(name):
            try:
                run()
                return
            except torch.OutOfMemoryError:
                log.warning("out of memory in %s", name)
        victims = spare()  # outside of the except clause, whose traceback keeps the tensors alive
        if self._do.device.type == "cuda":
            torch.cuda.empty_cache()
        ended = {result.segment_id for result in self._results}
        for work in (work for work in victims if work.id not in ended):
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
            self._entered.append(work)  # from here on it is who gives way
            if self._is_ready(work):
                self._door.remove(work)
                self._start(work)
            else:
                self._entered.remove(work)

    def _is_ready(self, work: Work) -> bool:
        voice = self._do.conditioner.voice(work.own[0][0])
        own = self._do.conditioner.emotion(work.own[1][0])
        other = self._do.conditioner.emotion(work.other[0][0]) if work.other else None
        describer = self._do.describer
        described = describer.get(work.description) if work.description and describer else None
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

    def _decode(self) -> None:
        if not self._do.decoder.busy:
            return
        done = self._do.decoder.step()
        self._counts["decode_steps"] += 1
        self._entered.clear()
        for item in done:
            self._counts["codes"] += len(item.codes)
            work = self._works[item.row_id]
            if len(item.codes):
                self._decoded.append((work, item))
            else:
                self._silent(work, item)

    def _hand_over(self) -> None:
        """What has been decoded goes to the diffusion."""
        latents = self._latents(self._decoded)
        for (work, item), latent in zip(tuple(self._decoded), latents, strict=True):
            assert work.voice is not None
            condition = self._do.features(item.codes, latent, work.factor)
            mu = torch.cat([work.voice.prompt, condition])
            try:
                self._do.diffuser.add(work.id, mu, work.voice, work.segment.seed, work.steps, work.guidance)
            except ValueError as error:
                self._fail(work, "engine_failed", str(error))
                continue
            self._later.add(work.id)
            self._decoded.pop(0)

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
            self._mels += self._do.diffuser.step()

    def _take_mels(self) -> None:
        while self._mels:
            row_id, mel = self._mels[0]
            self._do.vocoder.add(row_id, mel)
            self._counts["frames"] += mel.shape[1]
            self._mels.pop(0)

    def _vocode(self) -> None:
        if self._do.vocoder.busy():
            for row_id, samples in self._do.vocoder.step():
                self._finish(self._works[row_id], samples)

    # ---- ends

    def _finish(self, work: Work, samples: np.ndarray) -> None:
        audio = Audio(RATE, np.clip(samples, -1.0, 1.0))
        self._results.append(Result(work.id, audio, engine_seconds=time.monotonic() - work.began))

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
        self._decoded = [item for item in self._decoded if item[0].id != segment_id]
        self._mels = [item for item in self._mels if item[0] != segment_id]
        self._do.decoder.cancel(segment_id)
        self._do.diffuser.cancel(segment_id)
        self._do.vocoder.cancel(segment_id)

    def _forget(self, segment_id: str) -> None:
        self._later.discard(segment_id)
        work = self._works.pop(segment_id, None)
        if work is not None:
            self._do.conditioner.unpin(work.items)

    # ---- short of memory: who gives way

    def _spare_decoder(self) -> list[Work]:
        """Those who came last; where nobody did, all: their next try meets fewer neighbours."""
        late = list(self._entered)
        decoding = self._works.keys() - self._later - {work.id for work in self._door}
        return late or [self._works[row_id] for row_id in decoding]

    def _spare_later(self, stage: Diffuser | Vocoder) -> list[Work]:
        """Nobody, where ``stage`` can do with less; else those of its last try."""
        return [] if stage.shrink() else [self._works[row_id] for row_id in stage.ids()]
