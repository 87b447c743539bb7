"""The torch-free half of Kokoro: phonemes in the model's alphabet, pieces under a budget."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index_tts_ui.engines.base import Frontend
from index_tts_ui.engines.kokoro.frontend import SYMBOLS, KokoroFrontend

FRONTEND = KokoroFrontend()


def spoken(text: str, language: str = "", voice_language: str = "zh-CN") -> str:
    return " ".join(piece.spoken for piece in FRONTEND.split(text, language, voice_language))


def test_the_symbols_are_the_models(kokoro_dir: Path) -> None:
    vocabulary = json.loads((kokoro_dir / "vocab.json").read_text("utf-8"))["vocab"]
    assert vocabulary.keys() == SYMBOLS


def test_importing_and_using_it_loads_neither_torch_nor_onnxruntime() -> None:
    code = (
        "import sys; from index_tts_ui.engines.kokoro.frontend import KokoroFrontend\n"
        "assert not {'jieba', 'pypinyin', 'hibari', 'wetext'} & sys.modules.keys(), 'not lazy'\n"
        "KokoroFrontend().split('你好，hello world 2026。')\n"
        "assert not {'torch', 'onnxruntime'} & sys.modules.keys()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


def test_there_are_8_mandarin_28_english_and_18_other_voices_with_packs(kokoro_dir: Path) -> None:
    frontend: Frontend = FRONTEND
    voices = frontend.voices()
    languages = [voice.language for voice in voices]
    assert (languages.count("zh-CN"), languages.count("en-US"), languages.count("en-GB")) == (8, 38, 8)
    assert {voice.id for voice in voices} == {path.stem for path in (kokoro_dir / "voices").iterdir()}
    assert (voices[0].language, voices[0].gender) == ("zh-CN", "female")
    assert len({voice.name_zh for voice in voices}) == len(voices)


@pytest.mark.parametrize(
    ("text", "sounds"),
    {
        "你好，世界！": "ni↗xau↓, ʂɨ↘ʨje↘!",
        "Hello, world!": "həlˈO, wˈɜɹld!",
        "我用GPU。": "wo↓ jʊ↘ŋ ʤˌipˌijˈu.",
        "插上USB。": "ꭧʰa→ ʂa↘ŋ jˌuˌɛsbˈi.",
        "GPT-4很强。": "ʤˌipˌitˈi sɨ↘ xə↓n ʨʰja↗ŋ.",
        "《红楼梦》": "“xʊ↗ŋlou↗mə↘ŋ”",
        "AI时代": "ˈAˌI ʂɨ↗tai↘",
    }.items(),
)
def test_text_becomes_phonemes(text: str, sounds: str) -> None:
    assert spoken(text) == sounds


def test_a_british_voice_gets_british_sounds() -> None:
    assert spoken("The car is here.", voice_language="en-US") != spoken(
        "The car is here.", voice_language="en-GB"
    )
    assert "ː" in spoken("The car is here.", voice_language="en-GB")


def test_a_bare_number_is_read_in_the_voices_language() -> None:
    assert spoken("2026", voice_language="en-US") == spoken("twenty twenty six", voice_language="en-US")
    assert spoken("25", voice_language="zh-CN") == spoken("二十五")
    assert spoken("25", language="en") == spoken("twenty five")


def test_other_scripts_are_approximated_not_dropped() -> None:
    assert all(spoken(text) for text in ("Привет", "こんにちは", "안녕", "β", "naïve"))


@pytest.mark.parametrize("text", ["", " ", "😀", "!!!???", "……", "***", "\x00\u202e"])
def test_what_cannot_be_spoken_gives_no_piece(text: str) -> None:
    assert FRONTEND.split(text) == []


def test_phoneme_markup_in_the_text_is_only_text() -> None:
    assert spoken("[hello](/ˈʘ/) there", language="en") == spoken("hello there", language="en")
    assert set(spoken("say [this] (/that/) now", language="en")) <= SYMBOLS


def test_the_first_piece_is_short_and_the_others_are_not() -> None:
    text = "今天天气很好，我们一起去公园散步吧，顺便看看花，听听鸟叫，再拍几张照片。" * 6
    first, *others = FRONTEND.split(text)
    assert first.tokens <= 80 < max(piece.tokens for piece in others)


def test_count_is_the_sum_of_the_pieces() -> None:
    text = "今天天气很好。Let's go! 走吧。"
    assert FRONTEND.count(text) == sum(piece.tokens for piece in FRONTEND.split(text)) > 0


def test_threads_get_what_one_thread_gets() -> None:
    texts = [f"第{number}句话，call number {number}，好的。" for number in range(40)]
    alone = [KokoroFrontend().split(texts[0]), *(FRONTEND.split(text) for text in texts[1:])]
    fresh = KokoroFrontend()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.split, texts)) == alone


@pytest.mark.parametrize(
    "text", ["说" * 4096, "a" * 4096, "1" * 4096, '"a' * 2048, "啊，" * 5000, "ﷺ" * 50, "Ж" * 3000, "½" * 900], ids=lambda text: text[:2]
)  # fmt: skip
def test_hostile_text_stays_under_the_models_limit(text: str) -> None:
    pieces = FRONTEND.split(text)
    assert pieces and all(0 < piece.tokens <= 200 for piece in pieces)


@example("00000000", "", "zh-CN", 30)  # one short sentence that is over a small budget
@settings(deadline=None, max_examples=150)
@given(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=120)
    | st.text(st.sampled_from("你我得不一2 3.5%$￥,，。!?aDr. \nGPT-@/:~")),
    st.sampled_from(["", "zh", "en"]),
    st.sampled_from(["zh-CN", "en-US", "en-GB"]),
    st.one_of(st.none(), st.integers(30, 510)),
)
def test_any_text_gives_pieces_in_the_models_alphabet(
    text: str, language: str, voice_language: str, budget: int | None
) -> None:
    for piece in FRONTEND.split(text, language, voice_language, budget):
        assert set(piece.spoken) <= SYMBOLS
        assert 0 < piece.tokens == len(piece.spoken) <= (budget or 200)
        assert piece.language in ("zh", "en")
        assert piece.pause_after >= 0
