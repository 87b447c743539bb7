"""The documentation works where there is no internet, and says what is true."""

from __future__ import annotations

import json
import shutil
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import sync_playwright

from index_tts_ui.api.aliases import stock_voices

from .server import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROUTES = {
    ("post", "/v1/audio/speech"),
    ("get", "/v1/models"),
    ("get", "/v1/models/{model}"),
    ("get", "/v1/audio/models"),
    ("get", "/v1/audio/voices"),
    ("post", "/v1/audio/preview"),
    ("get", "/v1/audio/outputs/{output_id}"),
    ("delete", "/v1/requests/{request_id}"),
    ("get", "/v1/requests/{recording_id}/stream"),
    ("post", "/api/tts"),
    ("post", "/tts/generate"),
    ("post", "/tts"),
    ("post", "/synthesize"),
    ("get", "/synthesize"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/v1/status"),
}


def spec(server: Server) -> dict[str, Any]:
    """The OpenAPI description."""
    described: dict[str, Any] = httpx.get(f"{server.url}/openapi.json", timeout=20).json()
    return described


def test_every_route_is_described(tone: Server) -> None:
    paths = spec(tone)["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} >= ROUTES
    for path, methods in paths.items():
        for operation in methods.values():
            assert operation["description"], path
            assert "422" not in operation["responses"], "ours are 400, in the envelope"


def test_the_described_examples_are_accepted(tone: Server) -> None:
    """Each with the model and voice of the engine that runs here."""
    described = spec(tone)
    schemas = described["components"]["schemas"]
    for name, path in (
        ("TTSBody", "/api/tts"),
        ("SynthesizeBody", "/synthesize"),
        ("PreviewBody", "/v1/audio/preview"),
    ):
        for example in schemas[name]["examples"]:
            body = {key: value for key, value in example.items() if key != "speaker_id"}
            assert httpx.post(tone.url + path, json=body, timeout=20).status_code == 200
    for example in schemas["SpeechBody"]["examples"]:
        body = {**example, "model": "tts-1", "voice": "alloy"}
        assert httpx.post(f"{tone.url}/v1/audio/speech", json=body, timeout=20).status_code == 200


def test_the_documentation_page_asks_nobody_else(tone: Server) -> None:
    """A real browser draws it; every request goes to our own host."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "this test needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{tone.url}/docs")
        page.wait_for_selector("[data-path='/v1/audio/speech']", timeout=30_000)
        page.locator("[data-path='/v1/audio/speech']").click()  # draws the body's schema and example
        page.wait_for_selector("textarea", timeout=30_000)  # with the example to try out
        assert "zf_xiaobei" in page.content()
        page.wait_for_load_state("networkidle")
        browser.close()
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")}
    assert hosts == {urlsplit(tone.url).netloc}
    assert len(asked) >= 4


def test_every_stock_voice_of_openai_speaks(tone: Server) -> None:
    """An engine without the voices they stand for uses its default."""
    names = {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"}
    names |= {"marin", "nova", "onyx", "sage", "shimmer", "verse"}
    assert set(stock_voices()) == names
    for name in names:
        body = {"model": "tts-1", "input": "Hi.", "voice": name, "response_format": "pcm"}
        assert httpx.post(f"{tone.url}/v1/audio/speech", json=body, timeout=20).status_code == 200


def test_voices_are_listed_with_names_and_languages(tone: Server) -> None:
    voices = httpx.get(f"{tone.url}/v1/audio/voices").json()["voices"]
    assert voices[0] == {
        "id": "tone-a",
        "name": "Tone A",
        "name_zh": "音调甲",
        "language": "zh-CN",
        "gender": "female",
        "kind": "builtin",
        "tags": [],
        "seconds": 0.0,
        "shared": True,
        "default": True,
        "blend": "",
        "transcript": "",
        "owned": False,
        "editable": False,
    }
    assert json.loads(httpx.get(f"{tone.url}/v1/audio/models").text)["models"][0] == {"id": "tone"}
