"""The packages' own serial ``infer``, given token ids and a seed: what a row of ours must equal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

GREEDY = {"do_sample": False, "num_beams": 1}


class _Ids:
    """Stands for a tokenizer whose text is known to be ``ids``."""

    unk_token_id = -1

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = list(ids)

    def encode(self, text: str, **_: Any) -> list[int]:
        return self.ids

    def tokenize(self, text: str) -> list[int]:
        return self.ids

    def split_segments(self, tokens: list[int], *_: Any, **__: Any) -> list[list[int]]:
        return [tokens]

    def convert_tokens_to_ids(self, tokens: list[int]) -> list[int]:
        return tokens


def speak(
    package: Any, clip: Path, ids: Sequence[int], language: str = "zh", seed: int = 0, **arguments: Any
) -> np.ndarray:
    """One segment, greedy, as float32 [n]; ``arguments`` are those of the package's ``infer``.

    The diffusion's noise is drawn after ``torch.manual_seed(seed)``; the rest is as shipped.
    """
    cfm = package.s2mel.models["cfm"]
    noisy = cfm.inference

    def inference(*args: Any, **kwargs: Any) -> torch.Tensor:
        torch.manual_seed(seed)
        result: torch.Tensor = noisy(*args, **kwargs)
        return result

    version25 = hasattr(package, "_prepare_text")
    patches = [
        mock.patch.object(package, "tokenizer", _Ids(ids)),
        mock.patch.object(cfm, "inference", inference),
    ]
    if version25:
        patches.append(mock.patch.object(package, "_prepare_text", lambda text, *_: text))
        patches.append(mock.patch.object(package, "split_text_by_tokens", lambda text, *_: [text]))
        arguments = {"lang": language, **GREEDY, **arguments}
    else:
        # its ``infer`` always samples: among one candidate that is greedy, too
        arguments = {"top_k": 1, "num_beams": 1, **arguments}
    for patch in patches:
        patch.start()
    try:
        _, samples = package.infer(str(clip), "x", None, **arguments)
    finally:
        for patch in patches:
            patch.stop()
        with suppress(AttributeError):
            package._init_cache()  # it knows clips by their path alone
    return samples[:, 0].astype(np.float32) / 32767
