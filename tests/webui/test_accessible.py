"""What axe-core finds wrong with the page for those who use it otherwise than by eye and mouse: nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON

WIDTHS = (390, 1440)


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
    page.get_by_role("tab").nth(1).click()
    page.set_input_files("#voices .new-clip input[type=file]", upload(f"axe {lang}.wav"))
    expect(page.locator("#new-name")).to_have_value(f"axe {lang}", timeout=SOON)
    page.select_option("#new-rights", "own")
    page.click("#voices [type=submit]")
    row = page.locator("[data-voice]").filter(has_text=f"axe {lang}")
    row.get_by_role("button").nth(-2).click()
    expect(row.locator("[name=name]")).to_be_visible(timeout=SOON)
    _sound(page, "the library, one voice being edited")
