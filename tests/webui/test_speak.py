"""The Speak tab, used as a visitor does, on the test engine."""

from __future__ import annotations

import re
from itertools import pairwise

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from index_tts_ui.webui.speak import blend

from ..api.server import Server, until
from ..hearing import decode_any
from .conftest import Open
from .pages import SOON, settled

THREE = ("The first one.", "The second one follows it.", "The third one ends.")
LONG = " ".join(f"Sentence number {n} of a long text goes on for a while." for n in range(40))


def test_the_sound_starts_before_the_text_is_done(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(LONG)
    visitor.heard()
    first = visitor.page.evaluate(
        "(({made, total, downloadable}) => [made, total, downloadable])(tap.played[0])"
    )
    assert first[0] <= 1 and first[1] > 5 and first[2] is False
    assert not tone.is_idle()
    visitor.stop()
    until(tone.is_idle, "the service is idle after Stop")


def test_what_plays_is_the_whole_sound_in_order_and_without_overlap(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(" ".join(THREE))
    visitor.finished()
    visitor.silent()
    page = visitor.page
    notes = page.evaluate("tap.played.map(n => [n.when, n.end])")
    late = [after[0] - before[1] for before, after in pairwise(notes)]
    assert min(late) > -1e-6, "two blocks overlap"
    url = page.evaluate("document.querySelector('.download').href").replace("format=mp3", "format=wav")
    whole, rate = decode_any(httpx.get(url, timeout=30).content)
    starts = [note[0] for note in notes]
    blocks = np.concatenate(visitor.blocks())
    assert starts == sorted(starts)
    assert visitor.played()[1] == rate == 24_000
    np.testing.assert_allclose(blocks, whole, atol=2 / 32768)
    assert np.max(np.abs(whole)) > 0.05


def test_the_segment_being_played_is_highlighted_in_turn(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(" ".join(THREE))
    visitor.finished()
    visitor.silent()
    expect(visitor.page.locator(".segment.on")).to_have_count(0, timeout=SOON)
    assert visitor.highlighted() == list(THREE)


def test_stop_silences_the_page_and_frees_the_engine(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(LONG)
    visitor.heard()
    visitor.stop()
    visitor.silent(timeout=2000)
    expect(visitor.page.locator(".state")).to_contain_text("Stopped")
    until(tone.is_idle, "the service is idle after Stop")
    played = visitor.page.evaluate("tap.played.length")
    expect(visitor.page.locator("#stop")).not_to_be_visible()
    visitor.page.wait_for_timeout(400)
    assert visitor.page.evaluate("tap.played.length") == played


def test_closing_the_tab_frees_the_engine(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(LONG)
    visitor.heard()
    visitor.page.close()
    until(tone.is_idle, "the service is idle after the tab was closed", 15)


def test_speaking_again_replaces_what_was_under_way(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(LONG)
    visitor.heard()
    visitor.speak("Only this.")
    visitor.finished()
    expect(visitor.page.locator(".segment")).to_have_text(["Only this."])
    until(tone.is_idle, "the first request is gone, too")


def test_the_text_of_the_last_click_is_the_one_that_is_spoken(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    for text in ("One.", "Two.", "Three."):
        visitor.speak(text)
    visitor.finished()
    expect(visitor.page.locator(".segment")).to_have_text(["Three."])
    until(tone.is_idle, "the others are gone")


@pytest.mark.parametrize(("fmt", "signature"), [("opus", b"OggS"), ("flac", b"fLaC")])
def test_the_sound_downloads_in_the_chosen_format(
    tone: Server, open_page: Open, fmt: str, signature: bytes
) -> None:
    visitor = open_page(tone.url)
    link = visitor.page.locator(".download")
    assert link.get_attribute("href") is None
    visitor.speak(THREE[0])
    visitor.finished()
    visitor.page.select_option(".format", fmt)
    with visitor.page.expect_download(timeout=SOON) as waiting:
        link.click()
    assert waiting.value.suggested_filename.endswith("." + fmt)
    data = waiting.value.path().read_bytes()
    samples, rate = decode_any(data)
    assert data.startswith(signature)
    assert len(samples) / rate == pytest.approx(
        visitor.page.evaluate("tap.played.reduce((s, n) => s + n.end - n.when, 0)"), abs=0.1
    )


def test_the_finished_sound_can_be_paused_sought_and_replayed(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.speak(LONG[:240])
    visitor.finished()
    page.click(".play")
    visitor.silent(timeout=2000)
    wave = page.locator(".wave")
    seconds = int(wave.get_attribute("aria-valuemax") or 0)
    wave.click(position={"x": wave.bounding_box()["width"] / 2, "y": 10})
    expect(wave).to_have_attribute(
        "aria-valuenow", re.compile(f"{seconds // 2}|{(seconds + 1) // 2}"), timeout=SOON
    )
    wave.press("Home")
    expect(wave).to_have_attribute("aria-valuenow", "0", timeout=SOON)
    page.locator(".segment.made").nth(2).click()
    page.wait_for_function("tap.sounding()", timeout=SOON)
    expect(page.locator(".segment").nth(2)).to_have_class("segment made on", timeout=SOON)


def test_the_preview_shows_the_segments_while_typing(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url, "zh")
    visitor.type("今天很好。明天呢？")
    expect(visitor.page.locator(".segment")).to_have_text(["今天很好。", "明天呢？"], timeout=SOON)
    expect(visitor.page.locator(".count")).to_have_text("9 字符")
    expect(visitor.page.locator(".estimate")).to_contain_text("2 段")


def test_text_is_never_taken_for_html(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    nasty = '<img src=x onerror="window.broken=1"> and <b>bold</b>.'
    visitor.speak(nasty)
    visitor.finished()
    assert visitor.page.evaluate("window.broken") is None
    assert visitor.page.locator("#player img, #player b").count() == 0


def test_the_draft_and_the_settings_survive_a_reload(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.type("Keep this.")
    page.click("#voice input")
    page.get_by_role("listbox").get_by_role("option").first.click()
    chosen = page.input_value("#voice input")
    page.fill("#speed input[type=number]", "1.5")
    page.press("#speed input[type=number]", "Tab")
    page.wait_for_function("(localStorage['tts.settings'] || '').includes('1.5')", timeout=SOON)
    page.reload()
    settled(page)
    expect(page.locator("#text textarea")).to_have_value("Keep this.", timeout=SOON)
    expect(page.locator("#voice input")).to_have_value(chosen, timeout=SOON)
    expect(page.locator("#speed input[type=number]")).to_have_value("1.5", timeout=SOON)
    visitor.speak(visitor.text + " Spoken.")
    visitor.finished()


def test_two_tabs_of_one_browser_keep_their_texts_and_sounds_apart(tone: Server, open_page: Open) -> None:
    one, two = open_page(tone.url), open_page(tone.url)
    one.speak("Aaaa aaaa aaaa.")
    two.speak("Zz.")
    for visitor, text in ((one, "Aaaa aaaa aaaa."), (two, "Zz.")):
        visitor.page.bring_to_front()
        visitor.finished()
        expect(visitor.page.locator(".segment")).to_have_text([text])
    assert len(one.played()[0]) > 2 * len(two.played()[0])
    one.page.reload()
    settled(one.page)
    expect(one.page.locator("#text textarea")).to_have_value("Aaaa aaaa aaaa.", timeout=SOON)


def test_speed_and_a_second_voice_reach_the_engine(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    expect(page.locator("#share")).not_to_be_visible()
    page.click("#second input")
    page.get_by_role("listbox").get_by_role("option").nth(1).click()
    expect(page.locator("#share")).to_be_visible(timeout=SOON)
    page.fill("#speed input[type=number]", "2")
    page.press("#speed input[type=number]", "Tab")
    visitor.speak("x" * 40 + ".")
    visitor.finished()
    seconds = page.evaluate("tap.played.reduce((s, n) => s + n.end - n.when, 0)")
    assert seconds < 41 * 0.03 * 0.75, "the speed had no effect"


def test_ctrl_enter_speaks(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.type("From the keyboard.")
    visitor.page.press("#text textarea", "Control+Enter")
    visitor.finished()


def test_an_example_fills_the_text_and_can_be_undone(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.type("My own words.")
    visitor.page.get_by_role("button", name="Mandarin", exact=True).click()
    assert visitor.text.startswith("清晨的湖面")
    visitor.page.keyboard.press("Control+Z")
    assert visitor.text == "My own words."


@pytest.mark.parametrize(
    ("lang", "refusals"),
    [
        ("en", {"  ": "The text is empty", "long " * 1000: "the limit is 4096"}),
        ("zh", {"": "文本为空", "😀🎉": "没有可以朗读的内容"}),
    ],
)
def test_a_refusal_is_told_in_the_pages_language(
    tone: Server, open_page: Open, lang: str, refusals: dict[str, str]
) -> None:
    visitor = open_page(tone.url, lang)
    for text, message in refusals.items():
        visitor.speak(text)
        visitor.fails_with(message)
        assert visitor.text == text
        visitor.page.click(".notice-close")
        expect(visitor.page.locator(".notice")).not_to_be_visible()


def test_a_request_that_gradio_refuses_is_told(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url, "zh")
    visitor.page.route("**/gradio_api/queue/join*", lambda route: route.fulfill(status=500, body="{}"))
    visitor.speak("你好。")
    visitor.fails_with("服务器未能接受请求")
    assert visitor.text == "你好。"


def test_a_lost_network_is_told_and_the_page_goes_on_when_it_is_back(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    page.evaluate("window.same = true")
    page.context.set_offline(True)
    visitor.speak("Still here.")
    visitor.fails_with("does not answer right now")
    page.context.set_offline(False)
    visitor.badge("Ready")
    page.click("#speak")
    visitor.finished()
    assert page.evaluate("window.same")
    assert visitor.text == "Still here."


def test_a_failed_segment_is_told_and_what_was_ready_stays_playable(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak("This part is fine. [[fail]] This is not.")
    visitor.fails_with("could not speak a segment")
    expect(visitor.page.locator(".play")).to_be_enabled()
    assert visitor.page.locator(".download").get_attribute("href") is None


def test_a_newcomer_starts_with_a_voice_of_the_pages_language(tone: Server, open_page: Open) -> None:
    for lang, word in (("en", "English"), ("zh", "普通话")):
        expect(open_page(tone.url, lang).page.locator("#voice input")).to_have_value(
            re.compile(f"{word}$"), timeout=SOON
        )


@pytest.mark.parametrize(
    ("second", "share", "voice"),
    [("", 50, "a"), ("a", 50, "a"), ("b", 30, "a:0.70+b:0.30"), ("b", 500, "a:0.00+b:1.00")],
)
def test_a_blend_names_both_voices_with_their_shares(second: str, share: float, voice: str) -> None:
    assert blend("a", second, share) == voice
