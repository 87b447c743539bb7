"""The package as it is: one segment of one request at a time."""

from __future__ import annotations

import gc
import os
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import lab

RATE = 22_050  # Hz
BUDGET = 30  # tokens of a segment: a sentence of the long text fits, two do not


@dataclass(frozen=True, slots=True)
class Setup:
    """What both sides get. ``half``: the GPT in 16 bits (2.5: bf16, 2: fp16, all that the package has)."""

    version: str
    folder: Path
    device: str
    codes: int
    half: bool

    def plain(self) -> Setup:
        """As the package comes."""
        return replace(self, half=False)


class Serial:
    """One instance of the package's ``IndexTTS2``, warmed up."""

    def __init__(self, setup: Setup, clip: Path) -> None:
        self._setup, self._clip = setup, clip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._package: Any = self._made()
            self._infer("你好", 1, 8)

    def _made(self) -> Any:
        folder, device = self._setup.folder, self._setup.device
        if self._setup.version == "2.5":
            from indextts25.infer_v2_5 import IndexTTS2

            return IndexTTS2(
                cfg_path=str(folder / "config.yaml"),
                model_dir=str(folder),
                use_bf16=self._setup.half,
                device=device,
            )
        hub = str(folder / "hf_hub")
        os.environ |= {"HF_HUB_CACHE": hub, "HF_HUB_OFFLINE": "1"}
        import huggingface_hub.constants

        huggingface_hub.constants.HF_HUB_CACHE = hub
        huggingface_hub.constants.HF_HUB_OFFLINE = True
        from indextts.infer_v2 import IndexTTS2 as IndexTTS2Of2

        return IndexTTS2Of2(model_dir=str(folder), device=device, use_fp16=self._setup.half)

    def _infer(self, text: str, beams: int, codes: int) -> float:
        """Seconds of sound."""
        own = {"lang": "zh"} if self._setup.version == "2.5" else {}
        _, sound = self._package.infer(
            str(self._clip),
            text,
            None,
            **own,
            num_beams=beams,
            max_mel_tokens=codes,
            interval_silence=0,
            max_text_tokens_per_segment=BUDGET,
        )
        return len(sound) / RATE

    def rate(self, text: str, runs: int, beams: int) -> float:
        """Audio seconds per second: the median of ``runs``."""
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(runs):
                began = time.perf_counter()
                seconds = self._infer(text, beams, self._setup.codes)
                found.append(seconds / (time.perf_counter() - began))
        return lab.median(found)

    def memory_mb(self) -> float:
        """Of the GPU, in this process; 0 on a CPU."""
        import torch

        return torch.cuda.max_memory_reserved() / 2**20 if self._setup.device.startswith("cuda") else 0.0

    def close(self) -> None:
        """Let go of the memory."""
        import torch

        del self._package
        gc.collect()
        if self._setup.device.startswith("cuda"):
            torch.cuda.empty_cache()
