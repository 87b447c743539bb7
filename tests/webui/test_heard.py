"""What is typed into the page is what its visitor hears, from the embedded voice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ..api.server import Server
from ..hearing import pinyin_error_rate, syllables, transcribe, word_error_rate
from .conftest import Open
from .pages import SOON, Visit

LONGEST = 120_000  # ms for a few sentences on a busy machine
MANDARIN = "今天下午我们一起去图书馆看书。路上的风很大，天空却非常蓝。"
ENGLISH = "The old bridge crosses a quiet river. Every morning the farmers bring fresh bread to the market."
MIXED = "我在 Facebook 和 Google 上都有朋友。"


def _hear(visitor: Visit, text: str) -> Visit:
    visitor.speak(text)
    visitor.finished(timeout=LONGEST)
    visitor.silent(timeout=LONGEST)
    return visitor


@pytest.mark.slow
def test_typed_mandarin_is_heard(kokoro: Server, open_page: Open) -> None:
    visitor = _hear(open_page(kokoro.url, "zh"), MANDARIN)
    assert pinyin_error_rate(*visitor.played(), MANDARIN) <= 0.06
    assert len(visitor.highlighted()) > 1


@pytest.mark.slow
def test_typed_english_is_heard(kokoro: Server, open_page: Open) -> None:
    visitor = _hear(open_page(kokoro.url, "en"), ENGLISH)
    assert word_error_rate(*visitor.played(), ENGLISH) <= 0.05


@pytest.mark.slow
def test_typed_mixed_text_is_heard(kokoro: Server, open_page: Open) -> None:
    visitor = _hear(open_page(kokoro.url, "zh"), MIXED)
    heard = transcribe(*visitor.played(), "zh")
    assert set(syllables("我在和上都有朋友")) <= set(syllables(heard)), heard
    assert "facebook" in heard.lower() and "google" in heard.lower(), heard


def test_voices_are_named_in_the_pages_language(kokoro: Server, open_page: Open) -> None:
    page = open_page(kokoro.url, "en").page
    expect(page.locator("#voice input")).to_have_value(re.compile("English$"), timeout=SOON)
    page.click("#voice input")
    shown = page.get_by_role("listbox").get_by_role("option").all_inner_texts()
    assert len(shown) >= 8
    assert sum("Mandarin" in line for line in shown) >= 4
    assert sum("English" in line for line in shown) >= 4
    page.keyboard.press("Escape")
    page.click(".lang")
    expect(page.locator("#voice input")).to_have_value(re.compile("英语$"), timeout=SOON)
