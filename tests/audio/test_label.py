"""Every file that has a place for it says that a machine speaks."""

from __future__ import annotations

import io

import av
import pytest

from index_tts_ui.audio import FORMATS, Encoder
from index_tts_ui.audio.formats import LABEL
from tests.audio.sounds import tone


@pytest.mark.parametrize("known", [True, False], ids=["whole", "streamed"])
@pytest.mark.parametrize("fmt", [name for name in FORMATS if name != "pcm"])
def test_a_file_is_labelled_as_generated(fmt: str, known: bool) -> None:
    """But for a streamed wav: its length is not known, and clients skip its first 44 bytes blindly."""
    sound = tone(24_000, 0.5)
    encoder = Encoder(fmt, 24_000, len(sound) if known else None)
    with av.open(io.BytesIO(encoder.encode(sound) + encoder.finish())) as file:
        comments = [file.metadata.get("comment"), *(one.metadata.get("comment") for one in file.streams)]
    assert (LABEL in comments) is (known or fmt != "wav")
