"""The controls of an engine that clones voices: what is set on the page is what the engine receives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from index_tts_ui.emotions import bearable

from ..api.server import Server, serving
from ..voxcpm import checkpoint
from .clips import upload
from .conftest import Cloning, Open
from .pages import SOON, Visit


@pytest.fixture(scope="module")
def voxcpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An engine that clones voices and has no emotions."""
    home = tmp_path_factory.mktemp("page-voxcpm")
    (home / "cache_hub").mkdir()
    (home / "cache_hub" / "voxcpm1.5").symlink_to(checkpoint.made("voxcpm1.5"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(checkpoint.package()))
        with serving(home, "--engine", "voxcpm1.5", "--device", "cpu", path="/healthz") as server:
            yield server


def _dial(page: Page, name: str, value: str) -> None:
    box = page.locator(f"[data-parameter={name}] input[type=number]")
    box.fill(value)
    box.blur()


def _own_clip(page: Page) -> str:
    """Speak in the voice of a clip; returns its key."""
    page.check("#voicebox input[value=clip]")
    page.set_input_files("#voicebox input[type=file]", upload("mine.wav"))
    expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav", timeout=SOON)
    return _key(page, "tts.tuning.said().reference")


def _key(page: Page, expression: str) -> str:
    key: str = page.evaluate(expression)
    return key


def _speak(visitor: Visit, text: str = "One.") -> None:
    visitor.page.evaluate("tap.played.length = 0")
    visitor.speak(text)
    visitor.heard()
    visitor.finished()


def test_every_control_reaches_the_engine(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    voice = _own_clip(page)
    page.check("#tuning input[value=vector]")
    page.click("[data-preset=excited]")
    page.locator(".faders input[type=number]").nth(2).fill("0.3")
    page.locator(".weight input[type=range]").press("End")
    page.check(".random")
    page.select_option(".language", "zh")
    _dial(page, "duration_factor", "1.5")
    page.click(".fold summary")
    _dial(page, "top_k", "50")
    _dial(page, "temperature", "0.55")
    page.fill(".seed", "1234")
    page.locator(".seed").blur()
    expect(page.locator(".changes")).to_have_text("3 changed")
    _speak(visitor, "One.")
    got = cloning.received()[-1]
    assert (got["text"], got["language"], got["seed"]) == ("One.", "zh", 1234)
    assert [(ref["kind"], ref["key"]) for ref in got["voices"]] == [("clip", voice)]
    stored = (cloning.server.home / "voices" / "clips" / f"{voice}.wav").read_bytes()
    assert hashlib.sha256(stored).hexdigest() == voice
    assert got["params"] == {"speed": 1, "duration_factor": 1.5, "top_k": 50, "temperature": 0.55}
    emotion = got["emotion"]
    assert tuple(emotion["vector"]) == bearable([0.5, 0, 0.3, 0, 0, 0, 0.25, 0])
    assert (emotion["weight"], emotion["random"], emotion["clip"], emotion["text"]) == (1, True, None, None)

    page.check("#tuning input[value=clip]")
    page.set_input_files(".emotion-clip input[type=file]", upload("laugh.wav", 300))
    expect(page.locator(".emotion-clip .clip-name")).to_have_text("laugh.wav", timeout=SOON)
    _speak(visitor)
    emotion = cloning.received()[-1]["emotion"]
    assert emotion["clip"] == _key(page, "tts.tuning.said().emotion.clip") != voice
    assert (emotion["vector"], emotion["text"], emotion["random"]) == (None, None, False)

    page.check("#tuning input[value=text]")
    page.fill("textarea.words", "如释重负")
    _speak(visitor)
    emotion = cloning.received()[-1]["emotion"]
    assert (emotion["text"], emotion["vector"], emotion["clip"], emotion["weight"]) == (
        "如释重负",
        None,
        None,
        1,
    )

    page.check("#tuning input[value=same]")
    page.click(".reset-all")
    _speak(visitor)
    got = cloning.received()[-1]
    assert got["emotion"] is None
    assert got["params"] == {"speed": 1, "duration_factor": 1.5}  # stands outside of the fold that was reset
    expect(page.locator(".keep-seed")).to_have_text(f"Keep {got['seed']}")


def test_the_preview_follows_the_segment_length_and_settings_survive_a_reload(
    cloning: Cloning, open_page: Open
) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    visitor.type("The first sentence is here and goes on for a while.")
    segments = page.locator(".segment")
    expect(segments).to_have_count(1, timeout=SOON)
    page.click(".fold summary")
    _dial(page, "segment_tokens", "20")
    expect(segments).to_have_count(3, timeout=SOON)
    counts = segments.evaluate_all("all => all.map((e) => Number(e.dataset.tokens))")
    assert max(counts) <= 20
    expect(page.locator(".estimate")).to_contain_text(f"{sum(counts)} tokens")
    page.check("#tuning input[value=vector]")
    page.click("[data-preset=sad]")
    page.reload()
    expect(page.locator("[data-parameter=segment_tokens] input[type=number]")).to_have_value(
        "20", timeout=SOON
    )
    expect(page.locator("#tuning input[value=vector]")).to_be_checked()
    expect(page.locator(".faders input[type=number]").nth(2)).to_have_value("0.6")
    expect(segments).to_have_count(3, timeout=SOON)


def test_an_engine_with_fixed_voices_says_how_to_get_the_rest(tone: Server, open_page: Open) -> None:
    page = open_page(tone.url).page
    expect(page.locator(".more-voices")).to_contain_text("Emotions and voices of your own come with IndexTTS")
    expect(page.locator(".more-voices")).to_contain_text("tts-launch models fetch indextts2.5")
    for missing in (".emotion", "#voicebox", "[data-mark]:visible", "[data-parameter]", ".fallback:visible"):
        expect(page.locator(missing)).to_have_count(0)
    expect(page.locator("#second")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "speaks in voices of your own. Emotions come with IndexTTS"),
        ("zh", "支持自定义音色。情感控制由 IndexTTS 提供"),
    ],
)
def test_an_engine_that_clones_but_has_no_emotions_says_only_what_it_lacks(
    voxcpm: Server, open_page: Open, lang: str, said: str
) -> None:
    page = open_page(voxcpm.url, lang).page
    expect(page.locator(".more-voices")).to_contain_text(said)
    expect(page.locator("#voicebox input[value=clip]")).to_be_visible()
    expect(page.locator(".emotion")).to_have_count(0)


