"""The page in a real browser: how soon it is painted, and how soon after Speak something is heard.

    python -m benchmarks.page [--engine kokoro] [--rounds 15] [--no-write]

First paint: of a visitor who was never here (nothing in the browser's cache), and of one who comes back. First
sound: from the click on Speak to the moment for which the browser has scheduled the first sample, beside the
first bytes of ``POST /v1/audio/speech`` fetched by the same browser; page and API take turns, every text is
another one. Needs Chromium and the tests' Playwright.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from . import lab

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
WORDS = ("river", "winter", "garden", "silver", "market", "window", "letter", "summer", "bridge", "candle")
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
USABLE = "() => document.querySelector('#speak') && window.tts?.voice !== undefined"
# when the first sample will leave the browser, in its own clock
TAP = """(() => {
  const start = AudioBufferSourceNode.prototype.start;
  window.firstSound = null;
  AudioBufferSourceNode.prototype.start = function (when = 0, ...more) {
    window.firstSound ??= performance.now() + 1000 * Math.max(0, when - this.context.currentTime);
    return start.call(this, when, ...more);
  };
})()"""
PRESS = "() => { window.firstSound = null; window.pressed = performance.now(); document.querySelector('#speak').click(); }"
FETCH = """async ([text, voice]) => {
  const began = performance.now();
  const answer = await fetch('v1/audio/speech', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'tts-1', input: text, voice, response_format: 'pcm' }),
  });
  const reader = answer.body.getReader();
  await reader.read();
  const first = performance.now() - began;
  while (!(await reader.read()).done);
  return first;
}"""


def paint(browser: Browser, url: str, rounds: int) -> dict[str, float]:
    """Medians in ms: painted and usable, the first time and the second."""
    seen: dict[str, list[float]] = {}
    for _ in range(rounds):
        context = browser.new_context()
        for visit in ("first", "again"):
            page = context.new_page()
            page.goto(url)
            page.wait_for_function(USABLE)
            seen.setdefault(f"{visit} visit: painted", []).append(page.evaluate(PAINTED))
            seen.setdefault(f"{visit} visit: usable", []).append(page.evaluate("() => performance.now()"))
            page.close()
        context.close()
    return {name: round(lab.median(values)) for name, values in seen.items()}


def sound(browser: Browser, url: str, rounds: int) -> dict[str, float]:
    """Medians in ms: to the first sound on the page and through the API, and of their difference."""
    page = browser.new_page()
    page.add_init_script(TAP)
    page.goto(url)
    page.wait_for_function(USABLE)
    voice = page.evaluate("() => window.tts.voice")
    pairs = []
    for turn in range(rounds + 1):
        through = page.evaluate(FETCH, [_text(2 * turn), voice])
        pairs.append((_spoken(page, _text(2 * turn + 1)), through))
    pairs = pairs[1:]  # the first one warms everything up
    return {
        "first sound, page": round(lab.median([one for one, _ in pairs])),
        "first bytes, API": round(lab.median([two for _, two in pairs])),
        "page later by": round(lab.median([one - two for one, two in pairs])),
    }


def _spoken(page: Page, text: str) -> float:
    page.fill("#text textarea", text)
    page.wait_for_timeout(1500)  # the preview of the segments is over: a person takes longer to the button
    page.evaluate(PRESS)
    page.wait_for_function("() => window.firstSound !== null", timeout=60_000)
    took: float = page.evaluate("() => window.firstSound - window.pressed")
    page.wait_for_selector("#player [data-phase=done]", timeout=60_000)
    return took


def _text(number: int) -> str:
    """A short sentence; all of them are about as long."""
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
    return f"The {first} was near the {second}."


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """See the module. Returns what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", default="kokoro")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args(argv)
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("this needs Chromium: apt-get install chromium")
    with lab.server("--engine", given.engine) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        url = f"http://127.0.0.1:{server.port}/"
        found = {**paint(browser, url, given.rounds), **sound(browser, url, given.rounds)}
        browser.close()
    print(lab.table(["", "ms"], [[name, value] for name, value in found.items()]))
    if not given.no_write:
        lab.write("page", {"engine": given.engine, "rounds": given.rounds, "ms": found})
    return found


if __name__ == "__main__":
    main()
