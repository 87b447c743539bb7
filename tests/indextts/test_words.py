"""An emotion in words, through the whole engine of both versions: it sounds as the weights that the words mean."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from index_tts_ui.engines.base import EngineOptions
from index_tts_ui.engines.indextts.engine import IndexTTS2Engine, IndexTTS25Engine
from index_tts_ui.speech import Emotion

from .running import Clips, ids, run, same, samples, segment

MEANT = (
    0.6,
    0.0,
    0.1,
    0.0,
    0.0,
    0.0,
    0.0,
    0.3,
)  # what the tiny checkpoint's emotion model answers (``maker.qwen``)
PART = "qwen0.6bemo4-merge"


def _linked(target: Path, *folders: Path) -> Path:
    """A model's folder made of links to what other folders have."""
    target.mkdir()
    for folder in folders:
        for item in folder.iterdir():
            if not (target / item.name).exists():
                (target / item.name).symlink_to(item)
    return target


@pytest.mark.parametrize("version", ["2.5", "2"])
def test_words_sound_as_what_they_mean(
    version: str, clips: Clips, tiny25: Path, tiny2: Path, tmp_path: Path
) -> None:
    kind, whole = (IndexTTS25Engine, tiny25) if version == "2.5" else (IndexTTS2Engine, tiny2)
    part = tmp_path / "part"
    part.mkdir()
    (part / PART).symlink_to(tiny2 / PART)  # IndexTTS-2.5's configuration does not name it
    engine = kind(EngineOptions(clips=clips[0], max_rows=2))
    info = engine.load(_linked(tmp_path / "model", whole, part), lambda fraction, text: None)
    assert "emotion_text" in info.features
    text, voice = ids(random.Random(3)), clips[1][0]
    words = segment("words", text, voice, seed=1, emotion=Emotion(text="笑着说", weight=0.8))
    vector = segment("vector", text, voice, seed=1, emotion=Emotion(vector=MEANT, weight=0.8))
    plain = segment("plain", text, voice, seed=1)
    found = [run(engine, [one])[one.id] for one in (words, vector, plain)]
    engine.close()
    same(found[0], samples(found[1]), 0.0)
    with pytest.raises(AssertionError):
        same(found[0], samples(found[2]), 0.0)


@pytest.mark.parametrize("version", ["2.5", "2"])
def test_a_checkpoint_without_the_part_says_so(
    version: str, tiny25: Path, tiny2: Path, tmp_path: Path
) -> None:
    kind, whole = (IndexTTS25Engine, tiny25) if version == "2.5" else (IndexTTS2Engine, tiny2)
    model = _linked(tmp_path / "model", whole)
    (model / PART).unlink(missing_ok=True)
    engine = kind(EngineOptions(clips=tmp_path, max_rows=2))
    assert "emotion_text" not in engine.load(model, lambda fraction, text: None).features
    engine.close()
