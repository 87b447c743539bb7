"""Read-along and repair: a segment is edited, made again, compared and chosen; the sound follows at once."""

from __future__ import annotations

import io
import wave

import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from ..api.server import Server, until
from .conftest import Open
from .pages import SOON, Visit, settled

TEXT = "The first one. Aaaaaaaaaaaa. The third one ends."


def edit(visitor: Visit, index: int) -> Locator:
    """Open the editor of a segment."""
    visitor.page.locator(".segment .edit").nth(index).click()
    editor = visitor.page.locator(".repair")
    expect(editor.locator(".make")).to_be_enabled(timeout=SOON)
    return editor


def address(visitor: Visit) -> str:
    """Of the download."""
    link = visitor.page.locator(".download")
    expect(link).to_have_attribute("aria-disabled", "false", timeout=SOON)
    return link.get_attribute("href") or ""


def download(visitor: Visit) -> np.ndarray:
    """Int16, of what the page offers as a wav."""
    visitor.page.select_option(".format", "wav")
    data = httpx.get(address(visitor), timeout=30).content
    with wave.open(io.BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def held(visitor: Visit) -> np.ndarray:
    """Float32, of all that the player would play now from the beginning."""
    page = visitor.page
    page.evaluate("tap.played = []")
    page.press(".wave", "Home")
    page.click(".play")
    visitor.heard()
    visitor.silent()
    return np.concatenate(visitor.blocks())


def test_a_segment_is_edited_made_again_compared_and_chosen(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.speak(TEXT)
    visitor.finished()
    visitor.silent()
    before = download(visitor)
    page.locator(".segment .words").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("F2")
    editor = page.locator(".repair")
    expect(editor.locator("textarea")).to_be_focused()
    expect(editor.locator(".make")).to_be_enabled(timeout=SOON)
    name = page.evaluate("tts.library.called(tts.voice)")
    expect(editor.locator(".repair-facts")).to_contain_text(f"Voice: {name} · seed ")
    expect(editor.locator(".repair-hint")).to_contain_text(f"spoken by {name},")
    page.evaluate("tap.played = []")
    page.keyboard.press("Control+A")
    page.keyboard.type("Bbbbbbb.")
    page.keyboard.press("Control+Enter")
    expect(editor.locator("[role=status]")).to_have_text("Take 2 is ready and in use.", timeout=SOON)
    visitor.heard()
    visitor.silent()
    alone = np.concatenate(visitor.blocks())
    assert len(alone) < 0.5 * 24_000, "only the segment was to be played"
    expect(page.locator(".segment .words")).to_have_text(
        ["The first one.", "Bbbbbbb.", "The third one ends."]
    )
    after = download(visitor)
    assert len(after) < len(before)
    np.testing.assert_allclose(held(visitor), after / 32768, atol=2 / 32768)
    page.select_option(".format", "srt")
    assert "Bbbbbbb." in httpx.get(address(visitor)).text

    editor.get_by_role("button", name="Take 1").click()
    expect(editor.locator("[role=status]")).to_have_text("Take 1 is in use.", timeout=SOON)
    expect(editor.locator("textarea")).to_have_value("Aaaaaaaaaaaa.")
    assert np.array_equal(download(visitor), before)
    expect(editor.locator(".drop")).to_be_hidden()
    editor.get_by_role("button", name="Take 2").click()
    editor.locator(".drop").click()
    expect(editor.locator("[data-take]")).to_have_count(1, timeout=SOON)
    assert np.array_equal(download(visitor), before)
    editor.locator("textarea").press("Escape")
    expect(editor).to_have_count(0)
    expect(page.locator(".segment .words").nth(1)).to_be_focused()


@pytest.mark.slow
def test_a_choice_is_there_after_a_reload_and_for_whoever_opens_the_output(
    tone: Server, open_page: Open
) -> None:
    visitor = open_page(tone.url, "zh")
    page = visitor.page
    visitor.speak("第一句。第二句在这里。")
    visitor.finished()
    editor = edit(visitor, 1)
    editor.locator("textarea").fill("换一句话。")
    editor.locator(".make").click()
    expect(editor.locator("[role=status]")).to_have_text("版本 2 已生成并采用。", timeout=SOON)
    visitor.silent()
    sound = download(visitor)
    page.reload()
    settled(page)
    visitor.finished()
    expect(page.locator(".segment .words")).to_have_text(["第一句。", "换一句话。"], timeout=SOON)
    assert page.evaluate("tap.played.length") == 0, "it must not play by itself"
    np.testing.assert_allclose(held(visitor), sound / 32768, atol=2 / 32768)
    expect(edit(visitor, 1).locator("[aria-pressed=true]")).to_have_text("2")
    output = address(visitor).split("/outputs/")[1].split("?")[0]

    other = open_page(tone.url)
    assert other.page.evaluate("id => tts.open(id)", output)
    expect(other.page.locator(".segment .words")).to_have_text(["第一句。", "换一句话。"])
    other.page.evaluate("tts.emit('open', 'no-such-output-at-all')")
    other.fails_with("may have been cleaned up")


def test_what_failed_half_way_is_mended(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.speak("This part is fine. [[fail]] Bad.")
    visitor.fails_with("could not speak a segment")
    editor = edit(visitor, 1)
    editor.locator(".make").click()
    expect(editor.locator(".repair-error")).to_contain_text("could not speak a segment", timeout=SOON)
    expect(editor.locator(".same")).to_be_hidden()
    editor.locator("textarea").fill("Good.")
    editor.locator(".make").click()
    visitor.finished()
    expect(page.locator(".notice")).to_be_hidden()
    np.testing.assert_allclose(held(visitor), download(visitor) / 32768, atol=2 / 32768)


def test_a_take_under_way_is_cancelled_when_its_editor_is_left(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak("One. Two.")
    visitor.finished()
    editor = edit(visitor, 0)
    editor.locator("textarea").fill("A very long sentence " * 40)
    editor.locator(".make").click()
    until(lambda: not tone.is_idle(), "it is being spoken")
    editor.locator(".give-up").click()
    expect(editor.locator("[role=status]")).to_have_text("Cancelled.", timeout=SOON)
    until(tone.is_idle, "the engine is free again")
    editor.locator(".make").click()
    until(lambda: not tone.is_idle(), "it is being spoken")
    visitor.speak("Something new.")
    expect(editor).to_have_count(0)
    visitor.finished()
    until(tone.is_idle, "the engine is free again")


def test_takes_are_made_with_the_settings_as_they_are_now(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    visitor.speak("One here. Two here.")
    visitor.finished()
    page.fill("#speed input[type=number]", "2")
    page.press("#speed input[type=number]", "Tab")
    page.wait_for_function("tts.settings.values?.[3] === 2", timeout=SOON)
    editor = edit(visitor, 0)
    editor.locator(".same").click()
    expect(editor.locator("[data-take]")).to_have_count(2, timeout=SOON)
    output = address(visitor).split("?")[0]
    first, second = httpx.get(f"{output}/segments").json()["segments"][0]["takes"]
    assert (first["speed"], second["speed"]) == (1.0, 2.0)
    assert second["seed"] == first["seed"] and second["seconds"] < first["seconds"]


def test_a_segment_with_a_voice_of_its_own_keeps_it(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    page = visitor.page
    voices = httpx.get(f"{tone.url}/v1/audio/voices").json()["voices"]
    own = next(voice for voice in voices if voice["id"] != page.evaluate("tts.voice"))
    visitor.speak(f"One here. [voice: {own['name']}] Two here.")
    visitor.finished()
    editor = edit(visitor, 1)
    expect(editor.locator(".repair-hint")).to_contain_text(f"spoken by {own['name']},")
    editor.locator(".make").click()
    expect(editor.locator("[data-take]")).to_have_count(2, timeout=SOON)
    segments = httpx.get(f"{address(visitor).split('?')[0]}/segments").json()["segments"]
    assert [take["voice"] for take in segments[1]["takes"]] == [own["name"], own["name"]]
    assert segments[0]["takes"][0]["voice"] not in (own["id"], own["name"])


@pytest.mark.slow
def test_what_was_stopped_is_completed_on_request(tone: Server, open_page: Open) -> None:
    visitor = open_page(tone.url)
    visitor.speak(" ".join(f"Sentence number {number} goes on for a while." for number in range(9)))
    expect(visitor.page.locator(".segment.made").nth(1)).to_be_attached(timeout=SOON)
    visitor.stop()
    visitor.page.locator(".rest").click()
    visitor.finished()
    expect(visitor.page.locator(".segment.made")).to_have_count(9)
    expect(visitor.page.locator(".rest")).to_be_hidden()
    np.testing.assert_allclose(held(visitor), download(visitor) / 32768, atol=2 / 32768)
