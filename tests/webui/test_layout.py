"""Nothing is cut off or sticks out, on a phone and on a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..api.server import Server
from .conftest import Open
from .pages import SOON, Visit

WIDE = "没有空格的很长很长的一段文字" * 12 + "。" + "unbreakable" * 30 + "."

# Controls that are outside the window sideways, or whose own text is wider than they are.
CUT = """() => [...document.querySelectorAll("button, a, input, select, textarea, h1, p, .badge, .card, #player")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 1)
  .filter((e) => {
    const { left, right } = e.getBoundingClientRect();
    return left < 0 || right > innerWidth || (e.matches("button, .badge, h1") && e.scrollWidth > e.clientWidth + 1);
  }).map((e) => e.id || e.className || e.tagName)"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_fits_its_window(tone: Server, open_page: Open, lang: str) -> None:
    visitor = open_page(tone.url, lang)
    visitor.speak(WIDE)
    visitor.heard()
    expect(visitor.page.locator("#stop")).to_be_visible(timeout=SOON)
    _fits(visitor)
    visitor.stop()
    visitor.speak("")
    expect(visitor.page.locator(".notice")).to_be_visible(timeout=SOON)
    _fits(visitor)


def _fits(visitor: Visit) -> None:
    for width in (320, 390, 768, 1440):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visitor.page.evaluate(CUT) == [], f"at {width} pixels"


def test_on_a_phone_speak_is_always_in_reach(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url, width=390).page
    for place in ("0", "document.documentElement.scrollHeight"):
        page.evaluate(f"scrollTo(0, {place})")
        expect(page.locator("#speak")).to_be_in_viewport(ratio=1)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    page.evaluate("document.activeElement.blur()")
    names = []
    for _ in range(16):
        page.keyboard.press("Tab")
        names.append(page.evaluate(_NAME))
    for wanted in (
        "中文",
        "Mandarin",
        "Text",
        "Speak",
        "Voice",
        "Blend with",
        "Speed",
        "Format of the download",
    ):
        assert wanted in names, names
    assert "" not in names


_NAME = """() => {
  const e = document.activeElement;
  if (e === document.body) return "(end)";
  return (e.ariaLabel || e.labels?.[0]?.textContent || (e.matches("button, a, summary") && e.textContent) || "").trim();
}"""
