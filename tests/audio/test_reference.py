"""Recordings become reference clips, or a sentence that says what to do."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.audio.reference import KEEP_SECONDS, NOTICES, Clip, read_clip
from index_tts_ui.errors import Invalid, TooLarge, TTSError
from tests.audio.sounds import silence, similarity, speechlike, tone


def spoken(rate: int, seconds: float, **options: Any) -> np.ndarray:
    """Speech-like sound with the pauses that speech has."""
    sound = speechlike(rate, seconds, **options)
    syllables = np.arange(len(sound)) / rate % 1.0 < 0.75
    return np.where(syllables, sound, sound * 0.01).astype(np.float32)


def file_of(samples: np.ndarray, rate: int, kind: str = "WAV", subtype: str | None = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def container_of(samples: np.ndarray, rate: int, container: str, codec: str) -> bytes:
    """A file with a seekable container, as browsers and telephones send."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 960,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return file.getvalue()


def test_a_good_16_bit_file_is_kept_bit_for_bit_without_notices() -> None:
    sound = (np.clip(spoken(24_000, 4.0), -0.9, 0.9) * 32768).astype(np.int16)
    clip = read_clip(file_of(sound, 24_000))
    assert clip.notices == ()
    assert (clip.rate, clip.seconds) == (24_000, 4.0)
    assert clip.samples.dtype == np.float32
    kept, rate = soundfile.read(io.BytesIO(clip.wav()), dtype="int16")
    assert rate == 24_000
    assert np.array_equal(kept, sound)


def test_the_key_is_the_hash_of_the_canonical_file_and_does_not_depend_on_the_container() -> None:
    sound = (spoken(16_000, 2.0) * 20_000).astype(np.int16)  # writers round floats each in its own way
    clips = [read_clip(file_of(sound, 16_000, kind)) for kind in ("WAV", "FLAC", "AIFF")]
    assert {clip.key for clip in clips} == {hashlib.sha256(clips[0].wav()).hexdigest()}
    assert read_clip(file_of(sound // 2, 16_000)).key != clips[0].key


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("ogg", "libopus"), ("mp3", "libmp3lame")]
)
def test_what_browsers_and_telephones_record_is_read(container: str, codec: str) -> None:
    sound = spoken(48_000, 2.0)
    clip = read_clip(container_of(sound, 48_000, container, codec))
    assert similarity(clip.samples, sound) > 0.97
    assert abs(clip.seconds - 2.0) < 0.1


@settings(max_examples=8, deadline=None)
@given(
    rate=st.sampled_from([8_000, 22_050, 64_000]),
    seconds=st.floats(2.5, 17.0),
    lead=st.floats(0.0, 4.0),
    level=st.floats(0.03, 2.0),
)
def test_a_canonical_file_keeps_its_key(rate: int, seconds: float, lead: float, level: float) -> None:
    sound = np.concatenate([silence(rate, lead), spoken(rate, seconds, level=level)])
    clip = read_clip(file_of(sound, rate, subtype="FLOAT"))
    again = read_clip(clip.wav())
    assert again.key == clip.key
    assert clip.seconds <= KEEP_SECONDS
    assert clip.rate <= 48_000


def test_a_long_clip_is_cut_to_its_first_15_seconds_of_sound() -> None:
    rate = 16_000
    sound = np.concatenate([silence(rate, 3.0), spoken(rate, 20.0)])
    clip = read_clip(file_of(sound, rate))
    assert clip.notices == ("clip_cut",)
    assert clip.seconds == KEEP_SECONDS
    begin = round(2.9 * rate)
    assert np.abs(clip.samples - sound[begin : begin + len(clip.samples)]).max() < 1e-4
    assert read_clip(file_of(sound[: 12 * rate], rate)).notices == ()


