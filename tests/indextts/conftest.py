"""Tiny IndexTTS checkpoints with random weights, built once and kept, and the packages' own instances of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.engines.base import EngineOptions

from .running import Clips, Engines
from .voices import some_clips

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the packages and their dependencies leave open or use though it is deprecated is not ours to mend."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


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
def package25(tiny25: Path) -> Any:
    """The package's own, serial IndexTTS-2.5 on the CPU: what ours is compared with."""
    from indextts25.infer_v2_5 import IndexTTS2

    return IndexTTS2(cfg_path=str(tiny25 / "config.yaml"), model_dir=str(tiny25), device="cpu")


@pytest.fixture(scope="session")
def package2(tiny2: Path) -> Iterator[Any]:
    """The package's own, serial IndexTTS-2 on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        import huggingface_hub.constants

        patch.setenv("HF_HUB_CACHE", str(tiny2 / "hf_hub"))
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tiny2 / "hf_hub"))
        from indextts.infer_v2 import IndexTTS2

        yield IndexTTS2(model_dir=str(tiny2), device="cpu")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Four voices."""
    return some_clips(tmp_path_factory.mktemp("clips"), 4)


@pytest.fixture(scope="session")
def engines(clips: Clips, request: pytest.FixtureRequest) -> Iterator[Engines]:
    """``engines(version, greedy=True)``: loaded engines of six rows, one a version; what they are asked for last."""
    made: dict[str, Any] = {}

    def get(version: str, greedy: bool = True) -> Any:
        if version not in made:
            from index_tts_ui.engines.indextts.engine import IndexTTS2Engine, IndexTTS25Engine

            kind, name = {"2.5": (IndexTTS25Engine, "tiny25"), "2": (IndexTTS2Engine, "tiny2")}[version]
            engine = kind(EngineOptions(clips=clips[0], max_rows=6))
            engine.load(request.getfixturevalue(name), lambda fraction, text: None)
            made[version] = engine
        made[version]._pipeline._greedy = greedy  # as the option: a second engine takes seconds to load
        return made[version]

    yield get
    for engine in made.values():
        engine.close()
