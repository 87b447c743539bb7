"""Real speech through the whole room, levelled, encoded and decoded, is still understood."""

from __future__ import annotations

import numpy as np
import pytest
from hibari import Hibari

from index_tts_ui.audio import FORMATS, Encoder, Leveler
from tests.hearing import decode_any, word_error_rate

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Yes.",
    "Nobody in the village was surprised by it.",
)


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    voice, leveler = Hibari(), Leveler(24_000)
    last = len(SENTENCES) - 1
    spoken = [
        leveler.process(voice(text, seed=0), 0.4, i == 0, i == last) for i, text in enumerate(SENTENCES)
    ]
    return np.concatenate(spoken)


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_is_understood(fmt: str, recording: np.ndarray) -> None:
    encoder = Encoder(fmt, 24_000)
    blocks = [encoder.encode(recording[i : i + 10_000]) for i in range(0, len(recording), 10_000)]
    data = b"".join([*blocks, encoder.finish()])
    heard, rate = (np.frombuffer(data, "<i2") / 32768, 24_000) if fmt == "pcm" else decode_any(data)
    assert word_error_rate(heard, rate, " ".join(SENTENCES)) <= 0.05