def test_a_part_of_a_recording_is_taken_and_where_it_was_is_told() -> None:
    rate = 16_000
    sound = np.concatenate([silence(rate, 3.0), spoken(rate, 20.0)])
    data = file_of(sound, rate)
    whole = read_clip(data)
    assert (whole.start, whole.total) == (pytest.approx(2.9, abs=0.03), 23.0)
    part = read_clip(data, 5.0, 9.5)
    assert (part.start, part.seconds, part.total, part.notices) == (5.0, 4.5, 23.0, ())
    assert np.abs(part.samples - sound[5 * rate : round(9.5 * rate)]).max() < 1e-4
    # with a start it begins there, silent or not; without one with its first sound
    assert read_clip(data, 2.0, 7.0).start == 2.0 and read_clip(data, None, 7.0).start == whole.start
    assert "clip_cut" in read_clip(data, 4.0).notices and read_clip(data, 4.0).seconds == KEEP_SECONDS
    assert read_clip(part.wav()).key == part.key


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (-1.0, None, "bad_value"),
        (float("nan"), 2.0, "bad_value"),
        (None, float("inf"), "bad_value"),
        (2.0, 2.0, "bad_value"),
        (3.0, 2.0, "bad_value"),
        (9.0, 12.0, "bad_value"),
        (1.0, 1.5, "clip_too_short"),
    ],
)
def test_a_part_that_cannot_be_is_refused(start: float | None, end: float | None, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_clip(file_of(spoken(16_000, 4.0), 16_000), start, end)
    assert caught.value.code == code


def test_float_and_lossy_overshoot_is_made_quieter_not_clipped() -> None:
    sound = spoken(24_000, 3.0, level=0.9)
    assert np.abs(sound).max() > 1.2
    clip = read_clip(file_of(sound, 24_000, subtype="FLOAT"))
    assert "clip_clipped" not in clip.notices
    assert similarity(clip.samples, sound) > 0.9999


@pytest.mark.parametrize("gain", [1.0, 0.6])
def test_a_clipped_recording_is_said_to_be_so(gain: float) -> None:
    sound = np.clip(spoken(24_000, 3.0, level=1.5), -1, 1) * gain
    assert "clip_clipped" in read_clip(file_of(sound, 24_000)).notices


def test_a_full_scale_tone_is_not_called_clipped() -> None:
    assert "clip_clipped" not in read_clip(file_of(tone(48_000, 3.0, 0.99, 110.0), 48_000)).notices


def test_channels_are_mixed_and_said_to_be() -> None:
    sound = spoken(16_000, 3.0)
    clip = read_clip(file_of(np.stack([sound, sound * 0.5], axis=1), 16_000))
    assert clip.notices == ("clip_stereo",)
    assert np.abs(clip.samples - sound * 0.75).max() < 1e-4


def test_noise_quietness_and_low_rate_are_said() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 3 * 16_000).astype(np.float32)
    assert "clip_noisy" in read_clip(file_of(spoken(16_000, 3.0) + noise, 16_000)).notices
    assert read_clip(file_of(spoken(16_000, 4.0, level=0.01), 16_000)).notices == ("clip_quiet",)
    assert read_clip(file_of(spoken(8_000, 3.0), 8_000)).notices == ("clip_low_rate",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>no sound</html>" * 40, "bad_audio"),
        (b"", "bad_audio"),
        (file_of(spoken(16_000, 3.0), 16_000)[:2_000], "clip_too_short"),
        (file_of(spoken(4_000, 3.0), 4_000), "bad_audio"),
        (file_of(spoken(16_000, 0.6), 16_000), "clip_too_short"),
        (file_of(np.concatenate([spoken(16_000, 0.5), silence(16_000, 9.0)]), 16_000), "clip_too_short"),
        (file_of(silence(16_000, 5.0), 16_000), "clip_silent"),
        (file_of(silence(16_000, 5.0) + 0.4, 16_000), "clip_silent"),  # an offset is no sound
        (file_of(np.full(5, 0.5, np.float32), 16_000), "clip_too_short"),
    ],
    ids=["html", "empty", "cut off", "4 kHz", "short", "mostly silent", "silent", "offset", "five samples"],
)
def test_an_unusable_file_is_refused_with_what_to_do(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_clip(data)
    assert caught.value.code == code
    for lang in ("en", "zh"):
        sentence = caught.value.message(lang)
        assert "\n" not in sentence and ("：" in sentence or ": " in sentence)


def test_far_too_large_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge, match="300 s"):
        read_clip(file_of(np.zeros(301 * 8_000, np.int16), 8_000))
    monkeypatch.setattr("index_tts_ui.audio.reference.MAX_BYTES", 1 << 20)
    with pytest.raises(TooLarge, match="1 MB"):
        read_clip(bytes((1 << 20) + 1))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_files_give_a_clip_or_a_refusal(data: st.DataObject) -> None:
    file = bytearray(file_of(spoken(16_000, 1.5), 16_000, data.draw(st.sampled_from(["WAV", "FLAC"]))))
    for _ in range(data.draw(st.integers(1, 20))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        clip = read_clip(bytes(file[: data.draw(st.integers(0, len(file)))]))
    except TTSError as error:
        assert error.code != "internal"
        return
    assert isinstance(clip, Clip)
    assert np.isfinite(clip.samples).all() and np.abs(clip.samples).max() <= 1.0
    assert set(clip.notices) <= set(NOTICES)


def test_every_notice_is_said_in_both_languages() -> None:
    source = "".join(
        Path(f"index_tts_ui/audio/{name}.py").read_text("utf-8") for name in ("reference", "quality")
    )
    for key, (english, chinese) in NOTICES.items():
        assert source.count(f'"{key}"') >= 2, f"nobody gives {key}"  # once in the table, once given
        assert english.isascii() and not chinese.isascii()
