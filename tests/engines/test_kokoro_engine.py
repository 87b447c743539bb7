"""The real model on the CPU: segments in, sound or a reason out."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_tts_ui.engines.base import Engine, EngineInfo, EngineOptions, Result
from index_tts_ui.engines.kokoro.engine import RATE, KokoroEngine
from index_tts_ui.engines.kokoro.voices import VOICES
from index_tts_ui.errors import BadConfig
from index_tts_ui.speech import Segment, VoiceRef

HELLO = "həlˈO wˈɜɹld."
HEART, BELLA = VoiceRef("builtin", "af_heart"), VoiceRef("builtin", "af_bella")


class Loaded:
    """An engine and what its load said."""

    def __init__(self, model_dir: Path) -> None:
        self.engine = KokoroEngine(EngineOptions(threads=2))
        self.progress: list[tuple[float, str]] = []
        self.info: EngineInfo = self.engine.load(model_dir, lambda *step: self.progress.append(step))


@pytest.fixture(scope="module")
def loaded(kokoro_dir: Path) -> Iterator[Loaded]:
    loaded = Loaded(kokoro_dir)
    yield loaded
    loaded.engine.close()


@pytest.fixture(scope="module")
def engine(loaded: Loaded) -> Engine:
    return loaded.engine


def segment(spoken: str = HELLO, *voices: VoiceRef, name: str = "r/0", **params: object) -> Segment:
    return Segment(name, "", spoken, len(spoken), "en", voices or (HEART,), params)


def speak(engine: Engine, wanted: Segment) -> Result:
    engine.admit(wanted)
    (result,) = engine.step()
    return result


def samples(result: Result) -> np.ndarray:
    assert result.audio is not None, result.message
    assert result.audio.rate == RATE
    return result.audio.samples


def test_load_reports_progress_and_says_what_it_can(loaded: Loaded) -> None:
    fractions = [fraction for fraction, _ in loaded.progress]
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert (loaded.info.name, loaded.info.sample_rate, loaded.info.max_rows) == ("kokoro", RATE, 1)
    assert set(loaded.info.features) == {"speed", "blend"}


def test_a_segment_becomes_mono_float_sound(engine: Engine) -> None:
    result = speak(engine, segment())
    sound = samples(result)
    assert (sound.dtype, sound.ndim) == (np.float32, 1)
    assert 0.5 * RATE < len(sound) < 4 * RATE
    assert np.sqrt(np.mean(sound**2)) > 0.01
    assert (result.segment_id, result.code) == ("r/0", "") and result.engine_seconds > 0


def test_the_same_segment_is_the_same_sound(engine: Engine) -> None:
    assert np.array_equal(samples(speak(engine, segment())), samples(speak(engine, segment())))


def test_speed_changes_the_length(engine: Engine) -> None:
    slow, fast = (len(samples(speak(engine, segment(speed=speed)))) for speed in (0.7, 1.4))
    assert 1.6 < slow / fast < 2.4


def test_a_blend_is_neither_voice_and_goes_by_the_ratio_of_weights(engine: Engine) -> None:
    alone = samples(speak(engine, segment(HELLO, HEART)))
    even = samples(speak(engine, segment(HELLO, HEART, BELLA)))
    doubled = samples(speak(engine, segment(HELLO, replace(HEART, weight=2.0), replace(BELLA, weight=2.0))))
    leaning = samples(speak(engine, segment(HELLO, replace(HEART, weight=1.0), replace(BELLA, weight=0.0))))
    assert np.array_equal(even, doubled)
    assert np.array_equal(alone, leaning)
    assert not np.array_equal(even, alone)


def test_a_waiting_segment_takes_the_only_place(engine: Engine) -> None:
    assert (engine.free(), engine.busy()) == (1, False)
    engine.admit(segment())
    assert (engine.free(), engine.busy()) == (0, True)
    engine.step()
    assert (engine.free(), engine.busy()) == (1, False)


def test_a_step_without_a_segment_does_nothing(engine: Engine) -> None:
    assert engine.step() == []


def test_a_cancelled_waiting_segment_is_never_spoken(engine: Engine) -> None:
    engine.admit(segment(name="gone"))
    engine.cancel("unknown")
    engine.cancel("gone")
    assert (engine.free(), engine.step()) == (1, [])


def test_cancelling_ends_a_run_and_the_engine_goes_on(engine: Engine) -> None:
    before = samples(speak(engine, segment()))
    engine.admit(segment((HELLO + " ") * 36, name="long"))
    canceller = threading.Thread(target=_cancel_once_running, args=(engine, "long"))
    canceller.start()
    # a run that was not ended has its sound as its result
    assert engine.step() == []
    canceller.join(timeout=60)
    assert not canceller.is_alive(), "the cancelling thread did not end within 60 s"
    assert np.array_equal(samples(speak(engine, segment())), before)


def _cancel_once_running(engine: Engine, name: str) -> None:
    deadline = time.monotonic() + 60
    while engine.busy() or engine.free():
        assert time.monotonic() < deadline, "the segment did not start within 60 s"
        time.sleep(0.001)
    time.sleep(0.05)  # well inside the model's run
    engine.cancel(name)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (segment(""), "nothing to speak"),
        (segment("a" * 511), "511 tokens"),
        (segment("你好"), "no sound"),
        (segment(HELLO, VoiceRef("builtin", "nobody")), "nobody"),
        (segment(HELLO, VoiceRef("builtin", "../af_heart")), "af_heart"),
        (segment(HELLO, VoiceRef("clip", "af_heart")), "af_heart"),
        (segment(HELLO, replace(HEART, weight=0.0)), "weights"),
        (segment(HELLO, replace(HEART, weight=2.0), replace(BELLA, weight=-1.0)), "weights"),
        (segment(HELLO, replace(HEART, weight=float("nan"))), "weights"),
        (segment(speed=0), "speed"),
        (segment(speed="fast"), "speed"),
        (segment(speed=float("nan")), "speed"),
    ],
)
def test_bad_input_is_a_failure_of_its_segment_with_a_reason(
    engine: Engine, bad: Segment, reason: str
) -> None:
    result = speak(engine, bad)
    assert (result.audio, result.code, result.retryable) == (None, "engine_failed", False)
    assert reason in result.message
    assert samples(speak(engine, segment())).any()


def test_max_seconds_ends_the_sound_without_a_click(engine: Engine) -> None:
    sound = samples(speak(engine, replace(segment(), max_seconds=0.5)))
    assert len(sound) == RATE // 2
    assert sound[-1] == 0.0


@pytest.mark.parametrize("tokens", [1, 2, 510])
def test_the_shortest_and_longest_segments_are_spoken(engine: Engine, tokens: int) -> None:
    assert np.isfinite(samples(speak(engine, segment(("həlˈO wˈɜɹld " * 40)[:tokens], speed=4.0)))).all()


def test_every_voice_speaks_and_none_sounds_like_another(engine: Engine) -> None:
    sounds = {
        samples(speak(engine, segment("hˈI.", VoiceRef("builtin", voice.id), speed=4.0))).tobytes()
        for voice in VOICES
    }
    assert len(sounds) == len(VOICES)


def test_stats_are_small_and_plain(engine: Engine) -> None:
    engine.warm(BELLA)
    engine.warm(VoiceRef("builtin", "nobody"))
    speak(engine, segment())
    stats = engine.stats()
    assert stats["rows"] == 0 and stats["spoken"] > 0 and stats["rtf"] > 0


def _copy(source: Path, target: Path) -> Path:
    """The model folder by symbolic links: seven copies of 110 MB would take time."""
    shutil.copytree(
        source, target, copy_function=lambda file, link: Path(link).symlink_to(Path(file).resolve())
    )
    return target


def _without(path: Path) -> None:
    path.unlink()


def _cut_short(path: Path) -> None:
    data = path.read_bytes()[:1000]
    path.unlink()
    path.write_bytes(data)


def _scrambled(path: Path) -> None:
    size = path.stat().st_size
    path.unlink()
    path.write_bytes(bytes(size))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.onnx", _without),
        ("model.onnx", _cut_short),
        ("model.onnx", _scrambled),
        ("vocab.json", _without),
        ("vocab.json", _cut_short),
        ("voices/zf_xiaobei.bin", _without),
        ("voices/bm_george.bin", _cut_short),
    ],
)
def test_a_damaged_model_folder_is_a_setting_to_mend(
    kokoro_dir: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = _copy(kokoro_dir, tmp_path / "kokoro")
    damage(folder / name)
    with pytest.raises(BadConfig) as caught:
        KokoroEngine(EngineOptions(threads=1)).load(folder, lambda fraction, text: None)
    assert (caught.value.code, caught.value.facts["path"]) == ("model_missing", folder)
