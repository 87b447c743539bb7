"""The whole way with the real engine: page, queue, worker, IndexTTS, sound."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from ..api.server import Server, serving, until
from .clips import upload
from .conftest import Open
from .pages import SOON

LONGEST = 120_000  # ms for a sentence on a busy machine


@pytest.fixture(scope="module")
def indextts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """IndexTTS-2.5 with small random weights, on the CPU."""
    from ..indextts.checkpoint import made

    home = tmp_path_factory.mktemp("page-indextts")
    (home / "cache_hub").mkdir()
    (home / "cache_hub" / "indextts2.5").symlink_to(made("v25"))
    with serving(home, "--engine", "indextts2.5", "--device", "cpu", "--timeout", "300") as server:
        yield server


@pytest.mark.slow
def test_a_clip_and_an_emotion_chosen_on_the_page_become_sound(
    indextts: Server, open_page: Open, tmp_path: Path
) -> None:
    visitor = open_page(indextts.url)
    page = visitor.page
    page.check("#voicebox input[value=clip]")
    page.set_input_files("#voicebox input[type=file]", upload("mine.wav"))
    expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav", timeout=SOON)
    page.check("#tuning input[value=vector]")
    page.click("[data-preset=happy]")
    page.click(".fold summary")
    page.fill(".seed", "7")
    visitor.speak("你好，世界。Good morning.")
    visitor.heard()
    visitor.finished(timeout=LONGEST)
    heard, _ = visitor.played()
    assert np.abs(heard).max() > 0.01
    page.select_option("#player .format", "wav")
    with page.expect_download(timeout=LONGEST) as download:
        page.click("#player .download")
    download.value.save_as(tmp_path / "kept.wav")
    kept, rate = soundfile.read(io.BytesIO((tmp_path / "kept.wav").read_bytes()))
    assert rate == 22_050
    assert abs(len(kept) / rate - len(heard) / visitor.page.evaluate("tap.played[0].rate")) < 0.5

    def counted() -> bool:
        stats = indextts.status()["workers"][0]["stats"]  # as the worker last told
        return stats.get("codes", 0) > 0 and stats["clips"] == 2

    until(counted, "two clips were encoded and codes made", 10)
