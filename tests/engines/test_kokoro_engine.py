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
from index_tts_ui.engines.kokoro.voices import OTHERS, VOICES
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
    (result,) = finished(engine)
    return result


def finished(engine: Engine) -> list[Result]:
    """All results until nothing is left to do."""
    results, deadline = [], time.monotonic() + 120
    while engine.busy():
        assert time.monotonic() < deadline, "the engine did not finish within 120 s"
        results += engine.step()
    return results


def samples(result: Result) -> np.ndarray:
    assert result.audio is not None, result.message
    assert result.audio.rate == RATE
    return result.audio.samples


def test_load_reports_progress_and_says_what_it_can(loaded: Loaded) -> None:
    fractions = [fraction for fraction, _ in loaded.progress]
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert (loaded.info.name, loaded.info.sample_rate, loaded.info.max_rows) == ("kokoro", RATE, 2)
    assert set(loaded.info.features) == {"speed", "blend", "pronunciation"}


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


def test_a_segment_takes_a_place_until_it_is_spoken(engine: Engine) -> None:
    assert (engine.free(), engine.busy()) == (2, False)
    engine.admit(segment())
    assert (engine.free(), engine.busy()) == (1, True)
    engine.step()
    assert (engine.free(), engine.busy()) == (1, True)  # it runs
    finished(engine)
    assert (engine.free(), engine.busy()) == (2, False)


@pytest.mark.slow
def test_segments_of_two_requests_run_side_by_side_and_sound_as_they_do_alone(engine: Engine) -> None:
    wanted = [segment(name="a/0"), segment(HELLO, BELLA, name="b/0"), segment(speed=1.3, name="c/0")]
    alone = {one.id: samples(speak(engine, one)) for one in wanted}
    together: dict[str, np.ndarray] = {}
    most, deadline = 0, time.monotonic() + 120
    while most < 2:  # the second session takes a while to be there
        assert time.monotonic() < deadline, "no two ran at a time within 120 s"
        for one in wanted:
            engine.admit(one)
        while engine.busy():
            results = engine.step()
            assert isinstance(engine, KokoroEngine)
            most = max(most, len(engine._running))
            together |= {result.segment_id: samples(result) for result in results}
    for name, sound in alone.items():
        assert np.allclose(together[name], sound, atol=1e-4), name


def test_segments_of_one_request_run_one_after_another(engine: Engine) -> None:
    engine.admit(segment(name="r/0"))
    engine.admit(segment(name="r/1"))
    order = []
    while engine.busy():
        results = engine.step()
        assert isinstance(engine, KokoroEngine) and len(engine._running) <= 1
        order += [result.segment_id for result in results]
    assert order == ["r/0", "r/1"]


def test_cancelling_one_of_two_leaves_the_other(engine: Engine) -> None:
    engine.admit(segment((HELLO + " ") * 36, name="long/0"))
    engine.admit(segment(name="short/0"))
    engine.step()
    engine.cancel("long/0")
    assert [result.segment_id for result in finished(engine)] == ["short/0"]


def test_without_memory_for_a_second_session_it_is_one_at_a_time(
    kokoro_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index_tts_ui.engines.kokoro.sessions.NEEDED_BYTES", 1 << 60)
    small = Loaded(kokoro_dir).engine
    for name in ("a/0", "b/0", "c/0"):
        small.admit(segment(name=name))
    assert [result.segment_id for result in finished(small)] == ["a/0", "b/0", "c/0"]
    assert small.free() == 1
    small.close()


def test_a_step_without_a_segment_does_nothing(engine: Engine) -> None:
    assert engine.step() == []


def test_a_cancelled_waiting_segment_is_never_spoken(engine: Engine) -> None:
    engine.admit(segment(name="gone"))
    engine.cancel("unknown")
    engine.cancel("gone")
    assert (engine.free(), engine.step()) == (2, [])


def test_cancelling_ends_a_run_and_the_engine_goes_on(engine: Engine) -> None:
    before = samples(speak(engine, segment()))
    engine.admit(segment((HELLO + " ") * 36, name="long"))
    canceller = threading.Thread(target=_cancel_once_running, args=(engine, "long"))
    canceller.start()
    # a run that was not ended has its sound as its result
    assert finished(engine) == []
    canceller.join(timeout=60)
    assert not canceller.is_alive(), "the cancelling thread did not end within 60 s"
    assert np.array_equal(samples(speak(engine, segment())), before)


def _cancel_once_running(engine: Engine, name: str) -> None:
    assert isinstance(engine, KokoroEngine)
    deadline = time.monotonic() + 60
    while not engine._running:
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


@pytest.mark.slow
def test_every_voice_speaks_and_none_sounds_like_another(engine: Engine) -> None:
    sounds = {
        samples(speak(engine, segment("hˈI.", VoiceRef("builtin", voice.id), speed=4.0))).tobytes()
        for voice in VOICES
    }
    assert len(sounds) == len(VOICES)


def test_a_model_without_the_later_voices_works_and_names_what_brings_them(
    kokoro_dir: Path, tmp_path: Path
) -> None:
    for path in (kokoro_dir / "model.onnx", kokoro_dir / "vocab.json"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "voices").mkdir()
    for voice in VOICES:
        if voice not in OTHERS:
            name = f"{voice.id}.bin"
            (tmp_path / "voices" / name).symlink_to(kokoro_dir / "voices" / name)
    engine = KokoroEngine(EngineOptions(threads=1))
    engine.load(tmp_path, lambda fraction, text: None)
    try:
        voice = VoiceRef("builtin", OTHERS[0].id)
        engine.warm(voice)
        refused = speak(engine, segment("hˈI.", voice))
        assert refused.code == "engine_failed" and "models fetch kokoro" in refused.message
        assert len(samples(speak(engine, segment("hˈI.", BELLA))))
    finally:
        engine.close()


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
