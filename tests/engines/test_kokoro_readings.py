"""Readings and marks with Kokoro, down to the phonemes: what is given is said, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.engines.kokoro.frontend import SYMBOLS, KokoroFrontend
from index_tts_ui.engines.kokoro.given import to_symbols, unknown_phoneme
from index_tts_ui.engines.kokoro.syllables import phonemes
from index_tts_ui.engines.marks import _SYLLABLES
from index_tts_ui.engines.tone import ToneFrontend
from index_tts_ui.speech import Reading
from tests.conftest import Say
from tests.hearing import syllables, transcribe, words

FRONTEND = KokoroFrontend()
NVME = Reading("NVMe", "N V M E")
M2 = (Reading("M.2", "M dot two", language="en"), Reading("M.2", "M 二", language="zh"))
SHAN = Reading("单县", "shan4 xian4", "pinyin")


def spoken(text: str, *readings: Reading, voice_language: str = "zh-CN") -> str:
    pieces = FRONTEND.split(text, "", voice_language, readings=readings)
    return " ".join(piece.spoken for piece in pieces)


@pytest.mark.parametrize(
    ("text", "readings", "same_as"),
    [
        ("我的NVMe硬盘。", [NVME], "我的N V M E硬盘。"),
        ("An nvme drive, and nvme's speed.", [NVME], "An N V M E drive, and N V M E's speed."),
        ("M.2接口。", M2, "M 二接口。"),
        ("The M.2 slot is here.", M2, "The M dot two slot is here."),
        ("It costs OPQ now.", [Reading("OPQ", "5 dollars")], "It costs five dollars now."),
        ("特斯拉很快。", [Reading("特斯拉", "Tesla")], "Tesla很快。"),
        ("NVMe over NVMe.", [NVME, Reading("N", "north")], "N V M E over N V M E."),  # not a term again
        (
            "GPU server GPU",
            [Reading("GPU", "x"), Reading("GPU server", "the box")],
            "the box x",
        ),  # longest first
    ],
)
def test_a_respelling_is_read_in_its_place(text: str, readings: list[Reading], same_as: str) -> None:
    assert spoken(text, *readings) == spoken(same_as)


@pytest.mark.parametrize("text", ["FAIRNESS is fair.", "公AI1司", "Unfairly, AIs.", "XAIR"])
def test_a_latin_word_counts_as_a_whole_word_only(text: str) -> None:
    assert spoken(text, Reading("AI", "artificial"), Reading("fair", "x y")) == spoken(
        text.replace(" fair.", " x y.")
    )


@pytest.mark.parametrize(
    ("text", "readings", "sounds"),
    [
        ("去单县。", [SHAN], "ʨʰy↘ ʂa↘nɕjɛ↘n."),
        ("在银<行|HANG2>。", [], "ʦai↘ i↗n xa↗ŋ."),
        ("你<好|HAO3>。", [], "ni↗ xau↓."),  # what is before a given third tone still rises
        ("<你|NI3>好。", [], "ni↓ xau↓."),  # what is given does not
        ("不<去|QU4>。", [], "pu↗ ʨʰy↘."),
        ("<一|YI1>个。", [], "i→ kɤ."),
        ("晕xuan4是。", [], "y→n ɕɥɛ↘n ʂɨ↘."),
        ("一个<minute|M IH1 . N AH0 T>。", [], "i↗kɤ mˈɪnət."),
        ("A <minute|M IH1 . N AH0 T>.", [], "ɐ mˈɪnət."),
        ("The OPPO.", [Reading("OPPO", "ou1 po4", "pinyin")], "ðə ou→pʰwo↘."),
        ("特斯拉。", [Reading("特斯拉", "T EH1 S L AH0", "phonemes")], "tˈɛslə."),
        ("Siri.", [Reading("siri", "/ˈsɪri/", "phonemes")], "sˈɪɹi."),
    ],
)
def test_given_sounds_are_said(text: str, readings: list[Reading], sounds: str) -> None:
    assert spoken(text, *readings) == sounds


def test_a_british_voice_gets_british_vowels() -> None:
    text = "A <car|K AA1 R>, a <goat|G OW1 T>."
    assert spoken(text, voice_language="en-US") == "ɐ kˈɑɹ, ɐ ɡˈOt."
    assert spoken(text, voice_language="en-GB") == "ɐ kˈɑːɹ, ɐ ɡˈQt."


def test_a_mark_of_another_engine_is_its_word_and_a_bad_one_is_read() -> None:
    assert spoken("<今日|キョウ>好。") == spoken("今日好。")
    assert spoken("好<行|FOO9>的。") == spoken("好行 FOO9的。")


def test_people_see_their_own_words() -> None:
    text = "单县的NVMe，M.2，<行|XING2>走。"
    assert "".join(piece.text for piece in FRONTEND.split(text, readings=(NVME, SHAN, *M2))) == text


def test_what_this_engine_cannot_say_leaves_the_word() -> None:
    assert spoken("NVMe", Reading("NVMe", "XX Q1", "phonemes")) == spoken("NVMe")
    assert spoken("单县", Reading("单县", "shan9", "pinyin")) == spoken("单县")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        *(("M IH1 N AH0 T", ""), ("m ih1 n ah0 t", ""), ("K AE T", ""), ("ˈmɪnɪt", ""), ("/həˈləʊ/", "")),
        *(("M IH7", "IH7"), ("XX Q1", "XX"), ("ℵ", "ℵ"), ("ˈ", "ˈ"), ("hello there", "hello")),
    ],
)
def test_phonemes_are_checked(said: str, fault: str) -> None:
    assert unknown_phoneme(said) == fault
    if not fault:
        for british in (False, True):
            assert set(to_symbols(said, british)) <= SYMBOLS


def test_every_syllable_that_is_taken_has_its_sounds() -> None:
    for syllable in _SYLLABLES:
        assert set(phonemes(f"{syllable}1")) <= SYMBOLS
        assert not FRONTEND.unsayable(Reading("字", f"{syllable}1", "pinyin"))


# ---- nothing else changes


_PARTS = ["你好，", "一个不是的。", "Hello, world. ", "GPU 3.5 ", "M.2", "2026年", "NVM", "<a|b>", "é", "ǀǁǃ", "\U00030001", "𗀀", "…\n", "[x](y)"]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.sampled_from(_PARTS) | st.text(max_size=4), max_size=12))
def test_a_text_without_the_word_is_unchanged(parts: list[str]) -> None:
    text = "".join(parts)
    absent = [Reading("zyxwvuq", "never"), Reading("龘靐齉", "da2 bing4 nang4", "pinyin")]
    assert FRONTEND.split(text, readings=absent) == FRONTEND.split(text)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.sampled_from([*_PARTS, "NVMe", "单县", "Qwen"]), max_size=12),
    budget=st.integers(20, 90),
)
def test_pieces_stay_within_the_budget_whatever_is_read(parts: list[str], budget: int) -> None:
    readings = [
        NVME,
        SHAN,
        Reading("qwen", "1234567890123456", language="en"),
        Reading("Qwen", "K W EH1 N", "phonemes", "zh"),
    ]
    for piece in FRONTEND.split("".join(parts), budget=budget, readings=readings):
        assert 0 < len(piece.spoken) == piece.tokens <= budget and set(piece.spoken) <= SYMBOLS


def test_the_test_engine_respells_too() -> None:
    pieces = ToneFrontend().split("An NVMe. 单县。", readings=(NVME, SHAN, *M2))
    assert [(piece.text, piece.spoken) for piece in pieces] == [
        ("An NVMe.", "An N V M E."),
        ("单县。", "单县。"),
    ]
    assert pieces[0].tokens == len("An N V M E.")
    assert ToneFrontend().split("<x|y> [[crash]]", readings=(NVME,)) == ToneFrontend().split(
        "<x|y> [[crash]]"
    )


# ---- heard


@pytest.mark.slow
def test_a_recogniser_hears_a_respelling(say: Say) -> None:
    text = "We went to Xyzzy for the holidays."
    heard = words(transcribe(say(text, "af_heart", (Reading("Xyzzy", "Canada"),)), 24_000, "en"))
    assert "canada" in heard and "canada" not in words(transcribe(say(text, "af_heart"), 24_000, "en"))


@pytest.mark.slow
def test_a_recogniser_hears_given_pinyin_and_phonemes(say: Say) -> None:
    text = "他在门口行走了很久。"
    changed = say(text, "zf_xiaobei", (Reading("门口", "bei3 jing1", "pinyin"),))
    assert {"bei", "jing"} <= set(syllables(transcribe(changed, 24_000, "zh")))
    text = "Please give me the bottle of water."
    changed = say(text, "af_heart", (Reading("bottle", "P IH1 L OW0", "phonemes"),))
    assert "pillow" in words(transcribe(changed, 24_000, "en"))
