"""Every format, as a stream: early bytes, true lengths, the same sound after decoding."""

from __future__ import annotations

import gc
import io
import wave
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.audio import FORMATS, Encoder
from index_tts_ui.errors import Invalid
from tests.audio.sounds import similarity, speechlike, tone
from tests.hearing import decode_any

RATES = (16_000, 22_050, 24_000, 48_000)
CODED = ("mp3", "opus", "aac", "flac", "wav")
# What decoding may add, in samples of the decoded sound: delay and padding that mp3 and adts cannot tell.
ADDED = {"mp3": 3 * 1152, "aac": 2 * 1024, "opus": 1, "flac": 0, "wav": 0}


def encode(fmt: str, rate: int, samples: np.ndarray, block: int = 12_000, total: int | None = None) -> bytes:
    encoder = Encoder(fmt, rate, total)
    blocks = [encoder.encode(samples[i : i + block]) for i in range(0, len(samples), block)]
    return b"".join(blocks) + encoder.finish()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fmt", CODED)
def test_decoded_sound_is_the_one_that_went_in(fmt: str, rate: int) -> None:
    sound = speechlike(rate, 2.345)
    heard, heard_rate = decode_any(encode(fmt, rate, sound))
    wanted = len(sound) * heard_rate / rate
    assert -1 <= len(heard) - wanted <= ADDED[fmt]
    assert heard_rate == (48_000 if fmt == "opus" else rate)
    again = encode("wav", rate, sound) if heard_rate == rate else encode("opus", rate, sound)
    assert similarity(heard, decode_any(again)[0]) > 0.97


@pytest.mark.parametrize("fmt", CODED)
def test_coding_keeps_the_waveform(fmt: str) -> None:
    sound = speechlike(48_000, 1.5)
    assert similarity(decode_any(encode(fmt, 48_000, sound))[0], sound) > 0.97


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fmt", FORMATS)
def test_first_bytes_come_with_the_first_half_second(fmt: str, rate: int) -> None:
    first = Encoder(fmt, rate).encode(tone(rate, 0.5))
    if fmt == "pcm":
        assert len(first) > 0.4 * 24_000 * 2
    else:
        assert len(decode_any(first)[0]) > 0, "the first bytes hold no sound yet"


@pytest.mark.parametrize("fmt", FORMATS)
def test_bytes_flow_with_every_half_second(fmt: str) -> None:
    encoder = Encoder(fmt, 24_000)
    assert all(encoder.encode(speechlike(24_000, 0.5, seed=i)) for i in range(10))


