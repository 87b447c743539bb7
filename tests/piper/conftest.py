"""Voices and the package, for the tests of Piper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import voice
from .saying import Desk

ZH, EN, DE = "zh_CN-huayan-medium", "en_GB-vctk-medium", "de_DE-thorsten-low"


@pytest.fixture(scope="session")
def package() -> Iterator[Path]:
    """The package ``piper`` can be imported."""
    folder = str(voice.package())
    sys.path.insert(0, folder)
    yield Path(folder)
    sys.path.remove(folder)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as cache_hub/piper: a Mandarin voice, four English speakers, and a German voice at 16 kHz."""
    folder = tmp_path_factory.mktemp("hub") / "piper"
    voice.put(folder, ZH)
    voice.put(folder, EN, language="en_GB", espeak="en-gb-x-rp", speakers=4)
    slow = {"noise_scale": 0.0, "length_scale": 2.0, "noise_w": 0.0}
    audio = {"sample_rate": 16_000, "quality": "low"}
    voice.put(folder, DE, language="de_DE", espeak="de", audio=audio, inference=slow)
    return folder


@pytest.fixture(scope="session")
def desk(package: Path, hub: Path) -> Iterator[Desk]:
    """An engine with these voices."""
    made = Desk(hub)
    yield made
    made.engine.close()


@pytest.fixture
def desk_of(package: Path) -> Iterator[Callable[..., Desk]]:
    """``desk_of(folder, **options)``: an engine of one's own."""
    made: list[Desk] = []

    def make(folder: Path, **options: str) -> Desk:
        made.append(Desk(folder, **options))
        return made[-1]

    yield make
    for one in made:
        one.engine.close()
