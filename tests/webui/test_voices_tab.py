"""The Voices tab: a recording becomes a voice that everybody can choose."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from ..api.server import Server
from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON, fits
from .test_languages import FOREIGN


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
    expect(page.locator(".add-voice .form-error")).to_contain_text("right to use")
    page.select_option("#new-language", "en")
    page.select_option("#new-gender", "female")
    page.fill("#new-tags", "calm, 新闻")
    page.fill("#new-transcript", " What she said. ")
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
    assert kept["transcript"] == "What she said."

    row.get_by_role("button", name="Use").click()
    expect(page.locator("#voice input")).to_have_value("Anna · female · English · 3 s", timeout=SOON)
    visitor.speak("One.")
    visitor.finished()
    assert cloning.received()[-1]["voices"][0]["key"] == kept["clip"]

    _open_tab(page, "Voices")
    row.get_by_role("button", name="Edit").click()
    row.locator("[name=name]").fill("Anna Lee")
    expect(row.locator("[name=transcript]")).to_have_value("What she said.")
    row.locator("[name=transcript]").fill("What Anna said.")
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".voice-title")).to_have_text("Anna Lee", timeout=SOON)
    assert cloning.shelf()[-1]["transcript"] == "What Anna said."
    expect(row.locator(".voice-form")).not_to_be_visible()
    _open_tab(page, "Speak")
    expect(page.locator("#voice input")).to_have_value(re.compile("Anna Lee"), timeout=SOON)

    _open_tab(page, "Voices")
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)
    assert "Anna Lee" not in {one["name"] for one in cloning.shelf()}
    expect(page.locator(".line-words")).to_have_text("Anna Lee was deleted.")
    expect(page.locator(".line-undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.locator(".use")).to_be_focused(timeout=SOON)
    assert [voice["name"] for voice in cloning.shelf()] == ["Anna Lee"]
    row.get_by_role("button", name="Delete").click()
    page.click(".bin summary")
    page.get_by_role("button", name="Restore Anna Lee").click()
    expect(row).to_have_count(1, timeout=SOON)
    expect(page.get_by_role("button", name="Restore Anna Lee")).to_have_count(0)
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)
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
    row.get_by_role("button", name="Edit").click()
    row.locator("button.trim").click()
    expect(row.locator(".trim-part")).to_have_text("3.0 s of 3.0 s", timeout=SOON)
    page.set_input_files("#voices .new-clip input[type=file]", upload("Long.wav", 99, 17.0))
    expect(page.locator(".new-clip .trim-part")).to_have_text("15.0 s of 17.0 s", timeout=SOON)
    _whole(page)
    page.click(".new-clip .remove")
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
    fits(page)


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
    with page.expect_response(re.compile(r"/v1/audio/voices/fay/sample$"), timeout=SOON) as heard:
        listen.click()
    assert heard.value.ok
    expect(listen).to_have_attribute("aria-label", "Stop", timeout=SOON)
    listen.click()
    expect(listen).to_have_attribute("aria-label", "Listen to Fay", timeout=SOON)


def test_a_clip_is_trimmed_by_number_and_by_key_before_it_is_saved(cloning: Cloning, open_page: Open) -> None:
    page = open_page(cloning.url).page
    _open_tab(page, "Voices")
    page.set_input_files("#voices .new-clip input[type=file]", upload("Gina.wav", 180, 20.0))
    part, length = page.locator(".new-clip .trim-part"), page.locator(".new-clip .clip-length")
    expect(part).to_have_text("15.0 s of 20.0 s", timeout=SOON)
    expect(page.locator(".new-clip .clip-notices")).to_contain_text("first 15 seconds")
    page.fill(".new-clip .trim-from", "12")
    page.keyboard.press("Tab")
    expect(part).to_have_text("3.0 s of 20.0 s")
    page.fill(".new-clip .trim-to", "16")
    page.keyboard.press("Tab")
    expect(length).to_have_text("4.0 s", timeout=SOON)
    expect(page.locator(".new-clip .clip-notices")).not_to_contain_text("first 15 seconds")
    end = page.locator(".new-clip .trim-end")
    end.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(end).to_have_attribute("aria-valuetext", "16.5 s")
    expect(length).to_have_text("4.5 s", timeout=SOON)
    page.fill(".new-clip .trim-from", "11")  # wider again: the recording is still there
    page.keyboard.press("Tab")
    page.select_option("#new-rights", "own")
    page.wait_for_timeout(400)  # that it counts at once is not said
    page.click(".add-voice [type=submit]")
    row = page.locator("[data-voice=gina]")
    expect(row).to_contain_text("6 s", timeout=SOON)
    assert cloning.shelf()[-1]["seconds"] == 5.5
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)


def test_without_cloning_voices_are_listed_and_blends_are_saved_and_used(
    tone: Server, open_page: Open
) -> None:
    visitor = open_page(tone.url, width=390)
    page = visitor.page
    page.evaluate("tts.openTab('voices')")
    expect(page.locator("[data-voice=tone-a]")).to_contain_text("female · Mandarin", timeout=SOON)
    expect(page.locator("[data-voice=tone-a] .delete")).to_be_hidden()
    expect(page.locator(".add-voice")).to_be_hidden()
    with page.expect_response(re.compile("/tone-a/sample$"), timeout=SOON) as heard:
        page.click("[data-voice=tone-a] .listen")
    assert heard.value.ok
    page.click(".add-blend [type=submit]")
    expect(page.locator(".add-blend .form-error")).to_contain_text("needs a name")
    page.locator(".parts input").first.fill("75")
    page.locator(".parts input").last.fill("25")
    page.fill("#blend-name", "Duet")
    page.fill("#blend-tags", "soft")
    page.click(".add-blend [type=submit]")
    row = page.locator("[data-voice=duet]")
    expect(row).to_contain_text("Tone A 75 % + Tone B 25 %", timeout=SOON)
    page.select_option(".by-tag", "#soft")
    expect(page.locator(".shelf-count")).to_have_text("1 voice")
    page.select_option(".by-tag", "")
    page.fill("#voices .find", "american")
    expect(page.locator(".shelf-list > li:visible")).to_have_count(1)
    _whole(page)
    page.fill("#voices .find", "")
    row.get_by_role("button", name="Use").click()
    visitor.speak("One.")
    visitor.finished()
    page.evaluate("tts.openTab('voices')")
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0, timeout=SOON)


@pytest.mark.slow
def test_voices_are_exported_and_imported(cloning: Cloning, open_page: Open) -> None:
    page = open_page(cloning.url, "zh").page
    _open_tab(page, "音色库")
    _add(page, "Hugo", 100)
    row = page.locator("[data-voice=hugo]")
    with page.expect_download(timeout=SOON) as download:
        page.click(".export-all")
    row.get_by_role("button", name="删除").click()
    expect(row).to_have_count(0, timeout=SOON)
    page.set_input_files(".archive", download.value.path())
    expect(row).to_have_count(1, timeout=SOON)
    expect(page.locator(".line-words")).to_contain_text("已添加", timeout=SOON)
    page.set_input_files(".archive", upload("no.zip"))
    expect(page.locator(".shelf-error")).to_contain_text("无法使用该文件", timeout=SOON)
