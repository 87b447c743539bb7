"""The Voices tab: a recording becomes a voice that everybody can choose."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON
from .test_languages import FOREIGN
from .test_layout import CUT


def _open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def _add(page: Page, name: str, pitch: float) -> None:
    page.set_input_files("#voices .new-clip input[type=file]", upload(f"{name}.wav", pitch))
    expect(page.locator("#new-name")).to_have_value(name, timeout=SOON)
    page.select_option("#new-rights", "own")
    page.click("#voices [type=submit]")
    expect(page.locator(".voice-title").filter(has_text=name)).to_have_count(1, timeout=SOON)


def test_a_voice_is_added_chosen_renamed_and_deleted(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    _open_tab(page, "Voices")
    page.set_input_files("#voices .new-clip input[type=file]", upload("Anna.wav", 210))
    expect(page.locator("#new-name")).to_have_value("Anna", timeout=SOON)
    page.click("#voices [type=submit]")
    expect(page.locator(".form-error")).to_contain_text("right to use")
    page.select_option("#new-language", "en")
    page.select_option("#new-gender", "female")
    page.fill("#new-tags", "calm, 新闻")
    page.select_option("#new-rights", "consent")
    page.fill("[name=note]", "Contract 7.")
    page.click("#voices [type=submit]")
    row = page.locator("[data-voice=anna]")
    expect(row).to_contain_text("female · English · 3 s", timeout=SOON)
    kept = cloning.shelf()[-1]
    assert (kept["name"], kept["language"], kept["gender"], kept["tags"]) == (
        *("Anna", "en", "female"),
        ["calm", "新闻"],
    )
    assert kept["statement"] == "The speaker agreed to this use of the voice. Contract 7."

    row.get_by_role("button", name="Use").click()
    expect(page.locator("#voice input")).to_have_value("Anna · female · English · 3 s", timeout=SOON)
    visitor.speak("One.")
    visitor.finished()
    assert cloning.received()[-1]["voices"][0]["key"] == kept["clip"]

    _open_tab(page, "Voices")
    row.get_by_role("button", name="Edit").click()
    row.locator("[name=name]").fill("Anna Lee")
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".voice-title")).to_have_text("Anna Lee", timeout=SOON)
    expect(row.locator(".voice-form")).not_to_be_visible()
    _open_tab(page, "Speak")
    expect(page.locator("#voice input")).to_have_value(re.compile("Anna Lee"), timeout=SOON)

    _open_tab(page, "Voices")
    row.get_by_role("button", name="Delete").click()
    row.locator(".voice-sure .yes").click()
    expect(row).to_have_count(0, timeout=SOON)
    assert cloning.shelf() == []
    _open_tab(page, "Speak")
    expect(page.locator(".no-voices")).to_be_visible()


def test_all_of_it_fits_and_speaks_both_languages(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    page.evaluate("window.same = true")
    page.click(".fold summary")
    page.check("#tuning input[value=vector]")
    page.check("#voicebox input[value=clip]")
    _whole(page)
    page.check("#tuning input[value=text]")
    assert page.evaluate(FOREIGN) == []
    _open_tab(page, "Voices")
    _add(page, "Bella", 250)
    row = page.locator("[data-voice=bella]")
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Edit").click()
    _whole(page)
    page.click(".lang")
    expect(page.locator("#voices h2").first).to_have_text("添加音色", timeout=SOON)
    page.wait_for_function("document.querySelector('#speed input').ariaLabel === '语速'", timeout=SOON)
    _whole(page)
    _open_tab(page, "朗读")
    page.check("#tuning input[value=vector]")
    page.check("#voicebox input[value=library]")
    expect(page.locator("#voice input")).to_have_value(re.compile("秒$"), timeout=SOON)
    _whole(page)
    assert page.evaluate("window.same"), "the page was reloaded"


def _whole(page: Page) -> None:
    assert page.evaluate(FOREIGN) == []
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT) == [], f"at {width} pixels"


@pytest.mark.slow
def test_the_default_voice_is_chosen_for_newcomers_and_a_taken_name_is_told(
    cloning: Cloning, open_page: Open
) -> None:
    page = open_page(cloning.url).page
    _open_tab(page, "Voices")
    for name, pitch in (("Carl", 90), ("Dora", 260)):
        _add(page, name, pitch)
    row = page.locator("[data-voice=dora]")
    row.get_by_role("button", name="Make default").click()
    expect(row.locator(".default")).to_be_visible(timeout=SOON)
    row.get_by_role("button", name="Edit").click()
    row.locator("[name=name]").fill("Carl")
    row.get_by_role("button", name="Save").click()
    expect(page.locator(".shelf-error")).to_contain_text("already a voice 'Carl'", timeout=SOON)
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator("#voice input")).to_have_value(re.compile("^Dora"), timeout=SOON)


@pytest.mark.slow
def test_a_clip_of_ones_own_goes_into_the_library(cloning: Cloning, open_page: Open) -> None:
    page = open_page(cloning.url).page
    page.check("#voicebox input[value=clip]")
    page.set_input_files("#voicebox input[type=file]", upload("Emil.wav", 120))
    page.click(".save-voice")
    expect(page.locator("#new-name")).to_have_value("Emil", timeout=SOON)
    page.select_option("#new-rights", "licence")
    page.click("#voices [type=submit]")
    expect(page.locator("[data-voice=emil]")).to_be_visible(timeout=SOON)


@pytest.mark.slow
def test_a_voice_can_be_heard(cloning: Cloning, open_page: Open) -> None:
    page = open_page(cloning.url).page
    _open_tab(page, "Voices")
    _add(page, "Fay", 230)
    listen = page.locator("[data-voice=fay] .listen")
    with page.expect_response(re.compile(r"/v1/audio/voices/fay/clip$"), timeout=SOON) as heard:
        listen.click()
    assert heard.value.ok
    expect(listen).to_have_attribute("aria-label", "Stop", timeout=SOON)
    listen.click()
    expect(listen).to_have_attribute("aria-label", "Listen to Fay", timeout=SOON)
