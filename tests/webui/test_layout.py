"""Nothing is cut off or sticks out, on a phone and on a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..api.server import Server
from .conftest import Open
from .pages import SOON, fits

WIDE = "没有空格的很长很长的一段文字" * 12 + "。" + "unbreakable" * 30 + "."
WINDOWS = (320, 390, 768, 1440)  # CSS pixels


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_fits_its_window(tone: Server, open_page: Open, lang: str) -> None:
    visitor = open_page(tone.url, lang)
    visitor.speak(WIDE)
    visitor.heard()
    expect(visitor.page.locator("#stop")).to_be_visible(timeout=SOON)
    fits(visitor.page, *WINDOWS)
    visitor.stop()
    visitor.speak("")
    expect(visitor.page.locator(".notice")).to_be_visible(timeout=SOON)
    fits(visitor.page, *WINDOWS)


def test_on_a_phone_speak_is_always_in_reach(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url, width=390).page
    for place in ("0", "document.documentElement.scrollHeight"):
        page.evaluate(f"scrollTo(0, {place})")
        expect(page.locator("#speak")).to_be_in_viewport(ratio=1)
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate(_OVER_LABEL) == "speak"


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    page.evaluate("document.activeElement.blur()")
    names = []
    for _ in range(32):
        page.keyboard.press("Tab")
        names.append(page.evaluate(_NAME))
    for wanted in (
        "中文",
        "Mandarin",
        "Pause",
        "Text",
        "Speak",
        "Voice",
        "Blend with",
        "Speed",
        "Format of the download",
    ):
        assert wanted in names, names
    assert "" not in names


# What is seen where the bar and a label of the settings meet.
_OVER_LABEL = """() => {
  const [label, bar] = ["#second [data-testid=block-info]", "#speak"].map((one) => document.querySelector(one));
  scrollTo(0, label.getBoundingClientRect().top - bar.getBoundingClientRect().top - 14);
  const { left, top } = label.getBoundingClientRect();
  return document.elementFromPoint(left + 5, top + 5).id;
}"""
_NAME = """() => {
  const e = document.activeElement;
  if (e === document.body) return "(end)";
  return (e.ariaLabel || e.labels?.[0]?.textContent || (e.matches("button, a, summary") && e.textContent) || "").trim();
}"""
