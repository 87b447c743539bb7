"""Sound read as it comes: any cut of the bytes gives the same samples, and what is no sound is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from index_tts_ui.remote.answers import Busy, Failed, Refused, refusal, retry_after
from index_tts_ui.remote.sound import Sound

from .fake import wav

RATE = 24_000


def read(data: bytes, block: int = 1 << 20, most: int = 1 << 20, pcm_rate: int = 0) -> np.ndarray:
    """Pushed in blocks."""
    sound = Sound(RATE, most, pcm_rate)
    for start in range(0, len(data), block):
        sound.push(data[start : start + block])
    return sound.whole().samples


def riff(fmt: bytes, data: bytes, size: int | None = None, between: bytes = b"") -> bytes:
    """A WAVE file of these chunks."""
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", len(fmt))
        + fmt
        + between
        + b"data"
        + struct.pack("<I", len(data) if size is None else size)
        + data
    )


def layout(tag: int, channels: int, rate: int, bits: int) -> bytes:
    width = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits)


def test_it_does_not_matter_how_the_bytes_are_cut() -> None:
    whole = read(wav())
    assert len(whole) == 4800 and np.abs(whole).max() == pytest.approx(0.3, abs=0.001)
    for block in (1, 7, 43, 44, 45, 1000):
        assert np.array_equal(read(wav(), block), whole)


def test_a_stream_without_sizes_is_read_to_its_end() -> None:
    samples = (np.arange(-100, 100) * 100).astype("<i2").tobytes()
    for unknown in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        found = read(riff(layout(1, 1, RATE, 16), samples, unknown))
        assert np.array_equal(np.rint(found * 32767), np.arange(-100, 100) * 100)


def test_floats_stereo_other_chunks_and_other_rates_are_understood() -> None:
    left = np.full(2400, 0.5, "<f4")
    stereo = np.stack([left, -left / 2], axis=1).tobytes()
    noise = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    found = read(riff(layout(3, 2, RATE, 32), stereo, between=noise))
    assert len(found) == 2400 and found == pytest.approx(np.full(2400, 0.125))
    slow = read(riff(layout(1, 1, 12_000, 16), np.zeros(1200, "<i2").tobytes()))
    assert abs(len(slow) - 2400) <= 1


def test_bare_pcm_is_read_at_its_rate() -> None:
    assert len(read(np.zeros(500, "<i2").tobytes(), 3, pcm_rate=RATE)) == 500


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"ID3\x04" * 20, "no WAVE"),
        (wav()[:30], "within its header"),
        (wav()[:-1000], "cut off after"),
        (riff(layout(1, 1, RATE, 16), b"\0" * 11, 0), "within a sample"),
        (riff(layout(7, 1, RATE, 8), b"\0" * 10), "of a kind"),
        (riff(b"\0" * 4, b"\0" * 10), "damaged"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "does not say"),
        (b"RIFF\0\0\0\0WAVE" + b"junk\xf0\xff\x00\x00" + bytes(70_000), "where they belong"),
        (wav(60.0), "larger than"),
    ],
)
def test_what_is_no_sound_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Failed, match=reason):
        read(data, 1000)


def test_answers_are_told_apart() -> None:
    kinds = {400: Refused, 401: Failed, 403: Failed, 404: Failed, 408: Failed, 413: Refused, 422: Refused}
    kinds |= {429: Busy, 500: Failed, 502: Failed, 503: Busy, 504: Failed, 301: Failed}
    for status, kind in kinds.items():
        assert type(refusal(status, {}, b"<html>")) is kind, status
    body = b'{"error": {"message": "no\\nsuch voice.", "code": "voice_not_found"}}'
    error = refusal(404, {}, body)
    assert isinstance(error, Refused) and error.code == "voice_not_found"
    assert str(error) == "it answered 404 (no such voice)"
    assert "x" * 300 not in str(refusal(500, {}, b'{"detail": "' + b"x" * 300 + b'"}'))


def test_retry_after_is_a_number_a_date_or_nothing() -> None:
    assert retry_after("7") == 7 and retry_after("0") == 0.1 and retry_after("1e9") == 600
    assert retry_after("") is None and retry_after("soon") is None and retry_after("nan") is None
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0.1
