"""A speech recogniser understands what Kokoro says: Mandarin, English, both in one sentence."""

from __future__ import annotations

import pytest

from tests.conftest import Say
from tests.hearing import pinyin_error_rate, syllables, transcribe, word_error_rate, words

RATE = 24_000


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("zf_xiaobei", "今天天气很好，我们一起去公园散步吧。"),
        ("zf_xiaobei", "他得到了老师的表扬，心里非常高兴。"),
        ("zf_xiaoxiao", "请把窗户关上，外面的风太大了。"),
        ("zm_yunjian", "老师教我们怎样用电脑写文章。"),
        ("zm_yunxi", "为了保护环境，我们应该少用塑料袋。"),
    ],
)
def test_mandarin_is_understood(say: Say, voice: str, text: str) -> None:
    assert pinyin_error_rate(say(text, voice), RATE, text) <= 0.06


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("af_heart", "The quick brown fox jumps over the lazy dog near the river bank."),
        ("bf_emma", "She opened the window because the room was far too warm."),
        ("am_michael", "Please send me the report before the meeting on Monday morning."),
    ],
)
def test_english_is_understood(say: Say, voice: str, text: str) -> None:
    assert word_error_rate(say(text, voice), RATE, text) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("voice", ["jf_alpha", "em_alex", "ff_siwis", "hm_omega", "if_sara", "pm_santa"])
def test_voices_of_other_languages_are_understood_in_ours(say: Say, voice: str) -> None:
    english = "Please send me the report before the meeting on Monday morning."
    mandarin = "请把窗户关上，外面的风太大了。"
    assert word_error_rate(say(english, voice), RATE, english) <= 0.05
    if voice == "jf_alpha":
        return  # its Mandarin is not as clear
    assert pinyin_error_rate(say(mandarin, voice), RATE, mandarin) <= 0.1


def test_dates_and_temperatures_are_understood(say: Say) -> None:
    text = "今天是2026年11月21日，最高气温35℃。"
    spoken = "今天是二零二六年十一月二十一日，最高气温三十五摄氏度。"
    assert pinyin_error_rate(say(text, "zf_xiaobei"), RATE, spoken) <= 0.1


def test_english_inside_mandarin_is_understood(say: Say) -> None:
    heard = transcribe(say("我们用GPU来训练人工智能模型。", "zf_xiaobei"), RATE, "zh")
    assert "gpu" in words(heard)
    assert set(syllables("训练人工智能模型")) <= set(syllables(heard))
