"""A server that loads, is full, dies and comes back: the page says so, keeps the text, and goes on."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from ..api.server import free_port, serving, until
from .conftest import Open
from .pages import SOON

ONE_ROW = ("--engine", "tone", "--engine-options", "rows=1,step_ms=80,char_ms=20,ahead=0")
LONG = " ".join(f"Sentence number {n} of a long text goes on for a while." for n in range(30))


def test_the_badge_tells_loading_from_ready_and_a_text_may_wait_for_it(tmp_path: Path, open_page: Open) -> None:
    flags = ("--engine", "tone", "--engine-options", "load_ms=15000")
    with serving(tmp_path, *flags, path="/healthz") as server:
        visitor = open_page(server.url)
        expect(visitor.page.locator(".badge[data-state=loading]")).to_contain_text("Loading", timeout=SOON)
        visitor.speak("Said before the model was there.")
        expect(visitor.page.locator(".state")).to_have_text("Waiting for the model to load", timeout=SOON)
        visitor.badge("Ready")
        visitor.finished()
        visitor.heard()


def test_who_waits_is_told_the_place_and_who_finds_the_queue_full_is_told_so(tmp_path: Path, open_page: Open) -> None:
    with serving(tmp_path, *ONE_ROW, "--max-waiting", "3") as server:
        before = [open_page(server.url) for _ in range(3)]
        late = open_page(server.url, "zh")
        for number, visitor in enumerate(before, 1):
            visitor.speak(LONG)
            until(lambda number=number: server.status()["waiting"] == number, f"{number} requests wait or run")
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


def test_the_page_outlives_its_server(tmp_path: Path, open_page: Open) -> None:
    port = free_port()
    with serving(tmp_path / "first", *ONE_ROW, port=port) as server:
        visitor = open_page(server.url)
        visitor.badge("Ready")
        visitor.speak(LONG)
        visitor.heard()
        server.process.kill()
        visitor.fails_with("connection to the server was lost")
        visitor.badge("Reconnecting…")
        visitor.page.click("#speak")
        visitor.fails_with("does not answer right now")
        assert visitor.text == LONG
    with serving(tmp_path / "second", *ONE_ROW, port=port):
        visitor.badge("Ready")
        assert visitor.text == LONG
        visitor.speak("Here again.")
        visitor.finished()
        expect(visitor.page.locator(".notice")).not_to_be_visible()
