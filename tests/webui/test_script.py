"""The Script tab: many lines, several speakers, one job that goes on without the page."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from ..api.cloning import added
from ..api.server import Server
from .conftest import Cloning, Open
from .pages import SOON, fits
from .test_languages import FOREIGN

TAB = {"en": "Script", "zh": "剧本"}
SCRIPT = "Nora: Good day.\nOtto: Who is there?\n\nNight falls.\nNora: It is only me."
SRT = (
    "1\n00:00:00,000 --> 00:00:02,000\nAnna: Hello.\n\n"
    "2\n00:00:02,000 --> 00:00:02,600\nBob: This is longer.\n\n"
    "3\n00:00:03,000 --> 00:00:03,200\nAnna: This is much longer than its time.\n"
)


def opened(page: Page, lang: str = "en") -> None:
    """The tab, with its scripts."""
    page.get_by_role("tab", name=TAB[lang], exact=True).click()
    page.wait_for_selector("#script .read, #script .row", state="attached", timeout=SOON)
    page.wait_for_function("window.tts.library.voices.length > 0", timeout=SOON)


def pasted(page: Page, text: str) -> None:
    """The text, read into rows."""
    page.fill("#script-source", text)
    page.click("#script .read")
    page.wait_for_selector("#script .row", timeout=SOON)


def finished(page: Page, seconds: float = SOON / 1000) -> None:
    """The job has ended, and nothing of it failed."""
    state = page.locator("#script .job-words")
    expect(state).to_have_text(re.compile("^(Finished|已完成) ·"), timeout=1000 * seconds)


def row(page: Page, number: int) -> Any:
    """From 1."""
    return page.locator(f'#script .row[data-index="{number - 1}"]')


@pytest.fixture(scope="module")
def pair(cloning: Cloning) -> dict[str, str]:
    """Two voices of the library: name -> the key of its clip."""
    for seed, name in enumerate(("Nora", "Otto"), 50):
        added(cloning.server, name, seed=seed)
    return {voice["name"]: voice["clip"] for voice in cloning.shelf()}


def test_each_name_is_heard_in_its_own_voice_and_a_line_can_be_made_again(
    cloning: Cloning, pair: dict[str, str], open_page: Open
) -> None:
    page = open_page(cloning.url).page
    opened(page)
    pasted(page, SCRIPT)
    expect(page.locator("#script .about-words")).to_contain_text("4 lines · 3 speakers")
    page.get_by_label("Voice of Narrator").select_option("otto")
    page.get_by_label("Emotion of Otto", exact=True).select_option("sad")
    expect(page.get_by_label("Voice of Nora")).to_have_value("nora")  # the voice of that name
    before = len(cloning.received())
    page.click("#script .go")
    finished(page)
    given = {one["text"]: one for one in cloning.received()[before:]}
    keys = {text: one["voices"][0]["key"] for text, one in given.items()}
    assert keys == {
        **{"Good day.": pair["Nora"], "Who is there?": pair["Otto"]},
        **{"Night falls.": pair["Otto"], "It is only me.": pair["Nora"]},
    }
    assert given["Who is there?"]["emotion"] and not given["Good day."]["emotion"]

    page.get_by_role("button", name="Emotion of Narrator in detail").click()
    feeling = page.locator("#script dialog.feeling")
    feeling.locator("input[value=vector]").check(force=True)
    feeling.get_by_role("button", name="Use it").click()
    expect(feeling.locator(".felt-error")).to_contain_text("All eight are at 0")
    feeling.get_by_role("button", name="Surprised", exact=True).click()
    feeling.get_by_role("button", name="Use it").click()
    expect(feeling).to_be_hidden()
    expect(page.get_by_label("Emotion of Narrator", exact=True).locator("option:checked")).to_have_text(
        "Surprised 0.5"
    )
    page.get_by_role("button", name=re.compile(r"changed lines? again")).click()
    page.wait_for_function("!document.querySelector('#script .row[data-state=changed]')", timeout=SOON)
    finished(page)
    felt = {one["text"]: one["emotion"] for one in cloning.received()[before + 4 :]}
    assert {text: one["vector"][6] > 0 for text, one in felt.items()} == {
        **{"Good day.": True, "Night falls.": True, "It is only me.": True},
    }

    row(page, 2).locator(".say").click()
    page.fill("#script [name=text]", "Who goes there?")
    page.locator("#script .line-form [name=voice]").select_option("nora")
    page.get_by_role("button", name="Save and make again").click()
    expect(row(page, 2).locator(".text")).to_have_text("Who goes there?")
    page.wait_for_function(
        "document.querySelector('#script .row[data-index=\"1\"]').dataset.state === 'done'", timeout=SOON
    )
    last = cloning.received()[-1]
    assert (last["text"], last["voices"][0]["key"]) == ("Who goes there?", pair["Nora"])

    page.get_by_label("Voice of Otto").select_option("nora")  # spoken lines are not what is seen any more
    expect(page.locator("#script .go")).to_have_count(1)
    expect(page.locator("#script .go")).not_to_be_visible()  # that line says its own voice
    page.get_by_label("Speed of Narrator").fill("1.5")
    page.keyboard.press("Tab")
    page.get_by_role("button", name=re.compile(r"changed lines? again")).click()
    page.wait_for_function("!document.querySelector('#script .row[data-state=changed]')", timeout=SOON)
    finished(page)
    assert cloning.received()[-1]["params"]["speed"] == 1.5


@pytest.mark.slow
def test_lines_are_played_and_a_closed_page_finds_its_job_again(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    opened(page)
    pasted(page, "One two three four.\nAnna: Five six seven eight.\nBen: Nine ten.")
    asked: list[str] = []
    page.on("request", lambda request: _note_sound(request, asked))
    page.fill("#script .title", "My play")
    page.click("#script .go")
    expect(page.locator("#script .job")).to_be_visible(timeout=SOON)
    page.reload()  # while it is being made
    opened(page)
    finished(page)
    expect(page.locator("#script .title")).to_have_value("My play")
    assert page.locator("#script .jobs-list .job-title").first.text_content() == "My play"

    row(page, 2).get_by_role("button", name="Play line 2").click()
    expect(row(page, 2)).to_have_class(re.compile(r"\bon\b"))
    expect(page.locator("#script .row.on")).to_have_count(0, timeout=SOON)  # it alone
    page.evaluate(
        """() => { window.lit = []; new MutationObserver(() => {
             const on = document.querySelector("#script .row.on")?.dataset.index;
             if (on && lit.at(-1) !== on) lit.push(on);
           }).observe(document.querySelector("#script .rows"), { subtree: true, attributes: true }); }"""
    )
    row(page, 2).get_by_role("button", name="from line 2 on").click()
    page.wait_for_function("lit.length === 2 && !document.querySelector('#script .row.on')", timeout=SOON)
    assert page.evaluate("lit") == ["1", "2"]
    assert asked == ["2", "2", "3"]

    names = [link.get_attribute("href") for link in page.locator("#script .save a").all()]
    archive = zipfile.ZipFile(io.BytesIO(httpx.get(str(names[1]), timeout=20).content))
    assert len([name for name in archive.namelist() if name.endswith(".mp3")]) == 3
    assert httpx.get(str(names[2])).text.count("-->") == 3

    page.get_by_role("button", name="New script", exact=True).first.click()
    expect(page.locator("#script-source")).to_be_visible()
    page.get_by_role("button", name="Open My play").click()
    expect(row(page, 3).locator(".text")).to_have_text("Nine ten.", timeout=SOON)
    page.get_by_role("button", name="Delete My play").click()
    page.locator("#script .job-sure:not([hidden]) .yes").click()
    expect(page.get_by_role("button", name="Open My play")).to_have_count(0, timeout=SOON)
    expect(page.locator("#script .go")).to_have_text("Make the sound")  # the lines stay


def _note_sound(request: Request, asked: list[str]) -> None:
    found = re.search(r"/audio\?.*line=(\d+)", request.url)
    if found:
        asked.append(found[1])


def test_what_is_wrong_with_a_table_is_told_at_its_row_and_a_draft_is_kept(
    tone: Server, open_page: Open
) -> None:
    page = open_page(tone.url).page
    opened(page)
    table = "speaker,text,voice,speed\nAnna,Hello.,tone-a,\nBob,Who?,nobody,\nBob,Fast.,,9\n"
    file = {"name": "play.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")}
    page.set_input_files("#script .file", file)  # type: ignore[arg-type]
    expect(row(page, 2).locator(".why")).to_have_text(
        "There is no such voice: choose another one.", timeout=SOON
    )
    expect(row(page, 3).locator(".why")).to_have_text("'speed' must be ≤ 4.")
    page.click("#script .go")
    expect(page.locator("#script .script-notice")).to_contain_text(
        "correct those that are marked", timeout=SOON
    )
    page.click("#script .bad-lines")
    expect(row(page, 2).locator(".say")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#script .line-form [name=voice]").select_option("")
    page.click("#script .save-line")
    row(page, 3).locator(".say").click()
    page.fill("#script .line-form [name=speed]", "2")
    page.click("#script .save-line")
    expect(page.locator("#script .bad-lines")).not_to_be_visible()
    page.wait_for_function("(localStorage['tts.script'] || '').includes('\"speed\":2')", timeout=SOON)
    page.reload()
    opened(page)
    expect(page.locator("#script .title")).to_have_value("play")
    page.click("#script .go")
    finished(page)


@pytest.mark.parametrize(("lang", "width"), [pytest.param("en", 1440, marks=pytest.mark.slow), ("zh", 390)])
def test_all_of_it_fits_speaks_the_language_and_is_accessible(
    tone: Server, open_page: Open, lang: str, width: int
) -> None:
    page = open_page(tone.url, lang, width=width).page
    opened(page, lang)
    _sound(page, lang)
    pasted(page, SRT if lang == "en" else SRT.replace("Anna", "安娜").replace("Bob", "小博"))
    expect(page.locator("#script .fit")).to_be_visible()
    row(page, 2).locator(".say").click()
    expect(page.locator("#script dialog")).to_be_visible()
    _sound(page, lang)
    page.keyboard.press("Escape")
    page.click("#script .go")
    finished(page)
    over = {"en": "s too long", "zh": "超出"}[lang]
    expect(row(page, 3).locator(".state")).to_contain_text(over, timeout=SOON)
    expect(row(page, 1).locator(".state")).not_to_contain_text(over)
    _sound(page, lang)


def _sound(page: Page, lang: str) -> None:
    """In the page's language, within its window, and without what axe finds fault with."""
    foreign: list[list[str]] = page.evaluate(FOREIGN)
    assert [place for place in foreign if place[0] != "value"] == []
    fits(page, page.evaluate("innerWidth"))
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0)))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


