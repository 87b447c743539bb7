"""What several upstreams offer together, and what is known of one that is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from index_tts_ui.config import Config
from index_tts_ui.engines.remote import RemoteFrontend
from index_tts_ui.remote import crew
from index_tts_ui.remote.about import OMNI, OURS, About
from index_tts_ui.remote.catalogue import Catalogue
from index_tts_ui.remote.upstreams import PARTS, Upstream
from index_tts_ui.speech import Reading, VoiceInfo

from .fake import Fake, ours

A, B = Upstream("a", "http://127.0.0.1:1"), Upstream("b", "http://127.0.0.1:2")


def about(
    *voices: str, kind: str = OURS, model: str = "tone", features: tuple[str, ...] = ("speed",)
) -> About:
    return About(kind, model, features, (), tuple(VoiceInfo(name, name, name, "", "") for name in voices))


def ids(catalogue: Catalogue) -> list[str]:
    return [info.id for info in catalogue.voices()]


def test_what_all_have_is_offered_and_changes_are_told(tmp_path: Path) -> None:
    catalogue = Catalogue([A, B], tmp_path / "known.json")
    assert ids(catalogue) == [] and catalogue.features() == PARTS
    heard: list[list[str]] = []
    catalogue.on_change = lambda: heard.append(ids(catalogue))
    catalogue.learn(A, about("x", "y", "z", features=("speed", "clone")))
    catalogue.learn(B, about("z", "y"))
    catalogue.learn(B, about("z", "y"))
    assert heard == [["x", "y", "z"], ["y", "z"]] and catalogue.features() == ("speed",)


def test_it_is_remembered_for_those_that_are_still_there(tmp_path: Path) -> None:
    path = tmp_path / "run" / "known.json"
    before = Catalogue([A, B], path)
    before.learn(A, about("x", "y"))
    before.learn(B, about("y"))
    assert ids(Catalogue([A, B], path)) == ["y"] and ids(Catalogue([A], path)) == ["x", "y"]
    for damaged in ("{", "[]", '{"a": {"kind": 1}}', '{"a": null}'):
        path.write_text(damaged)
        assert ids(Catalogue([A], path)) == []


def test_languages_and_parameters_are_those_of_the_engine(tmp_path: Path) -> None:
    catalogue = Catalogue([A], tmp_path / "known.json")
    catalogue.learn(A, about(model="indextts2.5"))
    assert "ja" in catalogue.languages() and "temperature" in catalogue.parameters()
    catalogue.learn(A, about(model="IndexTeam/IndexTTS-2.5", kind=OMNI))
    assert "ja" in catalogue.languages() and catalogue.parameters() == ()
    catalogue.learn(A, about(model="of-somebody", kind=OMNI))
    assert catalogue.languages() == ("zh", "en")


def test_they_are_asked_at_the_start_also_inside_a_running_loop(tmp_path: Path) -> None:
    async def go() -> crew.Crew | None:
        fake = ours(Fake(), ("x", "y"), features=["speed", "clone"])
        await fake.start()
        config = Config(home=str(tmp_path), upstreams=f"{fake.url},http://127.0.0.1:1")
        found = await asyncio.to_thread(crew.gather, config, "remote")
        await fake.stop()
        return found

    found = asyncio.run(go())
    assert found is not None and found.parts is not None
    spec, frontend = found.parts
    assert spec.features == ("speed", "clone") and [info.id for info in frontend.voices()] == ["x", "y"]
    assert [plan.device for plan in found.plans][1] == "127.0.0.1:1" and all(
        plan.returns for plan in found.plans
    )


def test_the_frontend_keeps_marks_and_says_respellings() -> None:
    frontend = RemoteFrontend()
    text = "他在银<行|HANG2>门口<行|XING2>走。NVMe is here."
    first, second = frontend.split(text, readings=(Reading("NVMe", "N V M E"),))
    assert first.text == first.spoken == "他在银<行|HANG2>门口<行|XING2>走。"
    assert second.text == "NVMe is here." and second.spoken == "N V M E is here."
    assert frontend.split("***") == [] and frontend.count("Hello there.") > 0


@pytest.mark.slow  # it loads a dictionary of words
def test_the_frontend_cuts_long_texts_and_loses_nothing() -> None:
    frontend = RemoteFrontend()
    text = "Hello there. " + "这是一个很长的句子，" * 30 + "完了。"
    pieces = frontend.split(text)
    assert "".join(piece.text for piece in pieces).replace(" ", "") == text.replace(" ", "")
    assert max(piece.tokens for piece in pieces) <= 120 and len(pieces) > 3
    assert max(piece.tokens for piece in frontend.split(text, budget=30)) <= 30
