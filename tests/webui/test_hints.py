"""What stands in place of the emotions says what is true of the engine in use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index_tts_ui.app import build_service
from index_tts_ui.config import Config
from index_tts_ui.remote.about import About
from index_tts_ui.webui.i18n import EN, ZH
from index_tts_ui.webui.settings import missing


@pytest.mark.parametrize(
    ("engine", "clones"), [("kokoro", False), ("tone", False), ("voxcpm2", True), ("voxcpm1.5", True)]
)
def test_voices_of_ones_own_are_missing_only_where_they_are(
    tmp_path: Path, engine: str, clones: bool
) -> None:
    word = missing(build_service(Config(home=str(tmp_path), engine=engine)))
    for table, what, fetch in (
        (EN, "voices of your own come", "models fetch"),
        (ZH, "与自定义音色由", "models fetch"),
    ):
        assert (what in table[word]) != clones and fetch in table[word] and "IndexTTS" in table[word]


@pytest.mark.parametrize("clones", [False, True])
def test_of_servers_elsewhere_it_is_told_what_they_would_need(tmp_path: Path, clones: bool) -> None:
    known = About("openai", "m", ("speed", "clone") if clones else ("speed",))
    (tmp_path / "run").mkdir()
    config = Config(home=str(tmp_path), engine="remote", upstreams="http://127.0.0.1:9")  # nobody is there
    place = tmp_path / "run" / f"upstreams-{config.name}.json"
    place.write_text(json.dumps({"127.0.0.1:9": known.to_json()}))
    word = missing(build_service(config))
    assert ("voices of your own come" in EN[word]) != clones
    assert "upstreams" in EN[word] and "upstreams" in ZH[word] and "fetch" not in EN[word] + ZH[word]
