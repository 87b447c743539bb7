"""Marks in the text, the list of voices, keys: the helpers of the Speak tab."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from ..api.server import Server, serving, until
from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON, Visit, fits, settled
from .test_languages import FOREIGN

LONG = " ".join(f"Sentence number {n} of a long text goes on for a while." for n in range(40))


def _whole(page: Page, *widths: int) -> None:
    assert page.evaluate(FOREIGN) == []
    fits(page, *widths)


def _select(visitor: Visit, start: int, end: int) -> None:
    visitor.page.evaluate(f"document.querySelector('#text textarea').setSelectionRange({start}, {end})")


def test_marks_are_inserted_by_mouse_or_keyboard_and_seen_in_the_segments(
    tone: Server, open_page: Open
) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.type("One. Two three.")
    _select(visitor, 4, 4)
    page.click("[data-menu=pause]")
    expect(page.locator("#mark-pause button").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert visitor.text == "One.[pause 0.5s] Two three."
    _select(visitor, 17, 20)
    page.focus("[data-menu=voice]")
    page.keyboard.press("Enter")
    page.keyboard.type("tone b")
    page.keyboard.press("ArrowDown")
    _whole(page)
    page.keyboard.press("Enter")
    assert visitor.text == "One.[pause 0.5s] [voice: Tone B]Two[voice] three."
    expect(page.locator(".mark-menu:visible")).to_have_count(0)
    segments = page.locator(".segment")
    expect(segments).to_have_text(["One.", "Two", "three."], timeout=SOON)
    assert segments.evaluate_all("all => all.map((e) => [e.dataset.voice, e.dataset.pause])") == [
        [None, "‖ 0.5 s"],
        ["Tone B", None],
        [None, None],
    ]
    page.click("[data-menu=voice]")
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu=voice]")).to_be_focused()
    visitor.type("One. [voice: Nobody]Two.")
    expect(page.locator(".problem")).to_contain_text("There is no voice 'Nobody'", timeout=SOON)
    visitor.type("One.")
    expect(page.locator(".problem")).to_have_text("", timeout=SOON)


def test_marks_are_in_the_pages_language(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url, "zh")
    page = visitor.page
    visitor.type("你好。")
    page.click("[data-menu=pause]")
    page.get_by_role("button", name="停顿 1 秒").click()
    page.click("[data-menu=voice]")
    _whole(page)
    page.get_by_role("button", name="音调乙").filter(has_text="音调乙").first.click()
    assert visitor.text == "你好。[停顿 1秒][音色：音调乙]"
    visitor.type(visitor.text + "再见。")
    expect(page.locator(".segment")).to_have_text(["你好。", "再见。"], timeout=SOON)


@pytest.mark.slow
def test_a_voice_is_heard_starred_and_chosen_by_ear(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    with page.expect_response(re.compile("/sample$"), timeout=SOON) as heard:
        page.click("#picker .hear")
    assert heard.value.ok and heard.value.headers["content-type"] == "audio/mpeg"
    page.click("#picker .browse")
    rows = page.locator("#picker li:visible")
    expect(rows).to_have_count(2)
    page.fill("#picker .find", "mandarin")
    expect(rows).to_have_count(1)
    _whole(page)
    rows.locator(".star").click()
    page.fill("#picker .find", "nothing like it")
    expect(page.locator("#picker .none")).to_be_visible()
    page.fill("#picker .find", "")
    page.locator("#picker .sieve button", has_text="Favourites").click()
    expect(rows).to_have_count(1)
    rows.locator(".take").click()
    expect(page.locator("#voice input")).to_have_value(re.compile("Tone A"), timeout=SOON)
    expect(page.locator("#picker-voices")).not_to_be_visible()
    page.reload()
    settled(page)
    expect(page.locator("#voice input")).to_have_value(re.compile("Tone A"), timeout=SOON)
    page.click("#picker .browse")
    expect(rows.first.locator(".star")).to_have_attribute("aria-pressed", "true")
    visitor.speak("Spoken.")
    visitor.finished()


def test_escape_stops_but_closes_what_is_open_first(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.speak(LONG)
    visitor.heard()
    page.click("[data-menu=pause]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.body.dataset.job") == "busy"
    page.keyboard.press("Escape")
    expect(page.locator(".state")).to_contain_text("Stopped", timeout=SOON)
    until(tone.is_idle, "the service is idle after Escape")
    page.click(".keys-button")
    expect(page.locator(".keys")).to_contain_text("Esc stop")
    _whole(page)


def test_the_estimate_follows_speed_and_pauses(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page

    def estimate() -> int:
        said = re.search(r"about (\d+) s", page.inner_text(".estimate"))
        return int(said[1]) if said else -1

    visitor.type(LONG[:500])
    until(lambda: (page.wait_for_timeout(50), estimate() > 0)[1], "there is an estimate")
    plain = estimate()
    page.fill("#speed input[type=number]", "2")
    page.press("#speed input[type=number]", "Tab")
    until(lambda: (page.wait_for_timeout(50), estimate() < 0.6 * plain)[1], "speed counts")
    fast = estimate()
    visitor.type(f"{LONG[:500]}[pause 9s] And on.")
    until(lambda: (page.wait_for_timeout(50), estimate() >= fast + 8)[1], "a pause counts")


@pytest.mark.slow
def test_a_picture_shows_the_emotion_and_a_stand_in_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, open_page: Open
) -> None:
    home = tmp_path_factory.mktemp("page-backup")
    options = f"char_ms=20,record={home}/received.jsonl,backup.deaf=1"
    flags = ("--engine", "tone-clone", "--backup", "tone", "--engine-options", options)
    with serving(home, *flags) as server:
        visitor = open_page(server.url)
        page = visitor.page
        page.check("#tuning input[value=vector]")
        page.click("[data-preset=sad]")
        rose = page.get_by_role("img", name="Picture of the emotion")
        expect(rose).to_have_attribute("aria-label", "Picture of the emotion: Sad 0.6")
        page.locator(".faders input[type=number]").nth(6).fill("1")
        page.locator(".faders input[type=number]").nth(6).blur()
        expect(rose).to_have_attribute("aria-label", "Picture of the emotion: Sad 0.6, Surprised 1")
        shown = "all => all.map((e) => Boolean(e.getAttribute('d')))"
        assert rose.locator("path").evaluate_all(shown) == [n in (2, 6) for n in range(8)]
        page.check("#voicebox input[value=clip]")
        page.set_input_files("#voicebox input[type=file]", upload("mine.wav"))
        expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav", timeout=SOON)
        visitor.speak("Some words [[fail]].")
        visitor.fails_with("could not speak")
        page.click(".fold summary")
        page.check(".fallback")
        expect(page.locator(".changes")).to_have_text("1 changed")
        _whole(page)
        visitor.speak("Some words [[fail]].")
        visitor.finished()


def test_marks_on_the_page_reach_the_engine(cloning: Cloning, open_page: Open) -> None:
    for name, pitch in (("Gina", 205), ("Otto", 95)):
        answer = httpx.post(
            f"{cloning.url}/v1/audio/voices",
            data={"name": name, "statement": "It is my own voice."},
            files={"file": ("me.wav", upload("me.wav", pitch)["buffer"], "audio/wav")},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
    keys = {one["name"]: one["clip"] for one in cloning.shelf()}
    visitor = open_page(cloning.url)
    page = visitor.page
    page.click("#picker .browse")
    with page.expect_response(re.compile("/gina/sample$"), timeout=SOON) as heard:
        page.locator("#picker li[data-voice=gina] .listen").click()
    assert heard.value.headers["content-type"] == "audio/wav"
    page.locator("#picker li[data-voice=gina] .take").click()
    expect(page.locator("#voice input")).to_have_value(re.compile("^Gina"), timeout=SOON)
    visitor.speak("[pause 1s]One word.[pause 0.5s] [voice: Otto]Two words.")
    visitor.finished()
    got = {one["text"]: one["voices"][0]["key"] for one in cloning.received()[-2:]}
    assert got == {"One word.": keys["Gina"], "Two words.": keys["Otto"]}
    for _ in range(2):  # of the sound as it was made, and as it is found again
        shown = page.locator(".segments[data-view=sound] .segment")
        marks = shown.evaluate_all(
            "all => all.map(({ dataset: d }) => [d.lead ?? '', d.voice ?? '', d.pause ?? ''])"
        )
        assert marks == [["‖ 1 s", "", "‖ 0.5 s"], ["", "Otto", ""]]
        page.reload()
        settled(page)
        visitor.finished()
    for name in ("gina", "otto"):
        httpx.delete(f"{cloning.url}/v1/audio/voices/{name}", timeout=30)
