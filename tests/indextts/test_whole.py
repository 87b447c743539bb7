"""Any segments, in any company: each is what the packages' own single run says."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from index_tts_ui.speech import EMOTIONS, Emotion, Segment

from .running import STEPS, TOLERANCE, Clips, Engines, nothing_is_left, run, same, segment
from .serial import speak

ROUNDED = TOLERANCE + 1 / 32767  # the package answers in 16 bits
CLIPS = 4
WEIGHTS = st.sampled_from((0.0, 0.05, 0.1))  # the sum of eight is below what 2.5 bears
EMOTION = st.one_of(
    st.none(),
    st.builds(Emotion, clip=st.integers(0, CLIPS - 1), weight=st.sampled_from((0.3, 1.0))),
    st.builds(Emotion, vector=st.tuples(*[WEIGHTS] * len(EMOTIONS)), weight=st.sampled_from((0.5, 1.0))),
)
ONE = st.fixed_dictionaries(
    {
        "text": st.lists(st.integers(300, 2999), min_size=1, max_size=40),
        "voice": st.integers(0, CLIPS - 1),
        "emotion": EMOTION,
        "seed": st.integers(0, 2**32),
        "codes": st.integers(5, 60),
        "joins": st.integers(0, 40),
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.5", "2"])
def test_any_segments_in_any_company_equal_the_packages_single_runs(
    version: str, engines: Engines, clips: Clips, request: pytest.FixtureRequest
) -> None:
    engine = engines(version)
    package = request.getfixturevalue({"2.5": "package25", "2": "package2"}[version])

    @settings(
        max_examples=6 if version == "2.5" else 3,  # the second package is slow
        deadline=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(ONE, min_size=1, max_size=6))
    def check(drawn: list[dict[str, Any]]) -> None:
        crowd = [_segment(n, one, clips[1], version) for n, one in enumerate(drawn)]
        found = run(engine, crowd, {n: one["joins"] for n, one in enumerate(drawn)})
        nothing_is_left(engine)
        for n, one in enumerate(drawn):
            _equals(found[crowd[n].id], package, clips, one, version)

    check()


def _segment(number: int, one: dict[str, Any], keys: list[str], version: str) -> Segment:
    emotion = one["emotion"]
    if emotion and emotion.clip is not None:
        emotion = Emotion(clip=keys[emotion.clip], weight=emotion.weight)
    params: dict[str, Any] = {"max_codes": one["codes"]}
    if version == "2":  # its steps cannot be set
        params["diffusion_steps"] = 25
    key = keys[one["voice"]]
    return segment(f"r{number}", one["text"], key, seed=one["seed"], emotion=emotion, params=params)


def _equals(result: Any, package: Any, clips: Clips, one: dict[str, Any], version: str) -> None:
    folder, keys = clips
    told: dict[str, Any] = {"diffusion_steps": STEPS} if version == "2.5" else {}
    emotion = one["emotion"]
    if emotion and emotion.clip is not None:
        told |= {"emo_audio_prompt": str(folder / f"{keys[emotion.clip]}.wav"), "emo_alpha": emotion.weight}
    elif emotion:
        told |= {"emo_vector": list(emotion.vector), "emo_alpha": emotion.weight}
    clip = folder / f"{keys[one['voice']]}.wav"
    if result.audio is not None and not len(result.audio.samples):
        with suppress(RuntimeError):  # the package may stumble over a row that stops at once
            assert not len(speak(package, clip, one["text"], seed=one["seed"], **told))
        return
    wanted = speak(package, clip, one["text"], seed=one["seed"], max_mel_tokens=one["codes"], **told)
    same(result, wanted, ROUNDED)
