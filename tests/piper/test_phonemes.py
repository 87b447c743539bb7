"""The table of Mandarin: what reaches the model, heard in its sound, is what the package says of the normalised text.

"/" parts phrases, between which there is silence; "|" parts segments. espeak-ng writes the tones 1 to 5 as 5, ɜ, 2, 5
and 1. A few sentences are no longer the package's: it spells them in English (see ``engines.piper.mandarin``).
"""

from __future__ import annotations

import pytest

from .conftest import EN, ZH
from .saying import Desk

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TABLE = {  # text: (in words, phonemes)
    "你好，世界。": ("你好，世界。", "ni2χˈɑu2s.ˈi.5 tɕˈiɛ5"),
    "妈妈骂马吗？": ("妈妈骂马吗？", "mɑ5mˈɑ1 mˈɑ5 mˈɑ2 mˈɑ1"),
    "银行行长长大了。": ("银行行长长大了。", "jiɜnχˈɑɜŋ χɑɜŋts.ˈɑ2ŋ ts.ɑ2ŋtˈɑ5 lˈə1"),
    "他还没还书。": ("他还没还书。", "thˈɑ5 χˈaiɜ mˈeiɜ χuaɜns.ˈu5"),
    "重庆的重量很重。": ("重庆的重量很重。", "ts.honɡɜtɕhˈi5ŋ tˈə1 ts.ˈonɡ5 lˈiɑ5ŋ χˈə2n ts.ˈonɡ5"),
    "音乐让人快乐。": ("音乐让人快乐。", "ji5njˈyɛ5 ʐˈɑ5ŋ ʐˈəɜn khˈuai5 lˈə5"),
    "2026年11月22日": (
        "二零二六年十一月二十二日",
        "ˈər5 lˈiɜŋ ˈər5 lˈiou5 nˈiɛɜn s.ˈi.ɜ jˈi5 jˈyɛ5 ˈər5 s.ˈi.ɜ ˈər5 ʐˈi.5",
    ),
    "今天气温零下3.5℃。": (
        "今天气温零下三点五摄氏度。",
        "tɕˈi5n thˈiɛ5n tɕhˈi5 wˈuə5n lˈiɜŋ ɕˈiɑ5 sa5ntˈiɛ2n wˈu2 s.ˈo-5 s.ˈi.5 tˈu5",
    ),
    "票价是128元。": ("票价是一百二十八元。", "phjˈɑu5 tɕˈiɑ5 s.ˈi.5 ji5pˈai2 ˈər5 s.ˈi.ɜ pˈɑ5 jˈyæɜn"),
    "上午8:30开会。": ("上午八点三十分开会。", "s.ɑ5ŋwˈu2 pˈɑ5 tˈiɛ2n sˈa5n s.ˈi.ɜ fˈə5n khˈai5 χˈuei5"),
    "第3名得了50%的票。": (
        "第三名得了百分之五十的票。",
        "tˈi5 sˈa5n mˈiɜŋ təɜlˈə1 pˈai2 fˈə5n ts.ˈi.5 wˈu2 s.ˈi.ɜ tˈə1 phjˈɑu5",
    ),
    "我用iPhone给你发email。": ("我用iPhone给你发email。", "wˈo2 jˈonɡ5 ˈaɪ fˈəʊn kˈei2 nˈi2 fˈɑ5 ˈiːmeɪl"),
    "ABC公司": ("ABC公司", "ˌeɪbˌiːsˈiː kˈonɡ5 sˈi̪5"),
    "不是不可以，一定要去一趟。": (
        "不是不可以，一定要去一趟。",
        "puɜs.ˈi.5 pˈu5 kho-2jˈi2/jiɜtˈi5ŋ jˈɑu5 tɕhˈy5 jiɜthˈɑ5ŋ",
    ),
    "他说：“好！”然后走了……": ("他说：“好！”然后走了…", "thˈɑ5 s.wˈo5χˈɑu2/ʐˈaɜn χˈou5 tsˈou2 lˈə1"),
    "老师，早上好！今天学什么？": (
        "老师，早上好！今天学什么？",
        "lˈɑu2 s.ˈi.5tsɑu2s.ˈɑ1ŋ χˈɑu2/tɕˈi5n thˈiɛ5n ɕˈyɛɜ s.ˈəɜn mˈo-1",
    ),
    "吃葡萄不吐葡萄皮。": ("吃葡萄不吐葡萄皮。", "ts.hˈi.5 phuɜthˈɑu1 pˈu5 thˈu2 phuɜthˈɑu1 phˈiɜ"),
    "谢谢！": ("谢谢！", "ɕiɛ5ɕˈiɛ1"),
    "女儿绿色的旅行。": ("女儿绿色的旅行。", "nˈy2 ˈərɜ lˈy5 sˈo-5 tˈə1 lˈy2 ɕˈiɜŋ"),
    "长江很长。": ("长江很长。", "ts.hˈɑɜŋ tɕˈiɑ5ŋ χˈə2n ts.hˈɑɜŋ"),
    "他的儿子三岁。": ("他的儿子三岁。", "thˈɑ5 tˈə1 ˈərɜ tsˈi̪1 sˈa5n sˈuei5"),
}
MENDED = {
    "英雄爱熊猫，穷人爱英雄。": "jˈi5ŋ ɕˈionɡɜ ˈai5 ɕˈionɡɜ mˈɑu5/tɕhˈionɡɜ ʐˈəɜn ˈai5 jˈi5ŋ ɕˈionɡɜ",
    "我们一会儿再去。": "wˈo2 mˈə1n jiɜχˈuei5 ˈərɜ tsˈai5 tɕhˈy5",
    "窘迫的兄弟。": "tɕˈionɡ2 phˈo5 tˈə1 ɕˈionɡ5 tˈi5",
}


def _package(desk: Desk, text: str, name: str = ZH) -> str:
    """What the package itself makes of it, sentence by sentence (it may be initialised once only)."""
    speaker = desk.engine._models.get(desk.engine._speakers[name][0]).speaker
    return "/".join("".join(sentence) for sentence in speaker.phonemize(text))


@pytest.mark.parametrize("text", TABLE)
def test_the_model_gets_the_phonemes_of_the_words(desk: Desk, text: str) -> None:
    words, phonemes = TABLE[text]
    assert "".join(piece.spoken for piece in desk.frontend.split(text)).replace(" ", "") == words
    assert desk.phonemes(text, ZH) == phonemes
    assert _package(desk, words).replace("/", "") == phonemes.replace("/", "").replace("|", "")


@pytest.mark.parametrize("text", MENDED)
def test_what_the_package_spells_in_english_is_mandarin(desk: Desk, text: str) -> None:
    assert desk.phonemes(text, ZH) == MENDED[text]
    spelt = _package(desk, text)
    assert any(sound in spelt for sound in ("ʃəŋ", "ʲəŋ", "θ", "fˈɔː", "fˈaɪv"))


def test_other_languages_keep_their_marks(desk: Desk) -> None:
    text, words = "Hello, world. It costs $5!", "Hello, world. It costs five dollars!"
    said = desk.phonemes(text, EN, "en-GB").replace("|", "/")
    assert said == _package(desk, words, EN) and said.count(".") == said.count(",") == said.count("!") == 1
