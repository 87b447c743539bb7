"""The Dictionary tab: a word is tried, kept, followed on the Speak tab, changed, deleted and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from ..api.server import Server
from .conftest import Open
from .pages import SOON, fits
from .test_accessible import _sound
from .test_languages import FOREIGN


@pytest.fixture(autouse=True)
def _emptied(tone: Server) -> Iterator[None]:
    yield
    url = f"{tone.url}/v1/audio/dictionary"
    for entry in httpx.get(url).json()["data"]:
        httpx.delete(f"{url}/{entry['id']}")


def _open(page: Page) -> None:
    page.locator('#tabs [data-tab-id="dictionary"]').first.dispatch_event("click")
    expect(page.locator("#dictionary h2").first).to_be_visible(timeout=SOON)


def _whole(page: Page) -> None:
    assert page.evaluate(FOREIGN) == []
    fits(page)


def test_a_word_is_tried_kept_followed_changed_deleted_and_taken_back(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.type("An NVMe.")
    expect(page.locator(".estimate")).not_to_be_empty(timeout=SOON)
    _open(page)
    expect(page.locator(".dict-examples li")).to_have_count(2, timeout=SOON)
    page.locator(".dict-examples button").first.click()
    expect(page.locator("#dict-said")).to_have_value("N V M E")
    expect(page.locator("#dict-sentence")).to_have_value("This is how NVMe sounds in a sentence.")
    for button, glossary in ((".hear-with", "N V M E"), (".hear-without", "")):
        with page.expect_response(re.compile("/v1/audio/speech$"), timeout=SOON) as heard:
            page.click(button)
        asked = json.loads(heard.value.request.post_data or "")
        assert [one["said"] for one in asked["glossary"]] == ([glossary] if glossary else [])
        expect(page.locator(button)).to_have_text("Stop", timeout=SOON)
    with page.expect_response(re.compile("/v1/audio/preview$"), timeout=SOON) as seen:
        page.click("#dictionary [type=submit]")
    assert seen.value.json()["tokens"] == len("An N V M E.")
    row = page.locator("[data-entry]")
    expect(row).to_contain_text("NVMe→N V M E", timeout=SOON)

    with page.expect_response(re.compile("/v1/audio/preview$"), timeout=SOON) as seen:
        row.get_by_label("Use the entry for NVMe").uncheck()
    assert seen.value.json()["tokens"] == len("An NVMe.")
    with page.expect_response(re.compile("/v1/audio/preview$"), timeout=SOON) as seen:
        row.get_by_label("Use the entry for NVMe").check()
    assert seen.value.json()["tokens"] == len("An N V M E.")

    row.get_by_role("button", name="Edit NVMe").click()
    page.fill("#dict-said", "!")
    page.click("#dictionary [type=submit]")
    expect(page.locator("#dictionary .form-error")).to_contain_text("must have a letter", timeout=SOON)
    page.fill("#dict-said", "en vee")
    page.click("#dictionary [type=submit]")
    expect(row.locator(".entry-said")).to_have_text("en vee", timeout=SOON)

    row.get_by_role("button", name="Delete NVMe").click()
    expect(row).to_have_count(0, timeout=SOON)
    expect(page.locator(".dict-undo .undo")).to_be_focused(timeout=SOON)
    page.keyboard.press("Enter")
    expect(row.locator(".entry-said")).to_have_text("en vee", timeout=SOON)
    row.get_by_role("button", name="Delete NVMe").click()
    expect(page.locator(".dict-empty")).to_be_visible(timeout=SOON)


@pytest.mark.parametrize("lang", [pytest.param("en", marks=pytest.mark.slow), "zh"])
def test_it_speaks_the_language_and_fits_also_after_an_import(
    tone: Server, open_page: Open, lang: str
) -> None:
    page = open_page(tone.url, lang).page
    _open(page)
    expect(page.locator(".dict-empty")).to_be_visible(timeout=SOON)
    _whole(page)
    page.click("#dictionary [type=submit]")
    expect(page.locator("#dictionary .form-error")).to_be_visible(timeout=SOON)
    lines = [f"word{number},reading {number}" for number in range(7)]
    file = {
        "name": "mine.csv",
        "mimeType": "text/csv",
        "buffer": "\n".join(["word,said", *lines, ",x"]).encode(),
    }
    page.set_input_files("#dictionary .bring-in input", file)  # type: ignore[arg-type]
    expect(page.locator("[data-entry]")).to_have_count(7, timeout=SOON)
    expect(page.locator(".dict-told p")).to_contain_text("7", timeout=SOON)
    _whole(page)
    if lang == "en":
        _sound(page, "the dictionary")
    page.fill("#dictionary .find", "word3")
    expect(page.locator("[data-entry]")).to_have_count(1, timeout=SOON)
    with page.expect_download(timeout=SOON) as saved:
        page.click("#dictionary .export[data-format=csv]")
    assert saved.value.suggested_filename == "dictionary.csv"