@pytest.mark.slow
def test_what_is_missing_is_told_in_the_pages_language(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url, "zh")
    page = visitor.page
    page.check("#voicebox input[value=clip]")
    visitor.speak("你好。")
    visitor.fails_with("还没有参考音频")
    _own_clip(page)
    for mode, message in (("clip", "还没有情感参考音频"), ("text", "还没有情感描述")):
        page.check(f"#tuning input[value={mode}]")
        visitor.speak("你好。")
        visitor.fails_with(message)
    page.set_input_files("#voicebox input[type=file]", upload("short.wav", seconds=0.4))
    expect(page.locator("#voicebox .clip-error")).to_contain_text("至少需要", timeout=SOON)
    expect(page.locator("#voicebox .clip-name")).to_have_text("mine.wav")  # the one before stays


@pytest.mark.slow
def test_the_microphone_records_a_voice(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    page.check("#voicebox input[value=clip]")
    page.click("#voicebox .record")
    expect(page.locator("#voicebox .clock")).to_have_text("0:03 / 0:15", timeout=SOON)
    page.click("#voicebox .finish")
    expect(page.locator("#voicebox .clip-name")).to_have_text("Recording", timeout=SOON)
    _speak(visitor)
    assert cloning.received()[-1]["voices"][0]["key"] == _key(page, "tts.tuning.said().reference")


@pytest.mark.slow
def test_marks_stand_around_the_selected_word(cloning: Cloning, open_page: Open) -> None:
    visitor = open_page(cloning.url)
    page = visitor.page
    visitor.type("他行吗")
    page.evaluate("document.querySelector('#text textarea').setSelectionRange(1, 2)")
    page.click("[data-mark=pinyin]")
    page.keyboard.type("HANG2")
    assert visitor.text == "他<行|HANG2>吗"
    page.keyboard.press("ControlOrMeta+End")
    page.click("[data-mark=phones]")
    assert visitor.text == "他<行|HANG2>吗<minute|M IH1 . N AH0 T>"


@pytest.mark.slow
def test_an_emotion_in_words_that_the_checkpoint_cannot_take_is_disabled_with_its_reason(
    tmp_path_factory: pytest.TempPathFactory, open_page: Open
) -> None:
    options = ("--engine", "tone-clone", "--engine-options", "without=emotion_text")
    with serving(tmp_path_factory.mktemp("page-wordless"), *options) as server:
        page = open_page(server.url).page
        expect(page.locator("#tuning input[value=text]")).to_be_disabled()
        expect(page.locator("#tuning .emotion-text-reason")).to_contain_text("qwen0.6bemo4-merge")
        expect(page.locator("#tuning input[value=clip]")).to_be_enabled()
