"""Files of unknown origin become samples, or a sentence that helps."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.audio import Encoder, decode
from index_tts_ui.errors import Invalid, TooLarge
from tests.audio.sounds import similarity, tone


def file_of(samples: np.ndarray, rate: int, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("AIFF", "PCM_16")],
)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_lossless_files_keep_every_sample(kind: str, subtype: str, rate: int) -> None:
    sound = tone(rate, 0.5)
    audio = decode(file_of(sound, rate, kind, subtype))
    assert audio.rate == rate
    assert audio.samples.dtype == np.float32
    assert np.abs(audio.samples - sound).max() < 1e-4


@pytest.mark.parametrize(("kind", "subtype"), [("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS")])
def test_lossy_files_keep_the_sound(kind: str, subtype: str | None) -> None:
    sound = tone(48_000, 0.5)
    assert similarity(decode(file_of(sound, 48_000, kind, subtype)).samples, sound) > 0.99


def test_our_own_aac_is_read() -> None:
    encoder = Encoder("aac", 24_000)
    data = encoder.encode(tone(24_000, 0.5)) + encoder.finish()
    assert similarity(decode(data).samples, tone(24_000, 0.5)) > 0.9


@pytest.mark.parametrize("channels", [2, 6, 8, 9, 33, 64])
def test_channels_are_averaged(channels: int) -> None:
    """Eight and more were a segmentation fault."""
    sound = np.zeros((24_000, channels), np.float32)
    sound[:, 0] = tone(24_000, 1.0)
    audio = decode(file_of(sound, 24_000, "WAV", "FLOAT"))
    assert np.abs(audio.samples - sound[:, 0] / channels).max() < 1e-6


def test_more_channels_than_can_be_read_are_refused() -> None:
    data = file_of(np.zeros((2000, 65), np.float32), 24_000, "WAV", "FLOAT")
    with pytest.raises(Invalid, match="it has 65 channels"):
        decode(data)


def test_a_sound_over_the_limit_is_refused() -> None:
    data = file_of(tone(16_000, 2.0), 16_000, "FLAC")
    assert decode(data, limit_seconds=2.0).seconds == 2.0
    with pytest.raises(TooLarge, match=r"longer than 1\.5 s"):
        decode(data, limit_seconds=1.5)


def test_a_high_rate_makes_no_room_for_a_small_file_that_is_huge_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("index_tts_ui.audio.decoder.MAX_SAMPLES", 200_000)
    data = file_of(np.zeros(384_000, np.float32), 384_000, "FLAC")
    assert len(data) < 50_000
    with pytest.raises(TooLarge, match=r"longer than 0\.5 s"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"<html>not a sound</html>" * 50,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        file_of(np.zeros(0, np.float32), 16_000, "WAV"),
    ],
    ids=["empty", "cut header", "html", "playlist", "no samples"],
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decode(data)
    assert caught.value.code == "bad_audio"
    assert "wav, mp3, flac" in caught.value.message()


def test_a_script_cannot_make_the_server_read_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private.wav").write_bytes(file_of(tone(16_000, 0.5), 16_000, "WAV"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Invalid):
        decode(b"ffconcat version 1.0\nfile private.wav\n")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_give_sound_or_a_refusal(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]))
    file = bytearray(file_of(tone(16_000, 0.2), 16_000, kind))
    for _ in range(data.draw(st.integers(1, 20))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(file)))
    try:
        audio = decode(bytes(file[:cut]), limit_seconds=60)
    except (Invalid, TooLarge):
        return
    assert np.isfinite(audio.samples).all()
    assert audio.rate > 0
