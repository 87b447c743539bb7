"""Tiny IndexTTS checkpoints with random weights, built once and kept, and the packages' own instances of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def tiny25() -> Path:
    """A folder as ``cache_hub/indextts2.5``."""
    from .checkpoint import made

    return made("v25", "tiny")


@pytest.fixture(scope="session")
def tiny2() -> Path:
    """A folder as ``cache_hub/indextts2``."""
    from .checkpoint import made

    return made("v2", "tiny")


@pytest.fixture(scope="session")
def package25(tiny25: Path) -> Iterator[Any]:
    """The package's own, serial IndexTTS-2.5 on the CPU: what ours is compared with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package leaves open or deprecated is not ours
        from indextts25.infer_v2_5 import IndexTTS2

        package = IndexTTS2(cfg_path=str(tiny25 / "config.yaml"), model_dir=str(tiny25), device="cpu")
    yield package


@pytest.fixture(scope="session")
def package2(tiny2: Path) -> Iterator[Any]:
    """The package's own, serial IndexTTS-2 on the CPU."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import huggingface_hub.constants

        patch.setenv("HF_HUB_CACHE", str(tiny2 / "hf_hub"))
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tiny2 / "hf_hub"))
        from indextts.infer_v2 import IndexTTS2

        yield IndexTTS2(model_dir=str(tiny2), device="cpu")
