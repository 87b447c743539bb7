"""The words of read-along and repair."""

from __future__ import annotations

EN = {
    "state_opening": "Loading the sound…",
    "repair_edit": "Edit segment {n}",
    "repair_title": "Segment {n}",
    "repair_text": "Text of the segment",
    "repair_takes": "Takes",
    "repair_take": "Take {n}: play and use it",
    "repair_drop": "Delete take {n}",
    "repair_make": "Make again",
    "repair_first": "Make this segment",
    "repair_rest": "Speak the missing segments",
    "repair_same": "With the same seed",
    "repair_voice": "Voice: {voice}",
    "repair_hint": "Made again, it is spoken by {voice}, with the settings as they are now and another seed.",
    "repair_hint_fixed": "Made again, it is spoken by {voice}, with the settings as they are now. This engine says the same text the same way each time.",
    "repair_working": "Speaking…",
    "repair_cancelled": "Cancelled.",
    "repair_ready": "Take {n} is ready and in use.",
    "repair_chosen": "Take {n} is in use.",
    "repair_dropped": "Take {n} is deleted.",
}

ZH = {
    "state_opening": "正在载入音频…",
    "repair_edit": "修改第 {n} 段",
    "repair_title": "第 {n} 段",
    "repair_text": "本段文本",
    "repair_takes": "各个版本",
    "repair_take": "版本 {n}：播放并采用",
    "repair_drop": "删除版本 {n}",
    "repair_make": "重新生成",
    "repair_first": "生成本段",
    "repair_rest": "补全缺少的段落",
    "repair_same": "沿用相同种子",
    "repair_voice": "音色：{voice}",
    "repair_hint": "重新生成时使用当前的音色（{voice}）和参数，并换一个随机种子。",
    "repair_hint_fixed": "重新生成时使用当前的音色（{voice}）和参数。此引擎对相同的文本每次读法都一样。",
    "repair_working": "正在合成…",
    "repair_cancelled": "已取消。",
    "repair_ready": "版本 {n} 已生成并采用。",
    "repair_chosen": "已采用版本 {n}。",
    "repair_dropped": "已删除版本 {n}。",
}
