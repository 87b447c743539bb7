"""IndexTTS-2 and 2.5 as engines: load, warm up, and hand everything to the pipeline."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, cast

import torch

from ...speech import Segment, VoiceRef
from ..base import EngineInfo, EngineOptions, Progress, Result
from . import stages, weights
from .pipeline import RATE, Pipeline
from .precision import Precision
from .types import Sampling
from .warm import voice_of_noise
from .work import Work

log = logging.getLogger("tts.indextts")
WARM_CODES, WARM_STEPS = 24, 2
CPU_PATIENCE = 60.0  # one step of the published models takes a CPU about a second
GRAPH_ROWS = (1, 2, 4, 8)
GRAPH_FRAMES = (640, 1024, 1536)  # with the prompt: 5 to 15 s, clip and speech together
GRAPH_LENGTHS = (128, 192, 256, 320, 384, 448, 512)


class IndexTTSEngine:
    """See ``engines.base.Engine``. Options: dtype (auto, fp32, bf16, fp16), precision (of mel and sound: fp32,
    tf32, bf16; default tf32 on a GPU), greedy (1: no sampling), profile (1: exact seconds per stage, slower)."""

    version = ""
    name = ""
    languages: tuple[str, ...] = ()

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._device = torch.device("cuda:0" if options.device == "cuda" else options.device)
        self._pipeline: Pipeline

    def load(self, model_dir: Path, progress: Progress) -> EngineInfo:
        """Read the weights, plan the memory, run once through all stages. Raises BadConfig."""
        options = self._options
        if options.threads:
            torch.set_num_threads(options.threads)
        # cuDNN's attention builds a plan for each new shape, and ours change with every row that joins
        torch.backends.cuda.enable_cudnn_sdp(False)
        dtype = options.get("dtype", "auto")
        reading = _part(progress, 0.0, 0.8)
        modules = weights.load(model_dir, self.version, self._device, dtype, reading, options.memory_mb)
        precision = options.get("precision", "tf32" if self._device.type == "cuda" else "fp32")
        made = stages.build(
            modules, options.clips, options.max_rows, options.memory_mb, cast(Precision, precision)
        )
        log.info("IndexTTS-%s: %s", self.version, made.plan)
        flags = {name: options.get(name, "0") == "1" for name in ("greedy", "profile")}
        self._pipeline = Pipeline(made, **flags)
        progress(0.8, "warming up")
        self._warm_up(made, voice_of_noise(modules, made.gpt))
        progress(1.0, "ready")
        features: tuple[str, ...] = ("speed", "clone", "emotion", "seed", "pronunciation")
        if made.describer is not None:
            features += ("emotion_text",)
        patience = 1.0 if self._device.type == "cuda" else CPU_PATIENCE
        return EngineInfo(self.name, self.version, RATE, self.languages, features, made.plan.slots, patience)

    def _warm_up(self, made: stages.Stages, voice: Any) -> None:
        """A row of noise through all stages, so that the first listener does not wait for kernels and graphs."""
        if self._device.type == "cuda":
            rows = (*(count for count in GRAPH_ROWS if count < made.plan.slots), made.plan.slots)
            made.decoder.prepare(rows, GRAPH_LENGTHS)
            made.diffuser.prepare(product(GRAPH_ROWS, GRAPH_FRAMES))
            made.vocoder.prepare((1, 2, 4))
        segment = Segment("warm-up", "", "5 6 7 8", 4, self.languages[0], (VoiceRef("clip", "none"),))
        work = Work.of(segment, made.codes_per_second)
        work = replace(work, sampling=Sampling(max_codes=WARM_CODES), steps=WARM_STEPS)
        work.voice, work.emovec = voice, voice.emotion
        self._pipeline.rehearse(work)

    # ---- the worker's questions, once it is loaded

    def free(self) -> int:
        """See ``Pipeline``."""
        return self._pipeline.free()

    def admit(self, segment: Segment) -> None:
        """See ``Pipeline``."""
        self._pipeline.admit(segment)

    def step(self) -> list[Result]:
        """See ``Pipeline``."""
        return self._pipeline.step()

    def busy(self) -> bool:
        """See ``Pipeline``."""
        return self._pipeline.busy()

    def cancel(self, segment_id: str) -> None:
        """See ``Pipeline``."""
        self._pipeline.cancel(segment_id)

    def warm(self, voice: VoiceRef) -> None:
        """Encode a clip ahead of its first segment."""
        self._pipeline.warm(voice)

    def stats(self) -> dict[str, Any]:
        """See ``Pipeline``."""
        return self._pipeline.stats()

    def close(self) -> None:
        """Nothing: the process's end lets go of the device."""


def _part(progress: Progress, low: float, high: float) -> Progress:
    """``progress`` of a part of the whole."""
    return lambda fraction, text: progress(low + (high - low) * fraction, text)


class IndexTTS25Engine(IndexTTSEngine):
    """IndexTTS-2.5."""

    version = "2.5"
    name = "indextts2.5"
    languages = ("zh", "en", "ja", "es", "ar")


class IndexTTS2Engine(IndexTTSEngine):
    """IndexTTS-2."""

    version = "2"
    name = "indextts2"
    languages = ("zh", "en")
