"""The stages of one loaded checkpoint, each with the memory that the plan gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from . import description
from .conditioning import Conditioner
from .decode import Decoder
from .description import Describer
from .diffusion import Diffuser
from .emotion import EmotionMixer
from .features import Features
from .gpt import Gpt, adapter
from .plan import Plan, make
from .precision import Precision
from .vocoder import Vocoder
from .weights import Modules

EMOTION_MODEL = 1280 << 20  # bytes: 0.6 G parameters in float16, and what it works with
EMOTION_FOLDER = (
    "qwen0.6bemo4-merge"  # where the configuration names none: 2.5's package loads it when asked to
)
CODES_PER_SECOND = {"2": 50.1, "2.5": 25.0}


@dataclass(frozen=True, slots=True)
class Stages:
    """``describer`` is None where the checkpoint has no emotion model."""

    version: str
    device: torch.device
    plan: Plan
    gpt: Gpt
    conditioner: Conditioner
    describer: Describer | None
    mixer: EmotionMixer
    decoder: Decoder
    features: Features
    diffuser: Diffuser
    vocoder: Vocoder

    @property
    def codes_per_second(self) -> float:
        """Of speech at its natural speed."""
        return CODES_PER_SECOND[self.version]


def build(modules: Modules, clips: Path, max_rows: int, memory_mb: int, precision: Precision) -> Stages:
    """Plan the memory that is left beside ``modules``, and divide it. ``clips``: see ``EngineOptions``."""
    device = modules.device
    gpt = adapter(modules.version, modules.gpt, modules.dtype)
    describer = _describer(modules)
    plan = make(gpt, device, max_rows, memory_mb, kept=EMOTION_MODEL if describer else 0)
    return Stages(
        version=modules.version,
        device=device,
        plan=plan,
        gpt=gpt,
        conditioner=Conditioner(modules, gpt, clips, plan.clips),
        describer=describer,
        mixer=EmotionMixer(modules.emo_matrix, modules.spk_matrix),
        decoder=Decoder(gpt, plan.slots, plan.positions),
        features=Features(modules),
        diffuser=Diffuser(modules.cfm, device, precision, plan.frames),
        vocoder=Vocoder(modules.vocoder, device, precision, budget=plan.windows),
    )


def _describer(modules: Modules) -> Describer | None:
    folder = modules.model_dir / str(modules.cfg.get("qwen_emo_path") or EMOTION_FOLDER)
    return None if description.missing(folder) else Describer(folder, modules.device)
