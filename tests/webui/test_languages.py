"""Both languages are complete, chosen by the browser, and can be switched."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from index_tts_ui.webui.i18n import EN, ZH

from ..api.server import Server
from .conftest import Open
from .pages import SOON

# Every text and attribute that a person or a screen reader meets and that is not in the page's language.
FOREIGN = r"""() => {
  const foreign = [], cjk = /[\u4e00-\u9fff]/, zh = document.documentElement.lang.startsWith("zh");
  const own = "#text textarea, .segments, [data-noi18n], script, style";
  const note = (place, text) => {
    text = (text || "").trim();
    if (/\p{L}/u.test(text) && (text.includes("translation_metadata") || cjk.test(text) !== zh)) foreign.push([place, text]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const parent = node.parentElement;
    if (!parent.closest(own) && parent.checkVisibility()) note("text", node.data);
  }
  for (const name of ["placeholder", "title", "aria-label", "aria-valuetext", "alt"]) {
    document.querySelectorAll(`[${name}]`).forEach((e) => e.closest("script, style, .segment, [data-noi18n]") || note(name, e.getAttribute(name)));
  }
  document.querySelectorAll("input:not([type=number], [type=range], [type=radio], [type=checkbox], [type=file], [name=name])").forEach((e) => note("value", e.value));
  return foreign;
}"""


def test_both_tables_have_the_same_keys_and_the_same_places_to_fill() -> None:
    assert ZH.keys() == EN.keys()
    for key, sentence in EN.items():
        assert set(re.findall(r"\{\w+\}", ZH[key])) == set(re.findall(r"\{\w+\}", sentence)), key


def test_each_table_is_in_its_language() -> None:
    cjk = re.compile("[\u4e00-\u9fff]")
    assert [key for key, text in EN.items() if cjk.search(text)] == []
    assert [key for key, text in ZH.items() if not cjk.search(text)] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_on_the_page_is_untranslated(tone: Server, open_page: Open, lang: str) -> None:
    visitor = open_page(tone.url, lang)
    page = visitor.page
    visitor.badge({"en": "Ready", "zh": "就绪"}[lang])
    assert _foreign(page) == []
    page.click("#second input")  # an open list
    assert _foreign(page) == []
    page.get_by_role("listbox").get_by_role("option").nth(1).click()  # the share of the second voice
    visitor.speak("One. 二。")
    visitor.heard()
    assert _foreign(page) == []  # Stop, progress, times
    visitor.finished()
    assert _foreign(page) == []
    visitor.speak("")
    expect(page.locator(".notice")).to_be_visible(timeout=SOON)
    assert _foreign(page) == []


@pytest.mark.parametrize(("locale", "word"), [("zh-Hans-CN", "开始朗读"), ("fr-FR", "Speak")])
def test_any_browser_language_gives_one_whole_language(
    tone: Server, open_page: Open, locale: str, word: str
) -> None:
    page = open_page(tone.url, locale).page
    expect(page.locator("#speak")).to_have_text(word, timeout=SOON)
    page.wait_for_function("document.querySelector('#speed input').ariaLabel.length < 8", timeout=SOON)
    assert _foreign(page) == []


def test_the_language_switches_live_and_is_remembered(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url, "zh")
    page = visitor.page
    page.click("#second input")
    page.get_by_role("listbox").get_by_role("option").nth(1).click()
    visitor.speak("保留这段文字。")
    visitor.finished()
    page.evaluate("window.same = true")
    page.get_by_role("button", name="English", exact=True).click()
    expect(page.locator("#speak")).to_have_text("Speak", timeout=SOON)
    expect(page.locator(".state")).to_have_text("Finished · 1 segment", timeout=SOON)
    page.wait_for_function("document.querySelector('#speed input').ariaLabel === 'Speed'", timeout=SOON)
    assert _foreign(page) == []
    assert page.evaluate("window.same"), "the page was reloaded: Gradio's changeLocale is gone"
    assert visitor.text == "保留这段文字。"
    page.reload()
    expect(page.locator("#speak")).to_have_text("Speak", timeout=SOON)


def test_a_message_follows_the_language(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url, "en")
    visitor.speak("")
    visitor.fails_with("The text is empty")
    visitor.page.click(".lang")
    visitor.fails_with("文本为空")


def _foreign(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.evaluate(FOREIGN)
    return found
