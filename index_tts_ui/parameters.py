"""What a request may set besides its text, voice and emotion: one table for API, page and engines."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Invalid


@dataclass(frozen=True, slots=True)
class Parameter:
    """``low`` and ``high`` belong to the range; a whole number where ``step`` is an int."""

    default: float
    low: float
    high: float
    step: float
    label: str
    label_zh: str
    help: str
    help_zh: str

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return isinstance(self.step, int)


# Defaults are those of the official page, apart from beams, of which batched decoding has one.
PARAMETERS: dict[str, Parameter] = {
    "temperature": Parameter(
        *(0.8, 0.1, 2.0, 0.05),
        "Temperature",
        "温度",
        "Higher: livelier, less predictable",
        "越高越活泼，也越不稳定",
    ),
    "top_p": Parameter(
        *(0.8, 0.05, 1.0, 0.05),
        "Top-p",
        "Top-p",
        "Choose among codes that together have this probability",
        "只在累计概率达到该值的编码中选择",
    ),
    "top_k": Parameter(
        *(30, 0, 200, 1),
        "Top-k",
        "Top-k",
        "Choose among this many codes; 0: all",
        "只在概率最高的若干编码中选择；0 表示全部",
    ),
    "repetition_penalty": Parameter(
        *(10.0, 1.0, 20.0, 0.1),
        "Repetition penalty",
        "重复惩罚",
        "Higher: fewer repeated sounds",
        "越高越少重复",
    ),
    "max_codes": Parameter(
        *(1500, 50, 1800, 10),
        "Longest segment",
        "单段最长",
        "Codes after which a segment is cut (v2: 50, v2.5: 25 a second)",
        "单段编码上限，超出即截断（v2 每秒 50 个，v2.5 每秒 25 个）",
    ),
    "segment_tokens": Parameter(
        *(120, 20, 300, 1),
        "Segment length",
        "分段长度",
        "Most text tokens of one segment; 80 to 200 sound best",
        "单段最多的文本 token；80 到 200 效果最好",
    ),
    "pause_ms": Parameter(
        *(200, 0, 2000, 10),
        "Pause between segments",
        "段间停顿",
        "Milliseconds of silence between segments",
        "段与段之间静音的毫秒数",
    ),
    "diffusion_steps": Parameter(
        *(25, 4, 50, 1),
        "Diffusion steps",
        "扩散步数",
        "Fewer: faster, rougher",
        "越少越快，也越粗糙",
    ),
    "guidance": Parameter(
        *(0.7, 0.0, 2.0, 0.05),
        "Guidance",
        "引导强度",
        "How strictly the sound follows voice and text",
        "声音贴合音色与文本的程度",
    ),
    "inference_timesteps": Parameter(
        *(10, 4, 50, 1),
        "Timesteps",
        "推理步数",
        "Of the diffusion of each patch of sound; fewer: faster, rougher",
        "每一小块声音的扩散步数；越少越快，也越粗糙",
    ),
    "cfg_value": Parameter(
        *(2.0, 1.0, 5.0, 0.1),
        "CFG value",
        "CFG 强度",
        "Higher: closer to voice and text; too high sounds strained",
        "越高越贴合音色与文本；过高会显得不自然",
    ),
    "noise_scale": Parameter(
        *(0.667, 0.0, 1.5, 0.001),
        "Noise",
        "噪声",
        "Of the sound: 0 is always the same and flat; absent: the voice's own",
        "声音的随机程度；0 每次都一样，也更平淡；不填则用音色自身的值",
    ),
    "noise_w_scale": Parameter(
        *(0.8, 0.0, 1.5, 0.01),
        "Noise in lengths",
        "时长噪声",
        "How much the lengths of sounds vary; absent: the voice's own",
        "各个音的长短变化；不填则用音色自身的值",
    ),
    "duration_factor": Parameter(
        *(1.0, 0.5, 2.0, 0.05),
        "Duration",
        "时长系数",
        "2: twice as long, 0.5: half",
        "2 为两倍时长，0.5 为一半",
    ),
}


def checked(values: Mapping[str, Any], engine: str, known: Collection[str]) -> dict[str, float]:
    """``values`` that ``engine`` (which knows ``known``) may be given.

    Raises:
        Invalid: a parameter that the engine has not, or a value outside its range.
    """
    found: dict[str, float] = {}
    for name, value in values.items():
        if name not in known or name not in PARAMETERS:
            raise Invalid("unsupported", param=name, engine=engine, what=name)
        item = PARAMETERS[name]
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not (good and item.low <= value <= item.high and (not item.whole or value == int(value))):
            kind = "a whole number" if item.whole else "a number"
            raise Invalid(
                "bad_value", param=name, reason=f"must be {kind} from {item.low:g} to {item.high:g}"
            )
        found[name] = int(value) if item.whole else float(value)
    return found
