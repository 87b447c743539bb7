"""Uploads are decoded in a process of their own: the same answers, and whatever it dies of is a refusal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from index_tts_ui.audio import Encoder, apart, canonical, cell
from index_tts_ui.audio.apart import Apart, decode_apart
from index_tts_ui.audio.decoder import Decoded, decode
from index_tts_ui.audio.reference import read_clip
from index_tts_ui.errors import Cancelled, Invalid, TTSError
from tests.api.server import until
from tests.recordings import recording

from .damage import children, hook
from .sounds import speechlike, tone
from .test_decoder import file_of


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some files do what they say to the process that decodes them."""
    monkeypatch.syspath_prepend(str(hook(tmp_path)))


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever needs one fails."""
    monkeypatch.setattr(apart, "COMMAND", ("false",))


def stereo(rate: int) -> np.ndarray:
    """Two channels that differ, with what no sound has."""
    sound = np.stack([tone(rate, 0.5), speechlike(rate, 0.5)], axis=1)
    sound[3] = np.nan
    return sound


def aac() -> bytes:
    encoder = Encoder("aac", 24_000)
    return encoder.encode(tone(24_000, 0.5)) + encoder.finish()


GOOD = {
    "float, two channels": lambda: file_of(stereo(44_100), 44_100, "WAV", "FLOAT"),
    "flac": lambda: file_of(tone(16_000, 0.5), 16_000, "FLAC"),
    "mp3": lambda: file_of(tone(48_000, 0.5), 48_000, "MP3"),
    "opus": lambda: file_of(tone(48_000, 0.5), 48_000, "OGG", "OPUS"),
    "aac": aac,
}
BAD = {
    "html": b"<html>not a sound</html>" * 50,
    "no samples": file_of(np.zeros(0, np.float32), 16_000, "WAV"),
    "too long": file_of(tone(16_000, 2.0), 16_000, "FLAC"),
    "too many channels": file_of(np.zeros((2000, 65), np.float32), 24_000, "WAV", "FLOAT"),
}


def same(one: Decoded, other: Decoded) -> bool:
    return (one.rate, one.channels, one.samples.tobytes()) == (
        other.rate,
        other.channels,
        other.samples.tobytes(),
    )


@pytest.mark.parametrize("file", GOOD.values(), ids=GOOD)
def test_a_good_file_is_what_it_is_within_the_process(file: Callable[[], bytes]) -> None:
    found = decode_apart(file(), 60.0)
    assert same(found, decode(file(), 60.0))
    found.samples[0] = 0.0  # it is the caller's, to change


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_refusal_is_what_it_is_within_the_process(data: bytes) -> None:
    with pytest.raises(TTSError) as here:
        decode(data, 1.5)
    with pytest.raises(TTSError) as there:
        decode_apart(data, 1.5)
    assert type(there.value) is type(here.value)
    assert (there.value.code, there.value.facts) == (here.value.code, here.value.facts)


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.usefixtures("no_process")
def test_a_canonical_file_needs_no_process(rate: int) -> None:
    for data in (read_clip(file_of(speechlike(rate, 3.0), rate, "FLAC")).wav(), recording()):
        assert same(decode_apart(data, 60.0), decode(data, 60.0))


def test_what_is_only_like_a_canonical_file_is_left_to_ffmpeg() -> None:
    data = recording()
    flipped = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(44)]
    for other in (
        *flipped,
        data[:-2],
        data + b"\0\0",
        data[:44],
        b"",
        file_of(stereo(16_000), 16_000, "WAV"),
    ):
        assert canonical.read(other) is None


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (b"segfault!", apart.CRASHED),
        (b"abort!", apart.CRASHED),
        (b"flood!", apart.CRASHED),
        (b"eat!", cell.TOO_MUCH),
        pytest.param(b"raise!", apart.CRASHED, marks=pytest.mark.slow),
        pytest.param(b"spin!", apart.TOO_SLOW, marks=pytest.mark.slow),
        pytest.param(b"hang!", apart.TOO_SLOW, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("hooked")
def test_what_the_process_dies_of_is_a_refusal(
    what: bytes, reason: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apart, "WALL_SECONDS", 5.0)
    with pytest.raises(Invalid) as caught:
        decode_apart(what, 60.0)
    assert (caught.value.code, caught.value.facts["reason"]) == ("bad_audio", reason)
    assert capfd.readouterr() == ("", "")
    assert not children(psutil.Process())


@pytest.mark.usefixtures("hooked")
def test_the_process_has_nothing_that_it_does_not_need(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TTS_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with (tmp_path / "open").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        told = json.loads(bytes(decode_apart(b"tell!", 60.0).samples.astype(np.uint8)))
    assert set(told["environ"]) <= {*apart.KEPT, "PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    assert told["open"] == [0, 1, 2]
    assert told["CORE"] == told["NOFILE"] == [0, 0]
    for name, most in (("AS", cell.MEMORY), ("CPU", cell.CPU_SECONDS + 1), ("FSIZE", 1 << 27)):
        assert 0 < told[name][0] <= told[name][1] <= most
    with pytest.raises(Invalid):
        decode_apart(b"noise!", 60.0)
    assert capfd.readouterr() == ("", "")


def test_a_process_that_cannot_begin_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "COMMAND", (sys.executable, "-c", "pass"))
    with pytest.raises(RuntimeError, match="could not begin"):
        decode_apart(BAD["html"])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[" * cell.HEAD,
        b"\xff",
        b"[]",
        b"{}",
        b'{"code": "internal", "facts": {}}',
        b'{"code": "bad_audio", "facts": {}}',
        b'{"code": "bad_audio", "facts": {"self": 1}}',
        b'{"rate": 0, "channels": 1, "count": 1}',
        b'{"rate": 16000, "channels": 1, "count": -1}',
        b'{"rate": 16000, "channels": 1, "count": 1000000000000}',
        b'{"rate": 16000, "channels": 1, "count": 3}',
    ],
)
def test_whatever_a_damaged_process_says_is_a_refusal(head: bytes) -> None:
    with apart._memory(head.ljust(cell.HEAD) + bytes(8)) as result, pytest.raises(Invalid) as caught:
        apart._read(head.ljust(cell.HEAD), result)
    assert caught.value.facts["reason"] == apart.CRASHED


@pytest.mark.usefixtures("hooked")
def test_two_at_once_and_none_once_it_is_closed() -> None:
    own, me = Apart(), psutil.Process()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(own.decode, b"hang!", 60.0) for _ in range(3)]
        try:
            until(lambda: len(children(me)) == 2, "two processes")
            with pytest.raises(AssertionError):
                until(lambda: len(children(me)) > 2, "a third one, which must not be", 0.3)
        finally:
            own.close()
        for future in waiting:
            assert isinstance(future.exception(30), Cancelled)
    assert not children(me)
