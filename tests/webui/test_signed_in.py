"""The page of a server that asks for a key: sign in, speak, sign out."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui.auth.keys import KeyStore

from ..api.server import serving
from .pages import SOON, Browsers, settled


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_visitor_signs_in_speaks_and_signs_out(tmp_path: Path, browsers: Browsers, lang: str) -> None:
    KeyStore(tmp_path / "keys.json").add("anna", password="correct horse", roles=("speak",))
    with serving(tmp_path, "--engine", "tone", "--engine-options", "char_ms=30") as server:
        page = browsers.of(lang).new_page()
        page.goto(server.url)
        assert page.url.endswith("/login")
        assert page.title().endswith("登录" if lang == "zh" else "Sign in")
        page.fill("#name", "anna")
        page.fill("#secret", "wrong")
        page.click("button")
        page.wait_for_selector("[role=alert]", timeout=SOON)
        page.fill("#name", "anna")
        page.fill("#secret", "correct horse")
        page.click("button")
        settled(page)
        page.fill("#text textarea", "Hello there.")
        page.click("#speak")
        page.wait_for_function("tap.played.length > 0", timeout=SOON)
        page.goto(f"{server.url}/login")
        page.click("button")
        page.wait_for_selector("#secret", timeout=SOON)
        page.goto(server.url)
        assert page.url.endswith("/login")
        page.close()
