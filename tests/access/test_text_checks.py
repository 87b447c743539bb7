"""What an operator does not allow is refused, for the API and for jobs, and it is not told which words those are."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from index_tts_ui import text_checks
from index_tts_ui.config import Config
from index_tts_ui.errors import BadConfig, Invalid
from index_tts_ui.speech import Owner
from index_tts_ui.text_checks.wordlist import WordList

from ..api.server import serving, until

TERMS = "# what we do not say\nfoo\nbad  word  # two\n禁语\ncaf\u00e9\nC++\nＷＩＤＥ\n\n"
PLUGIN = """
from index_tts_ui.errors import Invalid

def make(config):
    def check(text, owner):
        assert owner.key
        if text.isupper():
            raise Invalid("text_refused", param="input")
    return check
"""


def _is_refused(check: text_checks.TextCheck, text: str) -> bool:
    try:
        check(text, Owner("anna"))
    except Invalid as error:
        assert error.code == "text_refused" and not set(error.facts) - {"param"}
        return True
    return False


@pytest.mark.parametrize(
    "text",
    [
        *(
            "foo",
            "FOO!",
            "a foo.",
            "中文foo中文",
            "f\u200boo",
            "Ｆｏｏ",
            "a bad\n word here",
            "这是禁语吗",
            "禁\u200d语",
        ),
        *("un caf\u00e9", "cafe\u0301", "I like C++ a lot", "wide"),
    ],
)
def test_a_term_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(TERMS, "utf-8")
    assert _is_refused(WordList(tmp_path / "list.txt"), text)


@pytest.mark.parametrize(
    "text",
    ["food", "buffoon", "foo2", "foo_bar", "badword", "禁", "语禁", "what we do not say", "cafes", "two"],
)
def test_part_of_a_word_or_a_comment_is_no_term(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(TERMS, "utf-8")
    assert not _is_refused(WordList(tmp_path / "list.txt"), text)


def test_the_list_is_read_again_when_it_changes_and_kept_when_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("one\n")
    check = WordList(path)
    path.write_text("two\nmore\n")
    assert _is_refused(check, "two") and not _is_refused(check, "one")
    path.write_bytes(b"\xff\xfe\xfa broken")
    assert _is_refused(check, "two")
    path.unlink()
    assert _is_refused(check, "two")
    path.write_text("three\n")
    assert _is_refused(check, "three") and not _is_refused(check, "two")


def test_a_check_that_cannot_work_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"wordlist\.txt cannot be read"):
        text_checks.load(Config(home=str(tmp_path), text_checks="wordlist"))
    with pytest.raises(BadConfig, match="there is no 'nonsense', but: wordlist"):
        text_checks.load(Config(home=str(tmp_path), text_checks="nonsense"))
    assert text_checks.load(Config(home=str(tmp_path))) == ()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with an entry point, as pip would install it."""
    place = tmp_path / "site"
    about = place / "shouting-1.0.dist-info"
    about.mkdir(parents=True)
    (place / "shouting.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        f"[{text_checks.GROUP}]\nshouting = shouting:make\nbroken = shouting:nothing\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(str(place))


@pytest.mark.usefixtures("plugin")
def test_a_list_and_a_plugin_refuse_speech_and_a_job_s_line(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="'broken' cannot be loaded"):
        text_checks.load(Config(home=str(tmp_path), text_checks="broken"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "wordlist.txt").write_text(TERMS, "utf-8")
    flags = (
        "--engine",
        "tone",
        "--no-page",
        "--text-checks",
        "wordlist,shouting",
        "--engine-options",
        "step_ms=1",
    )
    with serving(home, *flags) as server, httpx.Client(base_url=server.url, timeout=30) as client:

        def speak(text: str, **more: object) -> httpx.Response:
            body = {"model": "tone", "voice": "tone-a", "input": text, "response_format": "pcm", **more}
            return client.post("/v1/audio/speech", json=body, headers={"Accept-Language": "zh"})

        for text, more in (("Say foo now.", {}), ("SAY IT LOUD.", {}), ("Say foo now.", {"cache": True})):
            refused = speak(text, **more)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"], error["param"]) == (400, "text_refused", "input")
            assert "管理员" in error["message"] and "foo" not in refused.text
        for body in (
            {"text": "Say foo now."},
            {"text": "SAY IT LOUD."},
            {"text": "Hi.", "glossary": {"Hi": "foo"}},
        ):
            refused = client.post("/v1/audio/preview", json=body, headers={"Accept-Language": "zh"})
            error = refused.json()["error"]
            assert (refused.status_code, error["code"], error["param"]) == (400, "text_refused", "input")
        assert client.post("/v1/audio/preview", json={"text": "Say food now."}).status_code == 200
        assert speak("Say food now.").status_code == 200
        made = client.post(
            "/v1/audio/jobs", json={"lines": [{"text": "Good."}, {"text": "This is foo."}], "voice": "tone-a"}
        )
        job = f"/v1/audio/jobs/{made.json()['id']}"
        until(lambda: client.get(job).json()["state"] == "failed", "the job has ended")
        lines = client.get(f"{job}/lines").text
        assert "text_refused" in lines and lines.count('"done"') >= 1
        made = client.post(
            "/v1/audio/jobs", json={"input": f"{'Good. ' * 20}\tThis is foo.", "voice": "tone-a"}
        )
        job = f"/v1/audio/jobs/{made.json()['id']}"
        until(lambda: client.get(job).json()["state"] == "failed", "the job has ended")
        lines = client.get(f"{job}/lines").text
        assert "text_refused" in lines and lines.count('"done"') >= 1, "a segment that is refused fails alone"
