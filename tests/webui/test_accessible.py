"""What axe-core finds wrong with the page for those who use it otherwise than by eye and mouse: nothing."""

from __future__ import annotations

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ..api.cloning import added
from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON

WIDTHS = (390, 1440)
TABS = ("speak", "script", "voices", "dictionary", "history", "status")
SCRIPT = "Nora: Good day.\nOtto: Who is there?\n\nNight falls."


def _sound(page: Page, what: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0)))")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{what}, {width} pixels: {found.generate_report()}"


@pytest.mark.parametrize("lang", ["en", pytest.param("zh", marks=pytest.mark.slow)])
def test_axe_finds_no_violation(cloning: Cloning, open_page: Open, lang: str) -> None:
    page = open_page(cloning.url, lang).page
    page.check("#voicebox input[value=clip]")
    page.set_input_files("#voicebox input[type=file]", upload("mine.wav"))
    expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav", timeout=SOON)
    page.check("#tuning input[value=vector]")
    page.click(".fold summary")
    _sound(page, "all controls")
    page.check("#tuning input[value=clip]")
    _sound(page, "an emotion clip")
    page.locator("#tabs [role=tab][data-tab-id=voices]").click()
    page.set_input_files("#voices .new-clip input[type=file]", upload(f"axe {lang}.wav"))
    expect(page.locator("#new-name")).to_have_value(f"axe {lang}", timeout=SOON)
    page.select_option("#new-rights", "own")
    page.click("#voices [type=submit]")
    row = page.locator("[data-voice]").filter(has_text=f"axe {lang}")
    row.get_by_role("button").nth(-2).click()
    expect(row.locator("[name=name]")).to_be_visible(timeout=SOON)
    _sound(page, "the library, one voice being edited")


@pytest.mark.slow
def test_axe_finds_no_violation_on_any_tab_by_day_or_night(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url, width=1440)
    page = visitor.page
    voice = added(cloning.server, "Axe", seed=78, tags="a, b")["id"]
    word = {"word": "NVMe", "said": "N V M E", "kind": "respelling"}
    httpx.post(f"{cloning.url}/v1/audio/dictionary", json=word, timeout=30)
    page.evaluate("tts.library.refresh()")
    page.evaluate(f"tts.emit('use', '{voice}')")
    visitor.speak("[pause 1s]One.[pause 0.5s] [voice: Axe]Two.")
    visitor.finished()
    page.locator(".segment .edit").first.click()
    expect(page.locator(".repair .make")).to_be_enabled(timeout=SOON)
    for tab in TABS:
        page.locator(f"#tabs [role=tab][data-tab-id={tab}]").click()
        expect(page.locator(f"#{tab if tab != 'speak' else 'player'}")).to_be_visible(timeout=SOON)
        if tab == "script":
            page.fill("#script-source", SCRIPT)
            page.click("#script .read")
            page.get_by_role("button", name="Emotion of Otto in detail").click()
            by_day_and_night(page, "the emotion of a speaker")
            page.keyboard.press("Escape")
        if tab == "history":
            expect(page.locator("#history [data-entry]").first).to_be_visible(timeout=SOON)
        by_day_and_night(page, tab)
    httpx.delete(f"{cloning.url}/v1/audio/voices/{voice}", timeout=30)


def by_day_and_night(page: Page, what: str) -> None:
    """Nothing is found in either scheme."""
    for dark in (True, False):
        page.evaluate(f"document.body.classList.toggle('dark', {str(dark).lower()})")
        page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0)))")
        found = Axe().run(page)
        assert found.violations_count == 0, (
            f"{what}, {'dark' if dark else 'light'}: {found.generate_report()}"
        )
