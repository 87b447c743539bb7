"""Emotions by name: what /synthesize, OpenAI's ``instructions`` and the page's presets stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import Invalid
from .speech import EMOTIONS, Emotion

NEUTRAL = ("neutral", "中性", "自然", "默认", "default", "normal", "none", "无")
MAX_WEIGHT = 1.4  # of one emotion in a vector
MAX_TEXT = 500  # characters of a description
# What of each emotion the models bear, and of all together: the figures of IndexTTS-2's official page
# (normalize_emo_vec of indextts 2.1.1).
BEARABLE = (0.9375, 0.875, 1.0, 1.0, 0.9375, 0.9375, 0.6875, 0.5625)
TOGETHER = 0.8


@dataclass(frozen=True, slots=True)
class Preset:
    """A vector (in the order of ``speech.EMOTIONS``) and its names; the first two are for people."""

    vector: tuple[float, ...]
    label: str
    label_zh: str
    also: tuple[str, ...] = ()


def _mix(**weights: float) -> tuple[float, ...]:
    return tuple(weights.get(name, 0.0) for name in EMOTIONS)


# 0.6 is plainly heard, and leaves part of the voice's own manner (weights should sum to 0.8 at most).
PRESETS: dict[str, Preset] = {
    "happy": Preset(
        _mix(happy=0.6), "Happy", "高兴", ("喜悦", "开心", "快乐", "喜", "joy", "joyful", "cheerful")
    ),
    "angry": Preset(_mix(angry=0.6), "Angry", "愤怒", ("生气", "怒", "anger")),
    "sad": Preset(_mix(sad=0.6), "Sad", "悲伤", ("难过", "伤心", "哀", "sadness")),
    "afraid": Preset(_mix(afraid=0.6), "Afraid", "恐惧", ("害怕", "惧", "fear", "fearful", "scared")),
    "disgusted": Preset(_mix(disgusted=0.6), "Disgusted", "厌恶", ("反感", "disgust")),
    "melancholic": Preset(_mix(melancholic=0.6), "Melancholic", "低落", ("忧郁", "melancholy")),
    "surprised": Preset(_mix(surprised=0.5), "Surprised", "惊喜", ("惊讶", "惊", "surprise")),
    "calm": Preset(_mix(calm=0.6), "Calm", "平静", ("冷静", "平和")),
    "excited": Preset(_mix(happy=0.5, surprised=0.25), "Excited", "激动", ("兴奋", "excitement")),
    "gentle": Preset(_mix(happy=0.15, calm=0.5), "Gentle", "温柔", ("柔和", "soft", "tender")),
    "nervous": Preset(_mix(afraid=0.4, surprised=0.15), "Nervous", "紧张", ("焦虑", "anxious")),
}


def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for key, preset in PRESETS.items():
        found |= dict.fromkeys((key, preset.label.lower(), preset.label_zh, *preset.also), key)
    return found


NAMES = _names()  # every name, in lower case -> key of PRESETS


def bearable(vector: Sequence[float]) -> tuple[float, ...]:
    """Eight weights (0 to 1, in the order of ``speech.EMOTIONS``) damped, so that they sum to 0.8 at most.

    For sliders and presets, whose values are wishes; a vector that the API is given is taken as it is.
    """
    damped = [slider * most for slider, most in zip(vector, BEARABLE, strict=True)]
    scale = min(1.0, TOGETHER / max(sum(damped), 1e-9))
    return tuple(round(value * scale, 4) for value in damped)


def find(name: str) -> str | None:
    """The preset that ``name`` means, "" for the plain voice, None where it means nothing."""
    plain = re.sub(r"[\s.!。！]+$", "", name.strip().lower())
    return "" if plain in ("", *NEUTRAL) else NAMES.get(plain)


def name_of(vector: Sequence[float]) -> str:
    """The preset whose vector that is; "" where it is none's."""
    exact = (key for key, preset in PRESETS.items() if bearable(preset.vector) == tuple(vector))
    return next(exact, "")


def named(name: str) -> Emotion | None:
    """The emotion of that name, in English or Chinese; None is the plain voice. Raises Invalid with the list."""
    key = find(name)
    if key is None:
        labels = ", ".join(f"{key} ({preset.label_zh})" for key, preset in PRESETS.items())
        raise Invalid("not_one_of", param="emotion", allowed=f"neutral (中性), {labels}")
    return Emotion(vector=bearable(PRESETS[key].vector)) if key else None