LONG_TASK = 200  # ms: longer, and people feel that the page has stopped
PASTE = """(text) => {
  const box = document.querySelector("#script-source");
  box.value = text;
  box.dispatchEvent(new Event("input"));
}"""


def longest_task(page: Page, deed: Callable[[], object]) -> float:
    """ms of its processor that the page's longest task takes meanwhile: what else the machine does is not its fault."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
    deed()
    page.wait_for_timeout(1500)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    tasks = [event.get("tdur", 0) / 1000 for event in events if event["name"].endswith("RunTask")]
    assert len(tasks) > 10, "the browser names its tasks otherwise now"
    return max(tasks)


@pytest.mark.slow
def test_three_thousand_lines_never_stop_the_page(
    cloning: Cloning, pair: dict[str, str], open_page: Open
) -> None:
    page = open_page(cloning.url).page
    opened(page)
    names = ("Nora", "Otto", "小明", "Dr. Watson")
    text = "\n".join(f"{names[i % 4]}: Line {i} of a long script, of some words." for i in range(3000))

    def read() -> None:
        page.evaluate(PASTE, text)
        page.click("#script .read")
        page.wait_for_selector("#script .row", timeout=SOON)

    def scroll() -> None:
        for top in range(0, 204_000, 17_000):
            page.evaluate(f"document.querySelector('#script .rows').scrollTop = {top}")
            page.wait_for_timeout(50)

    def edit() -> None:
        page.evaluate("document.querySelector('#script .rows').scrollTop = 1e9")
        row(page, 3000).locator(".say").click()
        page.fill("#script [name=text]", "The last line.")
        page.click("#script .save-line")
        page.get_by_label("Voice of 小明").select_option("otto")

    def run() -> None:
        page.click("#script .go")
        page.wait_for_function("document.querySelectorAll('#script .row .state').length > 0", timeout=SOON)
        page.wait_for_timeout(6000)

    def come_back() -> None:
        page.reload()
        opened(page)
        page.wait_for_selector("#script .row", timeout=SOON)

    tasks = {deed.__name__: longest_task(page, deed) for deed in (read, scroll, edit, run, come_back)}
    assert max(tasks.values()) < LONG_TASK, tasks
    assert page.locator("#script .row").count() < 40, "only what is in sight"
    finished(page, 400)
    page.evaluate("document.querySelector('#script .rows').scrollTop = 1e9")
    expect(row(page, 3000).locator(".text")).to_have_text("The last line.")
    expect(row(page, 3000).locator(".state")).to_contain_text("s")
