"""A server that is full, dies, comes back and loads: the page says so, keeps the text, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ..api.server import Server, free_port, serving, until
from .conftest import SLOW, Open
from .pages import SOON

LONG = " ".join(f"Sentence number {n} of a long text goes on for a while." for n in range(30))


def test_who_waits_is_told_the_place_and_who_finds_the_queue_full_is_told_so(
    proxied: tuple[Server, str], open_page: Open
) -> None:
    server, address = proxied
    before = [open_page(address) for _ in range(3)]
    late = open_page(address, "zh")
    for number, visitor in enumerate(before, 1):
        visitor.speak(LONG)
        until(lambda number=number: server.status()["waiting"] == number, f"{number} requests are under way")
    expect(before[-1].page.locator(".state")).to_contain_text("1 request before you", timeout=SOON)
    late.speak("轮到我了吗？")
    late.fails_with("队列已满")
    assert late.text == "轮到我了吗？"
    for visitor in before:
        visitor.stop()
    until(server.is_idle, "the service is idle after Stop")
    late.page.click("#speak")
    late.finished()
    expect(late.page.locator(".notice")).not_to_be_visible()


@pytest.mark.slow
def test_the_page_outlives_its_server_and_waits_for_the_next_one_to_load(
    tmp_path: Path, open_page: Open
) -> None:
    port = free_port()
    with serving(tmp_path / "first", "--engine", "tone", "--engine-options", SLOW, port=port) as server:
        visitor = open_page(server.url)
        page = visitor.page
        page.evaluate("window.same = true")
        visitor.badge("Ready")
        visitor.speak(LONG)
        visitor.heard()
        server.process.kill()
        visitor.fails_with("connection to the server was lost")
        visitor.badge("Reconnecting…")
        page.click("#speak")
        visitor.fails_with("does not answer right now")
    slowly = ("--engine", "tone", "--engine-options", "load_ms=12000")
    with serving(tmp_path / "second", *slowly, port=port, path="/healthz"):
        expect(page.locator(".badge[data-state=loading]")).to_contain_text("Loading", timeout=SOON)
        assert visitor.text == LONG
        visitor.speak("Said before the model was there.")
        expect(page.locator(".state")).to_have_text("Waiting for the model to load", timeout=SOON)
        visitor.badge("Ready")
        visitor.finished()
        expect(page.locator(".notice")).not_to_be_visible()
        assert page.evaluate("window.same"), "the page was reloaded"


@pytest.mark.slow
def test_while_the_backup_speaks_the_badge_says_so(tmp_path: Path, open_page: Open) -> None:
    flags = ("--engine", "tone-clone", "--backup", "tone", "--device", "a")
    with serving(tmp_path, *flags, "--engine-options", "refuse=a,backup.char_ms=20") as server:
        open_page(server.url, "zh").badge("备用引擎")
