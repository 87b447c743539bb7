"""The Status tab: what the service does, live; one's own requests; for admins everybody's, errors, logs, the model."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from index_tts_ui.auth.keys import KeyStore

from ..api.server import Server, serving, until
from .conftest import Open
from .pages import SOON, Browsers, fits, settled
from .test_languages import FOREIGN

LONG = "Bcdfghjk bcdfghjk bcdfghjk. " * 100


def _open_tab(page: Page) -> None:
    page.get_by_role("tab", name=re.compile("^(Status|状态)$")).click()
    page.wait_for_selector("#status .worker", timeout=SOON)


def _speak(server: Server, text: str, name: str) -> httpx.Response:
    body = {"model": "tone", "voice": "tone-a", "input": text, "response_format": "pcm"}
    headers = {"x-request-id": name}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, headers=headers, timeout=60)


def _whole(page: Page) -> None:
    """In one language, and within its window, at any width."""
    page.wait_for_function(f"({FOREIGN})().filter(([place]) => place !== 'value').length === 0", timeout=SOON)
    fits(page)


def test_requests_are_seen_live_and_cancelled(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    _open_tab(page)
    expect(page.locator("#status .mine-card .none")).to_be_visible(timeout=SOON)
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(_speak, tone, LONG[:2000], name) for name in ("mine-1", "mine-2")]
        mine = page.locator("#status .mine-card .request")
        expect(mine).to_have_count(2, timeout=SOON)
        everybody = page.locator("#status .all-card .request").filter(has_text="mine-2")
        expect(everybody).to_contain_text("127.0.0.1", timeout=SOON)
        _whole(page)
        assert Axe().run(page).violations_count == 0
        mine.filter(has_text="mine-1").get_by_role("button", name="Cancel request mine-1").click()
        expect(page.locator("#status .mine-card .note")).to_have_text(
            "The request was cancelled.", timeout=SOON
        )
        everybody.get_by_role("button", name="Cancel request mine-2").click()
        expect(everybody.locator(".sure")).to_contain_text("127.0.0.1")
        everybody.get_by_role("button", name="Yes, cancel it").click()
        expect(page.locator("#status .request")).to_have_count(0, timeout=SOON)
        for answer in answers:  # before its first sound 409, later cut off
            assert isinstance(answer.exception(20), (httpx.RemoteProtocolError, type(None)))
    until(tone.is_idle, "nothing runs on")


def test_figures_errors_and_log_are_shown_in_both_languages(tone: Server, open_page: Open) -> None:
    assert _speak(tone, "Now [[fail]] this.", "failing").status_code == 500
    page = open_page(tone.url).page
    page.evaluate("window.same = true")
    _open_tab(page)
    plot = page.locator("#status [data-plot=segments] svg")
    expect(plot).to_have_attribute("aria-label", re.compile(r"^Segments per second: now \d"), timeout=SOON)
    expect(page.locator("#status .error")).to_contain_text("could not speak a segment", timeout=SOON)
    log = page.locator("#status .log")
    expect(log).to_contain_text("failed: engine_failed", timeout=SOON)
    page.fill("#status .log-find", "never to be found")
    expect(page.locator("#status .log-note")).to_have_text("No such lines.", timeout=SOON)
    page.select_option("#status .log-file", "access")
    page.fill("#status .log-find", "followed")
    _speak(tone, "Followed.", "followed-1")
    expect(log).to_contain_text("followed-1", timeout=SOON)
    page.click(".lang")
    expect(page.locator("#status h2").first).to_have_text("引擎", timeout=SOON)
    expect(page.locator("#status .error")).to_contain_text("无法合成", timeout=SOON)
    _whole(page)
    assert page.evaluate("window.same"), "the page was reloaded"


def test_the_model_is_unloaded_after_a_question_and_comes_back(tone: Server, open_page: Open) -> None:
    until(tone.is_idle, "it is idle")
    page = open_page(tone.url).page
    _open_tab(page)
    page.get_by_role("button", name="Unload model").click()
    expect(page.locator("#status .model-sure")).to_contain_text("The next request brings it back")
    page.keyboard.press("Escape")
    expect(page.locator("#status .model-sure")).to_be_hidden()
    assert tone.status()["state"] == "ready"
    page.get_by_role("button", name="Unload model").click()
    page.get_by_role("button", name="Unload", exact=True).click()
    expect(page.locator("#status .worker .state")).to_have_text("Resting", timeout=SOON)
    expect(page.locator("#status .engine-card > .note")).to_have_text("The model was unloaded.")
    page.get_by_role("button", name="Reload model").click()
    page.get_by_role("button", name="Reload", exact=True).click()
    expect(page.locator("#status .worker .state")).to_have_text("Ready", timeout=SOON)


@pytest.mark.slow
def test_a_hidden_tab_asks_nothing(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    _open_tab(page)
    page.wait_for_selector("#status .plots:not([hidden])", timeout=SOON)
    page.get_by_role("tab", name="Speak").click()
    page.wait_for_timeout(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(5500)
    assert [url for url in asked if re.search(r"/v1/(admin|requests|status/series)", url)] == []


@pytest.mark.slow
def test_who_is_no_admin_sees_their_own_alone_and_can_sign_out(tmp_path: Path, browsers: Browsers) -> None:
    store = KeyStore(tmp_path / "keys.json")
    store.add("anna", password="correct horse", roles=("speak",))
    store.add("root", password="battery staple", roles=("admin",))
    with serving(tmp_path, "--engine", "tone", "--engine-options", "char_ms=30") as server:
        page = browsers.of("en").new_page()
        for name, secret, admin in (("anna", "correct horse", False), ("root", "battery staple", True)):
            page.goto(f"{server.url}/login")
            page.fill("#name", name)
            page.fill("#secret", secret)
            page.click("button")
            settled(page)
            _open_tab(page)
            page.wait_for_selector("#status .plots:not([hidden])", timeout=SOON)
            assert page.locator("#status .admin-only").first.is_visible() is admin
            assert page.locator("#status .log-card").is_visible() is admin
            out = page.get_by_role("button", name="Sign out")
            expect(page.locator("#header .sign-out")).to_have_attribute("title", f"Signed in as {name}")
            out.click()
            page.wait_for_selector("#secret", timeout=SOON)
        page.close()
