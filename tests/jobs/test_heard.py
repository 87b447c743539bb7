"""A script spoken by the embedded voice: a recogniser hears each line, and its pitch tells who says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ..api.server import serving
from ..hearing import decode_any, pinyin_error_rate, word_error_rate
from .asking import Jobs

LINES = (
    ("Bella", "en", "The old bridge crosses a quiet river near the market."),
    ("Adam", "en", "Every morning the farmers bring fresh bread to the town."),
    ("小北", "zh", "今天下午我们一起去图书馆看书。"),
    ("云健", "zh", "路上的风很大，天空却非常蓝。"),
)
CAST = {"Bella": "af_bella", "Adam": "am_adam", "小北": "zf_xiaobei", "云健": "zm_yunjian"}
APART = 1.25  # a woman's voice is higher than a man's by more than this


def pitch(samples: np.ndarray, rate: int) -> float:
    """Hz: the median over voiced frames of the lag that a frame is most like itself at."""
    width, found = rate // 20, []
    for start in range(0, len(samples) - width, width // 2):
        frame = samples[start : start + width] - samples[start : start + width].mean()
        energy = float(frame @ frame)
        if energy < 0.02 * width * float(np.mean(samples**2)):
            continue
        alike = np.correlate(frame, frame, "full")[width - 1 :] / (energy + 1e-9)
        low, high = rate // 400, rate // 65
        lag = low + int(np.argmax(alike[low:high]))
        if alike[lag] > 0.5:
            found.append(rate / lag)
    return float(np.median(found))


@pytest.mark.slow
def test_each_line_is_heard_in_the_voice_of_its_name(kokoro_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "cache_hub").symlink_to(kokoro_dir.parent)
    with serving(tmp_path, "--engine", "kokoro", "--no-page") as server:
        jobs = Jobs(server)
        script = "\n".join(f"{name}: {text}" for name, _, text in LINES)
        made = jobs.make(input=script, cast={name: {"voice": voice} for name, voice in CAST.items()})
        assert jobs.ended(made["id"], 300)["state"] == "done"
        pitches = []
        for number, (_, language, text) in enumerate(LINES, 1):
            sound = jobs.http.get(f"/jobs/{made['id']}/audio", params={"line": number, "format": "wav"})
            samples, rate = decode_any(sound.content)
            rate_of_errors = pinyin_error_rate if language == "zh" else word_error_rate
            assert rate_of_errors(samples, rate, text) <= 0.15, text
            pitches.append(pitch(samples, rate))
        bella, adam, xiaobei, yunjian = pitches
        assert bella > APART * adam and xiaobei > APART * yunjian, pitches

        slot = 2.35  # seconds: the first line takes 2.9; much faster, this voice begins to swallow words
        lines = [{"text": LINES[0][2], "start": 0, "end": slot, "speaker": "Bella"}]
        fitted = jobs.make(lines=lines, cast={"Bella": {"voice": "af_bella"}}, fit=1.6)["id"]
        jobs.ended(fitted, 300)
        (line,) = jobs.http.get(f"/jobs/{fitted}/lines").json()["data"]
        assert line["fit"] > 1.05 and line["over"] == 0 and line["segments"][0]["seconds"] <= slot * 1.02
        whole = jobs.http.get(f"/jobs/{fitted}/audio", params={"format": "wav"}).content
        assert word_error_rate(*decode_any(whole), LINES[0][2]) <= 0.15
        jobs.http.close()
