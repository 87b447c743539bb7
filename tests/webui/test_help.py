"""The first visit: three steps to the first sound, on their own and in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..api.server import Server
from .conftest import Open
from .pages import SOON

TITLE = {"en": "Three steps to your first sound", "zh": "三步听到第一句话"}


@pytest.mark.parametrize(("lang", "width"), [pytest.param("en", 1440, marks=pytest.mark.slow), ("zh", 390)])
def test_a_newcomer_is_heard_by_pressing_the_three_steps(
    tone: Server, open_page: Open, lang: str, width: int
) -> None:
    visitor = open_page(tone.url, lang, width=width)
    page = visitor.page
    expect(page.locator("#help h2")).to_have_text(TITLE[lang])
    page.click("#help [data-help=example]")
    expect(page.locator("#help [data-step=text]")).to_have_attribute("data-state", "done")
    assert (len(visitor.text) > 40) and (("的" in visitor.text) == (lang == "zh"))
    page.click("#help [data-help=voice]")
    assert page.evaluate("document.activeElement.closest('#settings') !== null")
    page.click("#help [data-help=speak]")
    visitor.heard()
    expect(page.locator("#help [data-step=speak]")).to_have_attribute("data-state", "done", timeout=SOON)
    expect(page.locator("#help .help-done")).not_to_be_empty()
    visitor.stop()
    page.reload()
    page.wait_for_selector("#help .help", state="attached")
    expect(page.locator("#help .help")).to_be_hidden()  # who has heard something needs no welcome


def test_the_help_can_be_closed_for_good_and_called_back(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    opener = page.locator("#header .help-open")
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.click("#help .help-close")
    expect(page.locator("#help .help")).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#help .help")).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.locator("#tabs [data-tab-id=voices]").click()
    expect(page.locator("#help .help")).to_be_hidden()  # it is of the Speak tab
    opener.click()
    expect(page.locator("#help .help")).to_be_visible()
