"""The page in a real browser, as a visitor meets it."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from playwright.sync_api import TimeoutError as TooLate

TAP = Path(__file__).with_name("tap.js")
LOCALES = {"zh": "zh-CN", "en": "en-US"}
SOON = 30_000  # ms; nothing here takes that long, but the machine may be busy
LOCAL = {"127.0.0.1", ""}  # the host of data: and blob: addresses is empty
WIDTHS = (320, 390, 1440)  # CSS pixels: phones, a desk

# Controls that are outside the window sideways, or whose own text is wider than they are.
CUT = """() => [...document.querySelectorAll("button, a, input, select, textarea, h1, p, .badge, .card, #player")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 1)
  .filter((e) => !e.closest("#tabs > .tab-wrapper > .visually-hidden")) // Gradio measures its tabs there
  .filter((e) => {
    const { left, right } = e.getBoundingClientRect();
    return left < 0 || right > innerWidth || (e.matches("button, .badge, h1") && e.scrollWidth > e.clientWidth + 1);
  }).map((e) => e.id || e.className || e.tagName)"""


@dataclass
class Visit:
    """One visitor's page, with what must never happen noted on the side."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What stands in the text area."""
        return self.page.input_value("#text textarea")

    def type(self, text: str) -> None:
        """Replace the text."""
        self.page.fill("#text textarea", text)

    def speak(self, text: str) -> None:
        """Replace the text and press Speak."""
        self.type(text)
        self.page.click("#speak")

    def stop(self) -> None:
        """Press Stop."""
        self.page.click("#stop")

    def heard(self) -> None:
        """Wait until something plays."""
        self.page.wait_for_function("tap.played.length > 0", timeout=SOON)

    def finished(self, timeout: float = SOON) -> None:
        """Wait until the sound is complete, and can be downloaded."""
        expect(self.page.locator("#player > * > [data-phase=done]")).to_have_count(1, timeout=timeout)

    def silent(self, timeout: float = SOON) -> None:
        """Wait until nothing plays any more."""
        self.page.wait_for_function("!tap.sounding()", timeout=timeout)

    def badge(self, text: str, timeout: float = SOON) -> None:
        """Wait until the badge says ``text``."""
        expect(self.page.locator(".badge-text")).to_have_text(text, timeout=timeout)

    def fails_with(self, text: str) -> None:
        """Wait until the message says ``text``."""
        expect(self.page.locator(".notice-text")).to_contain_text(text, timeout=SOON)

    def highlighted(self) -> list[str]:
        """The segments that were highlighted, in order."""
        lit: list[str] = self.page.evaluate("tap.lit")
        return lit

    def blocks(self) -> list[np.ndarray]:
        """The samples of each block that was scheduled, float32, in the order of scheduling."""
        notes = self.page.evaluate("tap.played.map(n => [n.samples, Math.round(n.offset * n.rate)])")
        return [np.frombuffer(base64.b64decode(data), np.float32)[offset:] for data, offset in notes]

    def played(self) -> tuple[np.ndarray, int]:
        """All that was scheduled, mixed at its times as the browser does, as (float32 [n], Hz)."""
        times: list[float] = self.page.evaluate("tap.played.map(n => n.when)")
        rate: int = self.page.evaluate("tap.played[0].rate")
        blocks = self.blocks()
        places = [round((time - times[0]) * rate) for time in times]
        mix = np.zeros(max(at + len(block) for at, block in zip(places, blocks, strict=True)), np.float32)
        for at, block in zip(places, blocks, strict=True):
            mix[at : at + len(block)] += block
        return mix, rate


class Browsers:
    """Visitors' browsers: one per language, so that only the first visit in it loads the page's files."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._contexts: dict[str, BrowserContext] = {}

    def of(self, lang: str) -> BrowserContext:
        """A browser that speaks ``lang`` and remembers nothing."""
        locale = LOCALES.get(lang, lang)
        if locale not in self._contexts:
            self._contexts[locale] = self._chromium.new_context(locale=locale)
            self._contexts[locale].add_init_script(path=TAP)
        self._contexts[locale].clear_cookies()
        return self._contexts[locale]


def leave(visitor: Visit) -> None:
    """Close the page, if it is still open, and forget what it kept in the browser."""
    if not visitor.page.is_closed():
        visitor.page.context.set_offline(False)
        visitor.page.evaluate("localStorage.clear()")
        with contextlib.suppress(Error):  # the server may be gone
            # a page that is left may keep its draft at the last moment
            visitor.page.goto(urljoin(visitor.page.url, "/healthz"), timeout=5000)
            visitor.page.evaluate("localStorage.clear()")
        visitor.page.close()


def visit(context: BrowserContext, url: str, width: int = 1440) -> Visit:
    """Open the page as a newcomer."""
    visitor = Visit(context.new_page())
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.page.on("request", lambda request: _note_host(visitor, request.url))
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    visitor.page.goto(url)
    settled(visitor.page)
    return visitor


def settled(page: Page) -> None:
    """Wait until every part of the page is there."""
    for part in ("#text textarea", "#speak", "#player .wave", "#voice input", ".badge"):
        page.wait_for_selector(part, timeout=SOON, state="attached")
    page.wait_for_function("window.tts.voice !== undefined && document.body.dataset.blend", timeout=SOON)


def fits(page: Page, *widths: int) -> None:
    """Nothing is cut off or sticks out at any of the ``widths`` (``WIDTHS``), in CSS pixels.

    After a resize Gradio puts the tabs that have no room into a menu, but only a moment later: that is waited for.
    """
    for width in widths or WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        whole = f"({CUT})().length === 0 && document.documentElement.scrollWidth <= {width}"
        try:
            page.wait_for_function(whole, timeout=5000)
        except TooLate:
            assert page.evaluate(CUT) == [], f"at {width} pixels"
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def _note_host(visitor: Visit, url: str) -> None:
    if (urlsplit(url).hostname or "") not in LOCAL:
        visitor.outside.append(url)