@pytest.mark.parametrize("fmt", FORMATS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_how_samples_are_cut_changes_no_byte(fmt: str, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from(RATES))
    sound = speechlike(rate, data.draw(st.floats(0.0, 1.0)))
    block = data.draw(st.integers(1, 20_000).map(lambda size: max(size, len(sound) // 50 + 1)))
    assert encode(fmt, rate, sound, block) == encode(fmt, rate, sound, len(sound) or 1)


@settings(max_examples=30, deadline=None)
@given(
    length=st.integers(1, 60_000), rate=st.sampled_from(RATES), fmt=st.sampled_from(["opus", "flac", "wav"])
)
def test_formats_that_can_tell_their_length_tell_it_exactly(length: int, rate: int, fmt: str) -> None:
    heard, heard_rate = decode_any(encode(fmt, rate, tone(rate, length / rate)))
    assert abs(len(heard) - length * heard_rate / rate) <= ADDED[fmt]


@pytest.mark.parametrize("rate", RATES)
def test_pcm_is_always_24_khz(rate: int) -> None:
    data = np.frombuffer(encode("pcm", rate, tone(rate, 1.0)), "<i2")
    assert abs(len(data) - 24_000) <= 1
    spectrum = np.abs(np.fft.rfft(data[:24_000] * np.hanning(len(data[:24_000]))))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize("rate", RATES)
def test_wav_of_known_length_is_read_by_the_standard_library(rate: int) -> None:
    sound = speechlike(rate, 0.7)
    data = encode("wav", rate, sound, total=len(sound))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.getnframes() == len(sound)
        frames = np.frombuffer(file.readframes(len(sound)), "<i2")
    assert np.abs(frames / 32767 - sound).max() <= 0.5 / 32767 + 1e-7
    assert int.from_bytes(data[4:8], "little") == len(data) - 8


def test_wav_of_unknown_length_says_so_and_samples_begin_at_byte_44() -> None:
    data = encode("wav", 24_000, tone(24_000, 0.1))
    assert data[4:8] == data[40:44] == b"\xff\xff\xff\xff"
    assert len(data) == 44 + 2 * 2400


def test_wav_that_breaks_its_announced_length_is_a_bug() -> None:
    encoder = Encoder("wav", 24_000, total_samples=100)
    encoder.encode(tone(24_000, 0.1))
    with pytest.raises(ValueError, match="100 samples were announced, 2400 were written"):
        encoder.finish()


@pytest.mark.parametrize(("fmt", "seconds"), [("wav", 0.8), ("flac", 0.8)])
def test_soundfile_reads_what_tells_its_length(fmt: str, seconds: float) -> None:
    sound = tone(24_000, seconds)
    heard, rate = soundfile.read(io.BytesIO(encode(fmt, 24_000, sound, total=len(sound))))
    assert (rate, len(heard)) == (24_000, len(sound))
    assert np.abs(heard - sound).max() < 1e-4


@pytest.mark.parametrize("fmt", ["mp3", "opus"])
def test_soundfile_reads_streams(fmt: str) -> None:
    heard, _ = soundfile.read(io.BytesIO(encode(fmt, 24_000, tone(24_000, 0.8))))
    assert similarity(heard, tone(24_000, 0.8)) > 0.9


def test_a_flac_stream_announces_no_length_and_is_read_to_its_end() -> None:
    sound = tone(24_000, 0.8)
    data = encode("flac", 24_000, sound)
    with av.open(io.BytesIO(data), "r") as file:
        assert file.duration is None
    assert np.abs(decode_any(data)[0] - sound).max() < 1e-4


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_encoder_may_move_between_threads(fmt: str) -> None:
    encoder, sound = Encoder(fmt, 24_000), speechlike(24_000, 3.0)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        blocks = [
            (one, other)[i % 2].submit(encoder.encode, sound[i * 9000 : (i + 1) * 9000]).result(timeout=60)
            for i in range(8)
        ]
        blocks.append(other.submit(encoder.finish).result(timeout=60))
    assert b"".join(blocks) == encode(fmt, 24_000, sound)


@pytest.mark.parametrize("fmt", ["mp3", "opus", "flac", "wav"])
def test_sound_is_labelled_as_generated(fmt: str) -> None:
    with av.open(io.BytesIO(encode(fmt, 24_000, tone(24_000, 0.3), total=7200)), "r") as file:
        tags = {**file.metadata, **file.streams.audio[0].metadata}
    assert "AI-generated speech" in tags.values()


@pytest.mark.parametrize("fmt", FORMATS)
def test_nothing_at_all_is_still_a_file(fmt: str) -> None:
    data = Encoder(fmt, 24_000).finish()
    if fmt == "pcm":
        assert data == b""
    elif fmt == "wav":
        assert len(data) == 44
    else:
        assert len(decode_any(data)[0]) <= 3 * 1152


@pytest.mark.parametrize("fmt", FORMATS)
def test_unspeakable_samples_become_silence(fmt: str) -> None:
    sound = tone(24_000, 0.5)
    sound[1000:1100] = np.nan
    sound[2000:2100] = np.inf
    clean = np.where(np.isfinite(sound), sound, 0)
    assert encode(fmt, 24_000, sound) == encode(fmt, 24_000, clean)


@pytest.mark.parametrize("fmt", FORMATS)
def test_too_loud_samples_are_clipped_not_wrapped(fmt: str) -> None:
    loud = 3 * tone(24_000, 0.5)
    assert encode(fmt, 24_000, loud) == encode(fmt, 24_000, np.clip(loud, -1, 1))


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_encoder_may_be_left_unfinished(fmt: str) -> None:
    encoder = Encoder(fmt, 24_000)
    encoder.encode(tone(24_000, 0.3))
    del encoder
    gc.collect()  # a warning or an error here fails the test


@pytest.mark.parametrize("rate", [8_000, 11_025, 32_000, 40_000, 44_100, 96_000])
@pytest.mark.parametrize("fmt", CODED)
def test_unusual_rates_keep_their_pitch(fmt: str, rate: int) -> None:
    heard, heard_rate = decode_any(encode(fmt, rate, tone(rate, 1.0)))
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 4 * heard_rate))
    assert abs(int(spectrum.argmax()) / 4 - 440) <= 2


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="mp3, opus, aac, flac, wav, pcm") as caught:
        Encoder("midi", 24_000)
    assert caught.value.param == "response_format"
