"""The History tab and the presets: found again, heard again, used again."""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from ..api.cloning import added
from ..api.server import Server
from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON, Visit, fits, settled
from .test_languages import FOREIGN

LONG = "清晨的湖面像一面镜子，远处的山慢慢从雾里显出轮廓。" * 8


def _tab(page: Page, name: str) -> None:
    page.locator(f"#tabs [role=tab][data-tab-id={name}]").first.click()


def _spoken(visitor: Visit, text: str) -> None:
    visitor.speak(text)
    visitor.finished()


def _row(page: Page, text: str) -> Locator:
    return page.locator("#history [data-entry]").filter(has_text=text)


def test_a_result_is_found_heard_starred_and_deleted(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    _spoken(visitor, "A white heron on the bow.")
    _tab(page, "history")
    row = _row(page, "heron")
    expect(row.locator(".past-facts")).to_contain_text("25 characters", timeout=SOON)
    assert page.locator("#history h3").first.text_content() == "Today"
    row.get_by_role("button", name="Listen to: A white heron").click()
    expect(row.get_by_role("button", name="Stop")).to_have_count(1)
    expect(row.get_by_role("button", name="Stop")).to_have_count(0, timeout=SOON)  # 0.8 s later it is over

    page.evaluate("fetch('v1/audio/speech', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: "
                  "JSON.stringify({model: 'tts-1', voice: 'alloy', input: 'By another way.', keep: true})})")  # fmt: skip
    expect(_row(page, "By another way.")).to_have_count(1, timeout=SOON)  # without a reload

    row.get_by_role("button", name="Keep as a favourite: A white heron").click()
    expect(row.locator(".favourite")).to_have_attribute("aria-pressed", "true", timeout=SOON)
    page.get_by_role("button", name="Favourites", exact=True).click()
    expect(page.locator("#history [data-entry]")).to_have_count(1, timeout=SOON)
    page.get_by_role("button", name="Favourites", exact=True).click()
    page.get_by_role("searchbox").fill("another WAY")
    expect(row).to_have_count(0, timeout=SOON)
    _row(page, "By another way.").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing found.")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(_row(page, "By another way.")).to_have_count(1, timeout=SOON)

    page.get_by_role("searchbox").fill("")
    expect(row).to_have_count(1, timeout=SOON)
    page.get_by_role("button", name="Delete all but favourites").click()
    page.locator(".past-sure .yes").click()
    expect(_row(page, "By another way.")).to_have_count(0, timeout=SOON)
    expect(row).to_have_count(1)


def test_the_settings_of_a_result_speak_it_again(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    page.check("#voicebox input[value=clip]")
    page.set_input_files("#voicebox input[type=file]", upload("mine.wav", 190))
    expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav", timeout=SOON)
    page.check("#tuning input[value=vector]")
    page.click("[data-preset=happy]")
    page.fill("#speed input[type=number]", "1.3")
    page.locator("#speed input[type=number]").blur()
    page.select_option("#tts-language", "en")
    _spoken(visitor, "Say it just so.")
    first = cloning.received()[-1]

    page.check("#voicebox input[value=library]")
    page.check("#tuning input[value=same]")
    page.fill("#speed input[type=number]", "0.8")
    page.locator("#speed input[type=number]").blur()
    page.select_option("#tts-language", "")
    visitor.type("Something else.")
    _tab(page, "history")
    row = _row(page, "Say it just so.")
    row.get_by_role("button", name="Use settings").click()
    expect(page.locator(".preset-news")).to_have_text("Settings taken over.", timeout=SOON)
    expect(page.locator("#voicebox .clip-name")).to_have_text("The clip used before")
    expect(page.locator("#speed input[type=number]")).to_have_value("1.3", timeout=SOON)
    assert visitor.text == "Something else."
    _tab(page, "history")
    row.get_by_role("button", name="Use text").click()
    page.wait_for_function(
        "document.querySelector('#text textarea').value === 'Say it just so.'", timeout=SOON
    )
    page.click("#speak")
    page.wait_for_function("document.body.dataset.job === 'busy'", timeout=SOON)
    visitor.finished()
    again = cloning.received()[-1]
    assert {**again, "id": ""} == {**first, "id": ""}


@pytest.mark.slow
def test_a_voice_that_was_deleted_keeps_its_name_in_what_it_spoke(cloning: Cloning, open_page: Open) -> None:
    voice = added(cloning.server, "Miss Marple", seed=77)["id"]
    visitor = open_page(cloning.url)
    page = visitor.page
    page.evaluate(f"tts.emit('use', '{voice}')")
    expect(page.locator("#voice input")).to_have_value(re.compile("Miss Marple"), timeout=SOON)
    _spoken(visitor, "It was the gardener.")
    httpx.delete(f"{cloning.url}/v1/audio/voices/{voice}", timeout=30)
    page.reload()
    _tab(page, "history")
    row = _row(page, "It was the gardener.")
    expect(row.locator(".past-facts")).to_contain_text("Miss Marple", timeout=SOON)
    row.get_by_role("button", name="Use settings").click()
    expect(page.locator(".preset-news")).to_contain_text("voice", timeout=SOON)


@pytest.mark.slow
def test_a_blend_of_three_is_taken_back_and_goes_on_as_a_voice(kokoro: Server, open_page: Open) -> None:
    blend = "zf_xiaobei:0.50+af_heart:0.30+bm_george:0.20"
    body = {"model": "tts-1", "voice": blend, "input": "Three as one.", "keep": True}
    assert httpx.post(f"{kokoro.url}/v1/audio/speech", json=body, timeout=60).status_code == 200
    visitor = open_page(kokoro.url)
    page = visitor.page
    _tab(page, "history")
    row = _row(page, "Three as one.")
    expect(row.locator(".past-facts")).to_contain_text("Xiaobei + Heart + George", timeout=SOON)
    row.get_by_role("button", name="Use settings").click()
    expect(page.locator(".preset-news")).to_have_text("Settings taken over.", timeout=SOON)
    label = "Xiaobei 50 % + Heart 30 % + George 20 %"
    expect(page.locator("#voice input")).to_have_value(label, timeout=SOON)
    page.reload()
    settled(page)
    expect(page.locator("#voice input")).to_have_value(label, timeout=SOON)
    _spoken(visitor, "Said again.")
    _tab(page, "history")
    expect(_row(page, "Said again.").locator(".past-facts")).to_contain_text("Xiaobei + Heart", timeout=SOON)
    newest = httpx.get(f"{kokoro.url}/v1/audio/history", timeout=30).json()["data"][0]
    assert (newest["text"], newest["settings"]["voice"]) == ("Said again.", blend)


@pytest.mark.parametrize("lang", [pytest.param("en", marks=pytest.mark.slow), "zh"])
def test_a_preset_is_saved_left_and_taken_again(tone: Server, open_page: Open, lang: str) -> None:
    page = open_page(tone.url, lang).page
    words = {"en": ("Save as…", "Back to preset", "Change…"), "zh": ("另存为…", "恢复预设", "修改…")}[lang]
    speed, name = page.locator("#speed input[type=number]"), f"快 Brisk {lang}"
    page.evaluate("window.seen = tts.settings.values")
    speed.fill("1.4")
    speed.blur()
    page.wait_for_function("tts.settings.values[3] === 1.4", timeout=SOON)
    page.get_by_role("button", name=words[0]).click()
    page.keyboard.press("Enter")
    expect(page.locator("#presets [role=alert]")).to_be_visible()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.locator("#tts-preset option:checked")).to_have_text(name, timeout=SOON)
    expect(page.locator(".preset-differs")).to_be_hidden()
    speed.fill("0.7")
    speed.blur()
    expect(page.locator(".preset-differs")).to_be_visible(timeout=SOON)
    assert page.evaluate(FOREIGN) == []
    page.get_by_role("button", name=words[1]).click()
    expect(speed).to_have_value("1.4", timeout=SOON)
    expect(page.locator(".preset-differs")).to_be_hidden()
    page.get_by_role("button", name=words[2]).click()
    page.fill("#tts-preset-name", f"{name} 2")
    page.click("#presets [type=submit]")
    expect(page.locator("#tts-preset option:checked")).to_have_text(f"{name} 2", timeout=SOON)
    page.get_by_role("button", name=words[2]).click()
    fits(page, 320, 390, 1440)
    page.click("#presets .delete")
    expect(page.locator("#tts-preset option").filter(has_text=name)).to_have_count(0, timeout=SOON)
    expect(speed).to_have_value("1.4")  # the settings stay as they are


@pytest.mark.parametrize("lang", [pytest.param("en", marks=pytest.mark.slow), "zh"])
def test_the_tab_fits_and_is_in_one_language(tone: Server, open_page: Open, lang: str) -> None:
    visitor = open_page(tone.url, lang)
    page = visitor.page
    _spoken(visitor, LONG)
    visitor.speak(LONG)
    visitor.heard()
    visitor.stop()
    _tab(page, "history")
    latest = page.locator("#history .past-state").first  # other tests leave entries of their own
    expect(latest).to_have_text(re.compile("Stopped|中途停止"), timeout=SOON)
    page.locator("#history .fold-text").first.click()
    page.locator("#history .delete").first.click()
    expect(page.locator("#history .undo")).to_be_visible(timeout=SOON)
    page.locator("#history .clear").click()
    fits(page, 320, 390, 768, 1440)
    assert page.evaluate(FOREIGN) == []
    found = Axe().run(page, "#history")
    assert found.violations_count == 0, found.generate_report()
